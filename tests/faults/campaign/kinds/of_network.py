"""Faults of the network between any two."""

from typing import ClassVar

from tests.faults.campaign.kinds.fault import Fault
from tests.faults.campaign.network import BROKERS, CLIENTS, REDIS
from tests.faults.campaign.probes import DESK
from tests.faults.campaign.world import World


class OfNetwork(Fault):
    """Something happens between two places."""

    __slots__ = ()
    weight = 6
    lasting = (0.5, 5.0)
    how: ClassVar[str] = "cut"
    """`cut`: connections are reset; `hold`: nothing moves; `slow`: everything is late by 80 ms."""

    def ends(self) -> tuple[str, str]:
        """The two places."""
        raise NotImplementedError

    @property
    def detail(self) -> str:
        return " - ".join(self.ends())

    def inject(self, world: World) -> None:
        one, other = self.ends()
        match self.how:
            case "cut":
                world.network.cut(one, other)
            case "hold":
                world.network.hold(one, other)
            case _:
                world.network.slow(one, other, 0.08)

    def heal(self, world: World) -> None:
        world.network.mend(*self.ends())


class ClientCut(OfNetwork):
    """One processor, or the departments, and one broker."""

    __slots__ = ()
    kind = "client - broker cut"

    def ends(self) -> tuple[str, str]:
        return ("one", "two", "departments")[self.which % 3], BROKERS[self.which // 2]


class ClientHeld(ClientCut):
    """The same, held."""

    __slots__ = ()
    kind = "client - broker held"
    how = "hold"


class ClientSlow(ClientCut):
    """The same, slow."""

    __slots__ = ()
    kind = "client - broker slow"
    how = "slow"


class DispatcherCut(OfNetwork):
    """The dispatcher and one broker."""

    __slots__ = ()
    kind = "dispatcher - broker cut"
    seen_at = DESK

    def ends(self) -> tuple[str, str]:
        return CLIENTS[2], BROKERS[self.which // 2]


class BrokersCut(OfNetwork):
    """Two brokers, their controllers too."""

    __slots__ = ()
    kind = "broker - broker cut"

    def ends(self) -> tuple[str, str]:
        return BROKERS[self.which % 3], BROKERS[(self.which + 1) % 3]


class BrokersHeld(BrokersCut):
    """The same, held."""

    __slots__ = ()
    kind = "broker - broker held"
    how = "hold"


class BrokersSlow(BrokersCut):
    """The same, slow."""

    __slots__ = ()
    kind = "broker - broker slow"
    how = "slow"


class BrokerAlone(OfNetwork):
    """A broker and everybody else."""

    __slots__ = ()
    kind = "broker cut off"

    def ends(self) -> tuple[str, str]:
        return BROKERS[self.which % 3], "*"


class RedisCut(OfNetwork):
    """One processor and Redis."""

    __slots__ = ()
    kind = "processor - Redis cut"

    def ends(self) -> tuple[str, str]:
        return CLIENTS[self.which % 2], REDIS


class RedisHeld(RedisCut):
    """The same, held."""

    __slots__ = ()
    kind = "processor - Redis held"
    how = "hold"


class RedisSlow(RedisCut):
    """The same, slow."""

    __slots__ = ()
    kind = "processor - Redis slow"
    how = "slow"
