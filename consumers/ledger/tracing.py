"""Tracing a notice through the live ledger, the chain checked on the way."""

from collections.abc import Callable, Iterator
from contextlib import closing

from consumers.ledger.export import lines_of
from consumers.ledger.run import LedgerParts
from consumers.standing.reading import read_places
from exchange.domain.ledger import Entry, Kind
from exchange.domain.ledger_check import ChainCheck, Fault, IsSigned
from exchange.domain.ledger_trace import Trace, trace
from exchange.errors import RequestError
from exchange.kafka_places import watermarks
from exchange.partitioner import partition_of


class Chain:
    """The chain that a notice stands in.

    Args:
        parts: of the bus.
        is_signed: looks at checkpoints.
        progress: told how many more entries were read.
    """

    def __init__(self, parts: LedgerParts, is_signed: IsSigned, progress: Callable[[int], None]) -> None:
        self.partition = 0
        self.faults: list[Fault] = []
        self._parts = parts
        self._is_signed = is_signed
        self._progress = progress

    def trace(self, notice_id: str, subject: str = "") -> Trace:
        """The proof of a notice; what is wrong with the chain is in `faults`.

        Args:
            notice_id: of the notice.
            subject: whom it is about; where it is not given the chains are gone through for it.

        Raises:
            RequestError: `unknown_notice`.
            RetryLaterError: Kafka is away.
        """
        subject = subject or self._subject_of(notice_id)
        self.partition = partition_of(subject, self._parts.settings.partitions)
        found = trace(self._checked(), notice_id, subject, self._is_same)
        if found.notice is None:
            raise _unknown(notice_id)
        return found

    def _subject_of(self, notice_id: str) -> str:
        for number in range(self._parts.settings.partitions):
            for line in lines_of(self._parts, number, payloads=False):
                self._progress(1)
                if line.entry.kind is Kind.NOTICE and line.entry.document == notice_id:
                    return line.entry.subject
        raise _unknown(notice_id)

    def _is_same(self, notice: Entry, feedback: Entry) -> bool:
        """Whether both messages name the same epoch and number; False also where the notice was compacted away."""
        named = [self._named(one) for one in (notice, feedback)]
        return named[0] is not None and named[0] == named[1]

    def _named(self, entry: Entry) -> tuple[int, int] | None:
        place = (entry.topic, entry.partition)
        with closing(self._parts.reader()) as reader:
            begin, end = watermarks(reader, [place])[place]
            if not begin <= entry.offset < end:
                return None
            for message in read_places(reader, {place: (entry.offset, entry.offset + 1)}):
                if message.offset() == entry.offset:
                    _, value = self._parts.codec.decode(message.value() or b"")
                    return int(value["epoch"]), int(value["n"])
        return None

    def _checked(self) -> Iterator[Entry]:
        parts = self._parts
        check = ChainCheck(parts.bus, parts.topics.ledger, self.partition, self._is_signed)
        for line in lines_of(parts, self.partition, payloads=False):
            self.faults += check.take(line.entry)
            self._progress(1)
            yield line.entry


def _unknown(notice_id: str) -> RequestError:
    return RequestError(
        f"the ledger has no notice {notice_id!r}, or not about this subject",
        code="unknown_notice",
        remedy="see `creditbus watch`; a notice is entered a moment after it was issued",
    )
