"""Recount: every window counted again from what departments published, with nothing of the workers' state, and compared with theirs.

What a worker has lost or counted twice is a difference here. Only the rules are shared (what is accepted, what counts, and when); Faust,
its tables and their restarts are not. Here it is from the topics; `archived.py` recounts from the archive's tables.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from confluent_kafka import Consumer

from consumers.early_warning.intake import Window
from consumers.early_warning.series import Series
from consumers.early_warning.sightings import Enrolment, Looker, Sighting, enrolment
from consumers.early_warning.spans import is_too_late, spans_of
from consumers.standing.acceptance import unowned
from consumers.standing.consumed import Consumed
from consumers.standing.decode import Decoder
from consumers.standing.reading import read_places
from exchange.codec import Codec
from exchange.domain.calendar import day_of
from exchange.kafka_places import Place, watermarks

BATCH = 5000
EXAMPLES = 20


class First(NamedTuple):
    """A record at its first arrival: its offset, what it counts as, and when it came."""

    offset: int
    sighting: Sighting
    at: int


@dataclass(slots=True)
class Province:
    """What departments have published, as far as it counts.

    Attributes:
        first: records by subject, `record_type/department` and document.
        registrations: when each came and what it says, by subject.
    """

    first: dict[tuple[str, str, str], First] = field(default_factory=dict)
    registrations: dict[str, list[tuple[int, Enrolment]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How the workers' counts differ from the recount.

    Attributes:
        windows: compared.
        records: counted anew.
        closed_until: windows that end by then were compared, milliseconds since 1970-01-01 UTC; 0 when none is published.
        missing: windows that no worker has published.
        too_low: windows of which they published less.
        too_high: windows of which they published more.
        unfounded: windows that they published and in which there is nothing.
        examples: some of each.
        source: what was counted, `archive` or `topics`.
        unarchived: messages that the archive had not taken in yet and were read from the topics.
    """

    windows: int
    records: int
    closed_until: int
    missing: int
    too_low: int
    too_high: int
    unfounded: int
    examples: tuple[str, ...]
    source: str = "topics"
    unarchived: int = 0

    @property
    def total(self) -> int:
        """Windows that differ."""
        return self.missing + self.too_low + self.too_high + self.unfounded

    def by_kind(self) -> dict[str, int]:
        """How many of each kind."""
        return {kind: asdict(self)[kind] for kind in KINDS}


KINDS = ("missing", "too_low", "too_high", "unfounded")


class Recount:
    """Counts anew.

    Args:
        decoder: decodes and validates, never holding a topic.
        looker: sees what counts.
        departments: by topic.
        now: milliseconds since 1970-01-01 UTC; a publisher's clock that is ahead does not count.
    """

    def __init__(
        self, decoder: Decoder, looker: Looker, departments: Mapping[str, str], now: Callable[[], int]
    ) -> None:
        self._decoder = decoder
        self._looker = looker
        self._departments = departments
        self._now = now

    def count(self, messages: Iterable[Consumed]) -> tuple[Counter[Window], int]:
        """Windows with their counts, and how many records they are of.

        Args:
            messages: of departments' topics, each partition in order.
        """
        province = self.look(messages)
        windows: Counter[Window] = Counter()
        for (subject, *_), first in province.first.items():
            for series in _series_of(subject, first, province.registrations.get(subject, ())):
                windows.update((width, series.id, start) for start, width in spans_of(first.at))
        return windows, len(province.first)

    def look(self, messages: Iterable[Consumed]) -> Province:
        """What counts of messages, each partition in order."""
        province = Province()
        for batch in _batches(messages):
            self._look_at(batch, province)
        return province

    def _look_at(self, batch: Sequence[Consumed], province: Province) -> None:
        now, times, by_day = self._now(), {}, dict[int, list[Consumed]]()
        for message in batch:
            at = min(now, message.timestamp()[1])
            times[message.topic(), message.partition(), message.offset()] = at
            by_day.setdefault(day_of(at), []).append(message)
        for today, of_day in by_day.items():
            for number, decoded in self._decoder.decode(of_day, unowned, today).items():
                for one in decoded.arrivals:
                    at, department = times[one.topic, number, one.offset], self._departments[one.topic]
                    if one.record_type == "registration":
                        found = enrolment(one.value)
                        if found.industry or found.region:
                            province.registrations.setdefault(one.subject, []).append((at, found))
                    elif sighting := self._looker.sighting(one.record_type, one.value):
                        key = (one.subject, f"{one.record_type}/{department}", one.value["document"])
                        before = province.first.get(key)
                        if before is None or one.offset < before.offset:
                            province.first[key] = First(one.offset, sighting, at)


def _series_of(subject: str, seen: First, registrations: Iterable[tuple[int, Enrolment]]) -> tuple[Series, ...]:
    """Every series of a record: its registration is the newest that had come by then, or else the first that came after in time."""
    if subject.startswith("person:"):
        return seen.sighting.series()
    by_time = sorted(registrations, key=lambda one: one[0])
    place = bisect_right([at for at, _ in by_time], seen.at)
    before, after = by_time[:place][::-1], [one for one in by_time[place:] if not is_too_late(seen.at, one[0])]
    industry = next((one.industry for _, one in (*before, *after) if one.industry), "")
    region = "" if seen.sighting.region else next((one.region for _, one in (*before, *after) if one.region), "")
    return seen.sighting.series() + Enrolment(industry, region).series(seen.sighting.signal)


def compare(
    counted: Mapping[Window, int],
    records: int,
    published: Mapping[Window, int],
    *,
    source: str = "topics",
    unarchived: int = 0,
) -> Difference:
    """The workers' windows against the recount, as far as the workers have closed them."""
    closed_until = max((start + width for width, _, start in published), default=0)
    expected = {one: count for one, count in counted.items() if one[0] + one[2] <= closed_until}
    kinds: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for window in sorted(expected.keys() | published.keys()):
        right, theirs = expected.get(window, 0), published.get(window)
        if theirs == right or (theirs is None and right == 0):
            continue
        kind = (
            "missing" if theirs is None else "unfounded" if not right else "too_low" if theirs < right else "too_high"
        )
        width, series, start = window
        kinds[kind].append(f"{kind} {series} width={width} start={start} published={theirs} recounted={right}")
    return Difference(
        windows=len(expected.keys() | published.keys()),
        records=records,
        closed_until=closed_until,
        examples=tuple(one for lines in kinds.values() for one in lines[:EXAMPLES]),
        source=source,
        unarchived=unarchived,
        **{kind: len(lines) for kind, lines in kinds.items()},
    )


def read_published(reader: Consumer, topic: str, partitions: int, codec: Codec) -> dict[Window, int]:
    """The newest count of each window that the workers have published.

    Raises:
        RetryLaterError: Kafka is away.
    """
    places = watermarks(reader, [(topic, number) for number in range(partitions)])
    found: dict[Window, int] = {}
    for message in read_places(reader, places):
        _, value = codec.decode_plain(message.value() or b"")
        found[value["width"], value["series"], value["start"]] = value["count"]
    return found


def read_inputs(reader: Consumer, places: Sequence[Place]) -> Iterator[Consumed]:
    """Everything that departments have published until now.

    Raises:
        RetryLaterError: Kafka is away.
    """
    yield from read_places(reader, watermarks(reader, places))


def _batches(messages: Iterable[Consumed]) -> Iterator[list[Consumed]]:
    batch: list[Consumed] = []
    for message in messages:
        batch.append(message)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
