"""Intake: batches of departments' messages become counts of windows, by the rules of the standing processor.

What follows from a batch is written in stages: subjects, then documents, then windows. A document says that it has come, so what its
subject has of it must be known by then: else, after a crash, a registration that comes again before it would not find it waiting. A window says
up to which message it is made, so both must be known by then.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from consumers.early_warning.series import Observed, Series
from consumers.early_warning.sightings import Enrolment, Looker, Sighting, enrolment
from consumers.early_warning.spans import WIDTHS, is_too_late, spans_of
from consumers.early_warning.state import (
    UNSETTLED,
    UNWANTED,
    Change,
    Document,
    Entry,
    Subject,
    Tables,
    Waiting,
    encode,
    read_document,
    read_entry,
    read_subject,
)
from consumers.standing.acceptance import unowned
from consumers.standing.consumed import Consumed
from consumers.standing.decode import Arrival, Decoded, Decoder, count_reasons
from exchange.domain.calendar import day_of

MAX_WAITING = 64
"""Records of one subject that wait for its registration, at most; later ones count without it."""
Window = tuple[int, str, int]
"""Width, series, start."""


@dataclass(slots=True)
class Taken:
    """What a batch brought: records counted and known already by signal, reasons of those rejected, and how many came again.

    By partition: the windows that changed, and what was accepted with its time. By name: stages, what is to be written in their order.
    """

    counted: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    again: int = 0
    changed: dict[int, set[Window]] = field(default_factory=dict)
    arrivals: dict[int, list[tuple[int, Arrival]]] = field(default_factory=dict)
    stages: dict[str, list[Change]] = field(default_factory=lambda: {"subjects": [], "documents": [], "windows": []})


@dataclass(slots=True)
class _Batch:
    """What one partition's part of a batch has loaded and not written yet."""

    number: int
    entries: dict[Window, Entry] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)


