"""Checking a ledger file, line by line, with nothing but the file and the public keys."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from exchange.domain.ledger import CLASSIFIED, Entry, Head, Kind
from exchange.domain.ledger_check import ChainCheck, Fault, IsSigned
from exchange.domain.ledger_lines import Header, Line, end_line, heads_of, read_entry, read_header

COMPACTED = frozenset({Kind.NOTICE, Kind.STANDING_CHANGE})
"""Kinds whose topics Kafka compacts: their payloads may be gone when a file is made."""


class FileCheck:
    """Takes a file's lines in order.

    Args:
        is_signed: looks at checkpoints.
        known: heads kept elsewhere, by partition.
    """

    def __init__(self, is_signed: IsSigned, known: Mapping[int, Head]) -> None:
        self.header = Header("", "", (), payloads=False)
        self.payloads = 0
        self.gone = 0
        self.chains: dict[int, ChainCheck] = {}
        self._is_signed = is_signed
        self._known = known
        self._current: ChainCheck | None = None
        self._first = b""
        self._ended = False

    @property
    def kinds(self) -> Counter[Kind]:
        """Entries of each kind."""
        return sum((chain.kinds for chain in self.chains.values()), Counter())

    def check(self, lines: Iterable[bytes]) -> Iterator[Fault]:
        """Everything that is wrong, as it is found.

        Args:
            lines: of the file, each with its line feed.
        """
        number = 0
        for number, raw in enumerate(lines, 1):
            yield from self._take(number, raw)
        if not self._ended:
            sequence = self._current.head.sequence if self._current else 0
            partition = self._current.partition if self._current else 0
            yield Fault("truncated", number, partition, sequence, "the file has no last line: its end was cut off")
        for chain in self.chains.values():
            yield from chain.finish(line=number)
        for partition in sorted(self._known.keys() - self.chains.keys()):
            yield Fault("truncated", number, partition, 0, "the known head's partition is not in the file")

    def _take(self, number: int, raw: bytes) -> Iterator[Fault]:
        if number == 1:
            yield from self._begin(raw)
            return
        if self._ended:
            yield Fault("after_the_end", number, 0, 0, "nothing follows the last line")
            return
        heads = heads_of(raw)
        if heads is not None:
            self._ended = True
            yield from self._end(number, raw, heads)
            return
        try:
            line = read_entry(raw, payloads=self.header.payloads)
        except ValueError as error:
            partition, sequence = 0, 0
            if self._current:
                self._current.skip()
                partition, sequence = self._current.partition, self._current.head.sequence
            yield Fault("unreadable", number, partition, sequence, str(error)[:120])
            return
        yield from self._entry(number, line)

    def _begin(self, raw: bytes) -> Iterator[Fault]:
        self._first = raw
        try:
            self.header = read_header(raw)
        except ValueError as error:
            yield Fault("unreadable", 1, 0, 0, str(error)[:120])
        for number in self.header.partitions:
            self.chains[number] = ChainCheck(
                self.header.bus, self.header.topic, number, self._is_signed, self._known.get(number)
            )
        self._current = next(iter(self.chains.values()), None)

    def _entry(self, number: int, line: Line) -> Iterator[Fault]:
        entry = line.entry
        chain = self._current
        if chain is None or (entry.partition != chain.partition and entry.sequence == 1):
            chain = self.chains.get(entry.partition)
            if chain is None or chain.kinds:
                what = "the first line does not name its partition, or its chain has ended before"
                yield Fault("other_partition", number, entry.partition, entry.sequence, what)
                return
            self._current = chain
        yield from chain.take(entry, line.hash, line=number)
        if self.header.payloads and entry.kind is not Kind.CHECKPOINT:
            yield from self._payload(number, line)

    def _payload(self, number: int, line: Line) -> Iterator[Fault]:
        entry = line.entry

        def fault(code: str, what: str) -> Fault:
            return Fault(code, number, entry.partition, entry.sequence, what)

        if line.payload is None or line.key is None:
            self.gone += 1
            if not may_be_gone(entry) or line.payload is not line.key:
                yield fault("payload_missing", f"{entry.topic} keeps its messages for ever")
            return
        self.payloads += 1
        if hashlib.sha256(line.payload).digest() != entry.payload_digest:
            yield fault("payload_changed", "the payload is not the one whose digest was entered")
        if hashlib.sha256(line.key).digest() != entry.key_digest:
            yield fault("key_changed", "the key is not the one whose digest was entered")

    def _end(self, number: int, raw: bytes, heads: Mapping[int, Head]) -> Iterator[Fault]:
        if not raw.startswith(b'{"end":"' + hashlib.sha256(self._first).hexdigest().encode()):
            yield Fault("first_line_changed", 1, 0, 0, "it is not the line whose digest is in the last line")
        found = {chain.partition: chain.head for chain in self.chains.values()}
        for partition in sorted(found.keys() | heads.keys()):
            stated, seen = heads.get(partition), found.get(partition)
            if stated != seen:
                at = seen.sequence if seen else 0
                what = (
                    f"the last line says that it ends at {stated.sequence if stated else 'nowhere'}, with another hash"
                )
                yield Fault("other_end", number, partition, at, what)
        if raw != end_line(self._first, found, self.payloads):
            yield Fault("last_line_changed", number, 0, 0, "it is not what follows from the lines before")


def may_be_gone(entry: Entry) -> bool:
    """Whether a file with payloads may lack this entry's: of classified records they are withheld, compacted ones are gone."""
    return entry.kind in COMPACTED or entry.record_type == CLASSIFIED
