"""The port to where standings live: what the processor asks and what it is answered. `Store` (Redis) and `MemoryStore` stand behind it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from exchange.domain.record import Entry
from exchange.domain.standing import Owed, Standing
from exchange.errors import FencedError

TOKENS_KEPT = 256
"""Commit tokens that Redis remembers (the commit script keeps as many)."""

OUTDATED = "outdated"
"""The token that a commit expects whose state was read at another than its owner's. No commit has it, so it is refused."""

NEVER = float("inf")
"""The due day of a subject that is only indexed: nothing about it changes by itself."""


class Outgoing(NamedTuple):
    """A message that the next transaction will publish; `token` is the commit that decided it."""

    token: str
    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a partition has come.

    tokens: the last 256 commit tokens, newest first. published: the token last known to be published.
    offsets: topic to the next offset to read. held: topic to the length of its run of rejected records.
    """

    tokens: tuple[str, ...] = ()
    epoch: int = 0
    published: str = ""
    reconcile: bool = False
    policy: str = ""
    offsets: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The newest commit token; empty before the first commit."""
        return self.tokens[0] if self.tokens else ""


@dataclass(slots=True, kw_only=True)
class Commit:
    """What one batch changes in one partition.

    traces: number of a message to the `traceparent` that it carries; only where traces are on, and not kept.
    timers: subject to the day it is due; None takes it off. overdue: (subject, response) that joins the index of what is overdue;
    what is no longer so leaves it first.
    """

    partition: int
    expected: str
    token: str
    published: str = ""
    trim: int = 0
    cursor: dict[str, str | int] = field(default_factory=dict)
    standings: list[tuple[str, Standing]] = field(default_factory=list)
    entries: list[tuple[str, str, Entry]] = field(default_factory=list)
    timers: list[tuple[str, float | None]] = field(default_factory=list)
    messages: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    traces: dict[int, str] = field(default_factory=dict)
    no_longer_overdue: list[tuple[str, Owed]] = field(default_factory=list)
    overdue: list[tuple[str, Owed]] = field(default_factory=list)


class Wanted(NamedTuple):
    """What a batch needs of one partition: subjects, and (subject, entry key) pairs."""

    partition: int
    subjects: Sequence[str]
    entries: Sequence[tuple[str, str]]


class Loaded(NamedTuple):
    """The answer to `Wanted`, in its order, as of the newest commit's token; None where nothing is stored."""

    token: str
    standings: list[Standing | None]
    entries: list[Entry | None]


Answer = Callable[[], list[FencedError | None]]
"""Waits for the answer to commits that are under way; to be called once."""


class Look(NamedTuple):
    """A glance at a partition: its newest commit token, and the subjects for whom a day has come."""

    token: str
    due: list[str]


class StandingStore(Protocol):
    """What the processor asks of a store; `Store` and its in-memory twin pass the same contract tests."""

    def cursor(self, partition: int) -> Cursor: ...  # noqa: D102 # see Store
    def load(self, wanted: Sequence[Wanted]) -> list[Loaded]: ...  # noqa: D102
    def commit(self, commits: Sequence[Commit]) -> list[FencedError | None]: ...  # noqa: D102
    def begin_commit(self, commits: Sequence[Commit]) -> Answer: ...  # noqa: D102
    def outbox(self, partition: int) -> list[Outgoing]: ...  # noqa: D102
    def look(self, partitions: Sequence[int], day: int, limit: int) -> list[Look]: ...  # noqa: D102
    def indexed(self, partition: int) -> Iterator[str]: ...  # noqa: D102
    def standing(self, partition: int, subject: str) -> Standing | None: ...  # noqa: D102
    def entries(self, partition: int, subject: str) -> dict[str, Entry]: ...  # noqa: D102
    def all_of(self, partition: int, subject: str) -> tuple[Standing | None, dict[str, Entry]]: ...  # noqa: D102
    def entries_of(self, partition: int, subjects: Sequence[str]) -> list[dict[str, Entry]]: ...  # noqa: D102
    def entries_as_of(self, partition: int, subject: str) -> tuple[str, dict[str, Entry]]: ...  # noqa: D102
    def subjects(self, partition: int) -> Iterator[str]: ...  # noqa: D102
    def overdue(self, partition: int, department: str) -> list[tuple[str, Owed]]: ...  # noqa: D102
    def count_overdue(self, partitions: Sequence[int], departments: Sequence[str]) -> dict[str, int]: ...  # noqa: D102
