"""A chain as its writer grows it: places are given to drafts, and checkpoints are put in when they are due."""

from collections.abc import Callable

from exchange.domain.ledger import NO_OFFSET, Draft, Entry, Head, Kind, entry_hash, statement

Sign = Callable[[bytes], bytes]
"""Signs a statement with the newest key."""


class Chain:
    """The end of one partition's chain.

    Args:
        bus: topic prefix.
        topic: the ledger's.
        partition: of the chain.
        head: where it ends now.
        signed: whether it ends with a checkpoint.
    """

    def __init__(self, bus: str, topic: str, partition: int, head: Head, *, signed: bool) -> None:
        self.head = head
        self._bus = bus
        self._topic = topic
        self._partition = partition
        self._unsigned = 0 if signed else head.sequence
        self._unsigned_since: int | None = None if self._unsigned == 0 else 0

    def append(self, draft: Draft, *, now: int) -> Entry:
        """The draft's entry, at the end of the chain.

        Args:
            draft: of this partition.
            now: milliseconds since 1970-01-01 UTC.
        """
        entry = Entry(self.head.sequence + 1, self.head.hash, *draft)
        self._unsigned += 1
        if self._unsigned_since is None:
            self._unsigned_since = now
        self.head = Head(entry.sequence, entry_hash(entry))
        return entry

    def is_due(self, *, entries: int, after_ms: int, now: int) -> bool:
        """Whether a checkpoint is due: so many entries are unsigned, or the oldest of them for so long.

        A chain taken over with an unsigned end is due at once: nobody knows for how long.
        """
        if self._unsigned_since is None:
            return False
        return self._unsigned >= entries or now - self._unsigned_since >= after_ms

    def checkpoint(self, sign: Sign, key_id: str, *, now: int) -> Entry:
        """A signed checkpoint over everything before it, at the end of the chain."""
        signature = sign(statement(self._bus, self._partition, self.head, now))
        draft = Draft(Kind.CHECKPOINT, self._topic, self._partition, NO_OFFSET, now, "", "", "", "", "", b"", b"")
        entry = Entry(self.head.sequence + 1, self.head.hash, *draft, key_id, signature)
        self.head = Head(entry.sequence, entry_hash(entry))
        self._unsigned, self._unsigned_since = 0, None
        return entry

    def unsigned_for(self, *, now: int) -> float:
        """Seconds since the oldest unsigned entry was appended; 0 when everything is signed."""
        return 0.0 if not self._unsigned_since else max(0.0, (now - self._unsigned_since) / 1000)
