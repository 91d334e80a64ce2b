"""What every kind of fault is."""

import random
from dataclasses import dataclass
from typing import ClassVar, Self

from tests.faults.campaign.probes import READER
from tests.faults.campaign.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. What is drawn is drawn before the campaign begins, so the same seed gives the same faults in the same order.

    Attributes:
        which: of several like things the one that is hit.
        seconds: how long it lasts until it is healed.
    """

    kind: ClassVar[str]
    """Its name in reports."""
    weight: ClassVar[int] = 10
    """How often it comes, beside the others."""
    lasting: ClassVar[tuple[float, float]] = (0.5, 1.5)
    """Seconds from and to which it may last."""
    seen_at: ClassVar[str] = READER
    """Whose notices tell how long the bus was away."""

    which: int
    seconds: float

    @classmethod
    def draw(cls, chance: random.Random) -> Self:
        """One of this kind."""
        return cls(which=chance.randrange(6), seconds=round(chance.uniform(*cls.lasting), 2))

    @property
    def detail(self) -> str:
        """What exactly, for reports."""
        return f"{self.which}"

    def inject(self, world: World) -> None:
        """Do the harm; returns at once or when the harm is done."""
        raise NotImplementedError

    def heal(self, world: World) -> None:
        """Undo it, as the supervisor, the operator or the network would."""
        raise NotImplementedError
