"""Checking a chain: every entry as it was, in its place, none missing, and the checkpoints signed by whom we trust."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from exchange.domain.ledger import NO_OFFSET, Entry, Head, Kind, entry_hash, genesis, statement

IsSigned = Callable[[bytes, bytes], bool]
"""Whether a signature of a statement was made by a key that is trusted."""


class Fault(NamedTuple):
    """One thing wrong: a stable code, where (line of the file or 0, partition, sequence or 0), and what in words."""

    code: str
    line: int
    partition: int
    sequence: int
    what: str

    def text(self) -> str:
        """The fault in one line."""
        line = f"line {self.line}, " if self.line else ""
        return f"{line}partition {self.partition}, sequence {self.sequence} [{self.code}] {self.what}"


class ChainCheck:
    """Takes one partition's entries in order and tells what is wrong.

    Args:
        bus: topic prefix.
        topic: the ledger's.
        partition: of the chain.
        is_signed: looks at checkpoints.
        head: an end of the chain that is known from elsewhere; it must be there.
    """

    def __init__(self, bus: str, topic: str, partition: int, is_signed: IsSigned, head: Head | None = None) -> None:
        self.partition = partition
        self.kinds: Counter[Kind] = Counter()
        self.head = genesis(bus, partition)
        self.signed_to = 0
        self._bus = bus
        self._topic = topic
        self._is_signed = is_signed
        self._known = head
        self._expected: set[bytes] | None = {self.head.hash}
        self._offsets: dict[str, int] = {}

    @property
    def unsigned(self) -> int:
        """Entries after the last checkpoint: only a head kept elsewhere proves that none of them was cut off."""
        return self.head.sequence - self.signed_to

    def skip(self) -> None:
        """An entry could not be read; the next one is taken on trust of its `previous`."""
        self.head = Head(self.head.sequence + 1, b"")
        self._expected = None

    def take(self, entry: Entry, claimed: bytes | None = None, *, line: int = 0) -> Iterator[Fault]:
        """What is wrong with the next entry.

        Args:
            entry: as read.
            claimed: the hash beside it, if any.
            line: of the file.
        """

        def fault(code: str, what: str) -> Fault:
            return Fault(code, line, self.partition, entry.sequence, what)

        found = entry_hash(entry)
        whole = claimed is None or claimed == found
        if not whole:
            yield fault("entry_changed", "its hash is not the hash of its fields")
        if entry.partition != self.partition:
            yield fault("other_partition", f"belongs to partition {entry.partition}")
        if entry.sequence != self.head.sequence + 1:
            yield fault("out_of_sequence", f"comes after {self.head.sequence}: entries are missing, added or moved")
        if self._expected is not None and entry.previous not in self._expected:
            yield fault("chain_broken", "does not continue the entry before it")
        if entry.kind is Kind.CHECKPOINT:
            yield from self._checkpoint(entry, fault)
        elif entry.offset <= self._offsets.get(entry.topic, NO_OFFSET):
            yield fault("offset_repeated", f"{entry.topic} is already past offset {entry.offset}")
        self._offsets[entry.topic] = entry.offset
        if self._known is not None and entry.sequence == self._known.sequence and found != self._known.hash:
            yield fault("other_head", f"is not the known head {self._known.hash.hex()}")
        self.kinds[entry.kind] += 1
        self.head = Head(entry.sequence, found)
        # After a changed entry the next one tells whether the fields or the hash beside them were touched.
        self._expected = {found} if claimed is None or whole else {found, claimed}

    def _checkpoint(self, entry: Entry, fault: Callable[[str, str], Fault]) -> Iterator[Fault]:
        if entry.topic != self._topic or entry.offset != NO_OFFSET:
            yield fault("bad_checkpoint", f"is not a checkpoint of {self._topic}")
        signed = Head(entry.sequence - 1, entry.previous)
        if self._is_signed(statement(self._bus, self.partition, signed, entry.written_at), entry.signature):
            self.signed_to = entry.sequence
        else:
            yield fault("bad_signature", f"no given key has signed it (it says key {entry.key_id!r})")

    def finish(self, *, line: int = 0) -> Iterator[Fault]:
        """What is wrong with the end: a known head that was never reached."""
        if self._known is not None and self.head.sequence < self._known.sequence:
            what = f"ends before the known head {self._known.sequence}: the end was cut off"
            yield Fault("truncated", line, self.partition, self.head.sequence, what)
