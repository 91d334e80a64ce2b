"""Intake: messages of the bus become rows of the archive, by the rules of the standing processor and the day they came."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pyarrow as pa

from consumers.standing.consumed import Consumed
from consumers.standing.decode import Decoder
from exchange.archive_rows import Row, RowMaker
from exchange.archive_tables import NOTICE, REJECTION, STANDING_CHANGE
from exchange.codec import Codec
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, day_of
from exchange.domain.record import make
from exchange.errors import FatalError, Reason, UndecodableError
from exchange.kafka_places import Place
from exchange.topics import Topics


def sources(topics: Topics, departments: Iterable[str]) -> dict[str, str]:
    """The topics that are archived, each with the department whose it is; nobody's is the topic of standing changes."""
    found = {topics.standing: ""}
    for slug in departments:
        found |= {topics.into(slug): slug, topics.out_of(slug): slug, topics.rejected_of(slug): slug}
    return found


@dataclass(slots=True)
class Gathered:
    """What is to be committed together: pieces of each table, and for each place what of it was read.

    Attributes:
        pieces: rows by table, in the order in which they came.
        begins: the first offset of each place.
        offsets: the next offset of each place, one past the last.
        archived: messages of each place that became rows.
        refused: messages of each place that did not.
        refused_at: topic, partition and offset of each of them.
        reasons: (department, reason) of these.
        rows: of all pieces.
    """

    pieces: defaultdict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    begins: dict[Place, int] = field(default_factory=dict)
    offsets: dict[Place, int] = field(default_factory=dict)
    archived: Counter[Place] = field(default_factory=Counter)
    refused: Counter[Place] = field(default_factory=Counter)
    refused_at: list[tuple[str, int, int]] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: int = 0

    @property
    def messages(self) -> int:
        """How many were read."""
        return self.archived.total() + self.refused.total()


class ArchiveIntake:
    """Turns messages into rows.

    Args:
        decoder: judges departments' records.
        codec: of the schemas.
        topics, departments: of the bus.
        makers: of each table's rows.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        decoder: Decoder,
        codec: Codec,
        topics: Topics,
        departments: Iterable[str],
        makers: Mapping[str, RowMaker],
        now: Callable[[], int],
    ) -> None:
        self.accept = decoder.accept
        self.examine = decoder.examine
        self._decode = codec.decode_plain
        self._makers = makers
        self._now = now
        self.sources = sources(topics, departments)
        self._made_by_bus = {topics.standing: STANDING_CHANGE}
        for slug in departments:
            self._made_by_bus |= {topics.out_of(slug): NOTICE, topics.rejected_of(slug): REJECTION}

    def take(self, messages: Iterable[Consumed], gathered: Gathered) -> None:
        """Add a batch to what is gathered; messages of one place come in the order of their offsets.

        Columns are made at once, while the records are still in the processor's caches.
        """
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        now = self._now()
        made_by_bus, accept, examine = self._made_by_bus, self.accept, self.examine
        today, midnight = 0, 0
        run = _Run(gathered)
        for message in messages:
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            # A broker's clock that is ahead does not count; what was judged on a day is judged so when it is read again.
            arrived_at = message.timestamp()[1]
            if arrived_at > now:
                arrived_at = now
            if not midnight <= arrived_at < midnight + DAY_MS:
                today = day_of(arrived_at)
                midnight = today * DAY_MS - CHINA_OFFSET_MS
            if partition != run.partition or topic != run.topic:
                run.begin(topic, partition, offset)
            raw = message.value() or b""
            reasons: tuple[Reason, ...] = ()
            if topic in made_by_bus:
                record_type, values = self._read(message, topic, raw)
            elif (found := accept(message, raw, topic, today)) is not None:
                record_type, values = found
            else:
                record_type, value, reasons = examine(message, raw, topic, today)
                values = tuple(value.values())
            run.next = offset + 1
            if reasons:
                run.refuse(offset, self.sources[topic], reasons)
            elif record_type:
                run.archived += 1
                rows[record_type].append(make(Row, (topic, partition, offset, arrived_at, today, crc32(raw), values)))
        run.end()
        for table, some in rows.items():
            gathered.pieces[table].append(self._makers[table].make(some))
            gathered.rows += len(some)

    def _read(self, message: Consumed, topic: str, raw: bytes) -> tuple[str, tuple[Any, ...]]:
        """What the bus itself says; no record type for what is no row."""
        if not raw:
            return "", ()  # a tombstone: what was said before is archived
        expected = self._made_by_bus[topic]
        try:
            record_type, value = self._decode(raw)
        except UndecodableError as error:
            record_type, value, why = "", {}, str(error)
        else:
            why = f"a {record_type}"
        if record_type != expected:
            raise FatalError(
                f"{topic} [{message.partition()}] at {message.offset()}: {why}, not a {expected}",
                remedy="only processors may write it: check the ACLs",
            )
        if expected == REJECTION:  # what was wrong may be a citizen ID in clear, like the bytes that are left out
            value["reasons"] = [reason | {"value": ""} for reason in value["reasons"]]
        return record_type, tuple(value.values())


class _Run:
    """Messages of one place in a row, whose counts are added at its end."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self.topic, self.partition, self.next, self.archived = "", -1, 0, 0

    def begin(self, topic: str, partition: int, offset: int) -> None:
        self.end()
        self.topic, self.partition, self.archived = topic, partition, 0
        self._gathered.begins.setdefault((topic, partition), offset)

    def refuse(self, offset: int, department: str, reasons: Iterable[Reason]) -> None:
        gathered = self._gathered
        gathered.refused[self.topic, self.partition] += 1
        gathered.refused_at.append((self.topic, self.partition, offset))
        gathered.reasons.update((department, reason.code) for reason in reasons)

    def end(self) -> None:
        if self.partition >= 0:
            place = (self.topic, self.partition)
            self._gathered.offsets[place] = self.next
            self._gathered.archived[place] += self.archived