class Intake:
    """Counts.

    Args:
        decoder: decodes and validates, never holding a topic.
        looker: sees what counts.
        tables: where counts are kept.
        departments: by topic.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(
        self, decoder: Decoder, looker: Looker, tables: Tables, departments: Mapping[str, str], now: Callable[[], int]
    ) -> None:
        self._decoder = decoder
        self._looker = looker
        self._tables = tables
        self._departments = departments
        self._now = now
        self._by_width = dict(zip(WIDTHS, (tables.days, tables.weeks), strict=True))

    def take(self, messages: Iterable[Consumed]) -> Taken:
        """Count what a batch brings; nothing is written yet."""
        taken = Taken()
        times: dict[tuple[str, int, int], int] = {}
        by_day: dict[int, list[Consumed]] = {}
        now = self._now()
        for message in messages:
            at = min(now, message.timestamp()[1])
            times[message.topic(), message.partition(), message.offset()] = at
            by_day.setdefault(day_of(at), []).append(message)
        arrivals: dict[int, list[Arrival]] = {}
        for today, of_day in by_day.items():
            for number, decoded in self._decoder.decode(of_day, unowned, today).items():
                taken.rejected += count_reasons(decoded.rejected)
                arrivals.setdefault(number, []).extend(_first_facts(decoded))
        for number, of_partition in arrivals.items():
            batch = _Batch(number)
            taken.arrivals[number] = _in_order(of_partition, times, number)
            for at, arrival in taken.arrivals[number]:
                self._look_at(batch, arrival, at, taken)
            self._stage(batch, taken)
            taken.changed[number] = set(batch.entries)
        return taken

    def _look_at(self, batch: _Batch, arrival: Arrival, at: int, taken: Taken) -> None:
        department = self._departments[arrival.topic]
        if arrival.record_type == "registration":
            found = enrolment(arrival.value)
            if found.industry or found.region:
                self._enrol(batch, arrival.subject, found, at, department, arrival.offset)
            return
        sighting = self._looker.sighting(arrival.record_type, arrival.value)
        if sighting is None:
            return
        key = f"{arrival.subject} {arrival.record_type}/{department}/{arrival.value['document']}"
        first = batch.documents.get(key) or read_document(self._tables.documents.get(batch.number, key))
        if first is not None and first.offset != arrival.offset:
            taken.known[sighting.signal] += 1
            return
        first = batch.documents[key] = first or self._first(batch, arrival, at, key, sighting)
        by_registration = Enrolment(first.industry, first.region).series(sighting.signal)
        observed = Observed(key, at, sighting.series() + by_registration)
        if not arrival.subject.startswith("person:"):
            self._wait(batch, arrival.subject, observed, sighting, first)
        if self._count(batch, [(at, one) for one in observed.series], department, arrival.offset):
            taken.counted[sighting.signal] += 1
        else:
            taken.again += 1

    def _first(self, batch: _Batch, arrival: Arrival, at: int, key: str, sighting: Sighting) -> Document:
        """A record at its first arrival; one that waits for its registration has come before, though that was lost."""
        known = self._subject(batch, arrival.subject)
        waits = next((one for one in known.waiting if one.key == key), None)
        industry = known.industry if waits is None or waits.industry == UNWANTED else ""
        region = known.region if waits is None or waits.region == UNWANTED else ""
        if is_too_late(at, known.industry_since):  # departments' topics are not read at the same pace
            industry = ""
        if is_too_late(at, known.region_since):
            region = ""
        return Document(arrival.offset, industry, "" if sighting.region else region)

    def _wait(self, batch: _Batch, subject: str, observed: Observed, sighting: Sighting, first: Document) -> None:
        """Let a record wait for its subject's registration, if it lacks anything of it."""
        industry = UNWANTED if first.industry else UNSETTLED
        region = UNWANTED if first.region or sighting.region else UNSETTLED
        if UNSETTLED not in (industry, region):
            return
        known = self._subject(batch, subject)
        if all(one.key != observed.key for one in known.waiting):
            known.waiting.append(Waiting(observed.key, sighting.signal, observed.at, industry, region))
            del known.waiting[:-MAX_WAITING]
        batch.touched.add(subject)

    def _enrol(self, batch: _Batch, subject: str, found: Enrolment, at: int, department: str, offset: int) -> None:
        """Keep what a registration says, and count with it what waits for it."""
        known = self._subject(batch, subject)
        known.industry, known.region = found.industry or known.industry, found.region or known.region
        known.industry_since = known.industry_since or (at if found.industry else 0)
        known.region_since = known.region_since or (at if found.region else 0)
        counts: list[tuple[int, Series]] = []
        for one in known.waiting:
            industry = found.industry if one.industry in (UNSETTLED, offset) else ""
            region = found.region if one.region in (UNSETTLED, offset) else ""
            if not is_too_late(one.at, at):
                counts += [(one.at, series) for series in Enrolment(industry, region).series(one.signal)]
            one.industry, one.region = offset if industry else one.industry, offset if region else one.region
        batch.touched.add(subject)
        self._count(batch, counts, department, offset)

    def _count(self, batch: _Batch, counts: list[tuple[int, Series]], department: str, offset: int) -> bool:
        """Count what one message brings in all its windows; whether any lacked it."""
        numbers = Counter((width, series.id, start) for at, series in counts for start, width in spans_of(at))
        lacked = [self._entry(batch, window).add(department, offset, number) for window, number in numbers.items()]
        return any(lacked)

    def _entry(self, batch: _Batch, window: Window) -> Entry:
        found = batch.entries.get(window)
        if found is None:
            width, series, start = window
            found = batch.entries[window] = read_entry(self._by_width[width].get(batch.number, (series, start)))
        return found

    def _subject(self, batch: _Batch, subject: str) -> Subject:
        found = batch.subjects.get(subject)
        if found is None:
            found = batch.subjects[subject] = read_subject(self._tables.subjects.get(batch.number, subject))
        return found

    def _stage(self, batch: _Batch, taken: Taken) -> None:
        """Also what did not change: a changelog may lack what its table has, and so gets it again."""
        number, tables = batch.number, self._tables
        taken.stages["subjects"] += [
            Change(tables.subjects, number, one, encode(batch.subjects[one])) for one in batch.touched
        ]
        taken.stages["documents"] += [
            Change(tables.documents, number, key, encode(one)) for key, one in batch.documents.items()
        ]
        taken.stages["windows"] += [
            Change(self._by_width[width], number, (series, start), encode(entry))
            for (width, series, start), entry in batch.entries.items()
        ]


def _first_facts(decoded: Decoded) -> Iterable[Arrival]:
    """Each record once: a registration brings further facts."""
    before = ("", -1)
    for arrival in decoded.arrivals:
        if (arrival.topic, arrival.offset) != before:
            yield arrival
        before = (arrival.topic, arrival.offset)


def _in_order(
    arrivals: Iterable[Arrival], times: dict[tuple[str, int, int], int], number: int
) -> list[tuple[int, Arrival]]:
    """By time across departments, and as they lie in the topic for each: offsets must rise, whatever a publisher's clock does."""
    latest: dict[str, int] = {}
    sortable = []
    for arrival in sorted(arrivals, key=lambda one: (one.topic, one.offset)):
        at = times[arrival.topic, number, arrival.offset]
        latest[arrival.topic] = max(at, latest.get(arrival.topic, 0))
        sortable.append((latest[arrival.topic], arrival.topic, arrival.offset, at, arrival))
    sortable.sort(key=lambda one: one[:3])
    return [(at, arrival) for *_, at, arrival in sortable]


def is_over(window: Window, closed_until: int) -> bool:
    """Whether a window ends by a time."""
    width, _, start = window
    return start + width <= closed_until
