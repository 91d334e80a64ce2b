"""One partition as its owner sees it: where it stands, what is cached, and how ownership begins (design: "State")."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.domain.standing import Standing
from exchange.errors import FencedError
from exchange.standing_store import Commit, Cursor, Outgoing, StandingStore

ATTEMPTS = 20
"""How often ownership is tried while a predecessor's last commits still arrive."""


class Committed(NamedTuple):
    """What Kafka knows of a partition: next offset by topic, and the commit token and epoch last published."""

    offsets: Mapping[str, int]
    token: str = ""
    epoch: int = 0

    @staticmethod
    def metadata(token: str, epoch: int) -> str:
        """The text kept with the committed offset."""
        return f"{token} {epoch}"

    @classmethod
    def parse(cls, offsets: Mapping[str, int], metadata: str) -> "Committed":
        """From Kafka's committed offsets and the metadata beside the internal topic's."""
        token, _, epoch = (metadata or "").partition(" ")
        return cls(offsets, token, int(epoch or 0))


@dataclass(slots=True, kw_only=True)
class Partition:
    """A partition owned by this process.

    token: of the newest commit, which the next commit must find. known: Kafka's offsets when ownership began; until they are
    reached by a partition that reconciles, nobody is told anything. trim and published: what the next commit may forget.
    """

    number: int
    token: str
    epoch: int
    reconcile: bool
    offsets: dict[str, int]
    known: dict[str, int]
    rejected_runs: dict[str, int] = field(default_factory=dict)
    cache: dict[str, Standing] = field(default_factory=dict)
    published: str = ""
    trim: int = 0

    def held(self, limit: int) -> set[str]:
        """Topics with so many rejected records in a row that no more is taken of them."""
        return {topic for topic, run in self.rejected_runs.items() if run >= limit}

    def remember(self, standings: Mapping[str, Standing], most: int) -> None:
        """Cache standings; of more than `most` those go first that came first."""
        self.cache.update(standings)
        for subject in list(itertools.islice(self.cache, max(0, len(self.cache) - most))):
            del self.cache[subject]

    def caught_up(self) -> bool:
        """Whether all that Kafka knew at the beginning has been folded again."""
        return all(self.offsets.get(topic, 0) >= offset for topic, offset in self.known.items())


class Attached(NamedTuple):
    """The beginning of ownership: the partition, and the messages of its outbox that nobody has published yet."""

    partition: Partition
    unpublished: list[Outgoing]


def published_count(cursor: Cursor, outbox: list[Outgoing], token: str) -> int:
    """How many messages at the head of the outbox were published with or before a commit token."""
    if token not in cursor.tokens:
        return 0
    unpublished = set(cursor.tokens[: cursor.tokens.index(token)])
    for position, message in enumerate(outbox):
        if message.token in unpublished:
            return position
    return len(outbox)


def attach(
    number: int, store: StandingStore, committed: Committed, *, policy: str, new_token: Callable[[], str]
) -> Attached:
    """Take a partition over: decide what was published, fence whoever had it before, and learn whether Redis is older.

    The commit made here carries a fresh token, so that from now on no predecessor's commit passes. If it dies here, the next
    owner finds either the state before or the state after, both whole.

    Raises:
        FencedError: somebody else goes on committing to the partition.
        RetryLaterError: Redis is away.
    """
    for _ in range(ATTEMPTS):
        cursor = store.cursor(number)
        outbox = store.outbox(number)
        remembered = committed.token == cursor.published or committed.token in cursor.tokens
        behind = any(cursor.offsets.get(topic, 0) < offset for topic, offset in committed.offsets.items())
        reconcile = cursor.reconcile or behind or not remembered
        published = published_count(cursor, outbox, committed.token)
        epoch = max(cursor.epoch, committed.epoch) + 1 if reconcile else cursor.epoch
        commit = Commit(
            partition=number,
            expected=cursor.token,
            token=new_token(),
            published=committed.token if remembered else "",
            trim=published,
            cursor={"epoch": epoch, "reconcile": int(reconcile)},
        )
        if cursor.policy != policy:
            commit.cursor["policy"] = policy
            commit.timers = [(subject, 0) for subject in store.indexed(number)] if cursor.policy else []
        if store.commit([commit])[0] is None:
            partition = Partition(
                number=number,
                token=commit.token,
                epoch=epoch,
                reconcile=reconcile,
                offsets=dict(cursor.offsets),
                known={topic: offset for topic, offset in committed.offsets.items() if offset > 0},
                rejected_runs=dict(cursor.held),
            )
            return Attached(partition, outbox[published:])
    raise FencedError(f"partition {number} is still being committed to by another process")
