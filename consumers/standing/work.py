"""Work: a partition's part of a batch while it is joined, and what the batch did, for the metrics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from consumers.standing.decode import Arrival, Decoded
from consumers.standing.partition import Partition
from exchange.domain.record import Entry, Version
from exchange.domain.standing import Standing
from exchange.standing_store import OUTDATED, Commit

SentTable = dict[str, dict[tuple[str, str], dict[str, Version]]]
"""Subject to (other subject, entry key) to slot to the newest version that the one has sent the other."""


@dataclass(slots=True)
class Tally:
    """What a batch did, for the metrics."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: int = 0
    notices: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    without_basis: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: Counter[tuple[str, str]] = field(default_factory=Counter)
    feedback: Counter[tuple[str, str]] = field(default_factory=Counter)
    snoozed: Counter[tuple[str]] = field(default_factory=Counter)
    overdue_told: Counter[tuple[str, str]] = field(default_factory=Counter)
    internal: int = 0
    contested: int = 0
    timers: int = 0
    misses: int = 0


@dataclass(slots=True)
class Work:
    """A partition's part of a batch while it is being joined."""

    partition: Partition
    decoded: Decoded
    due: Sequence[str]
    commit: Commit
    standings: dict[str, Standing]
    changed: dict[tuple[str, str], Entry] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)
    judged: dict[str, Arrival | None] = field(default_factory=dict)
    telling: SentTable | None = None

    def note_read_at(self, token: str) -> None:
        """Something was read from the store at this commit token; unless it is the partition's own, the commit will be refused.

        The token alone would let a commit pass that a predecessor began: he reads what his successor wrote, then Redis comes back
        as of his own last commit, and what he took for known is nowhere.
        """
        if token != self.partition.token:
            self.commit.expected = OUTDATED
