"""`creditbus verify`: recompute every standing and measure from the topics with the pure core, and compare.

It shares the decoding and the pure functions with the processor, and nothing of its batches, caches, commits and messages.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from itertools import islice
from typing import Any

from confluent_kafka import Consumer

from consumers.standing.consumed import Consumed
from consumers.standing.decode import Decoder, Rejected
from consumers.standing.partition import Partition, published_count
from consumers.standing.quarantine import Quarantine
from consumers.standing.reading import read_places
from consumers.standing.reconcile import ToldTable, remember
from consumers.standing.verdict import Verdict
from exchange.domain.calendar import day_of
from exchange.domain.handover import visible
from exchange.domain.judge import RuleBook
from exchange.domain.oracle import Truth, compute
from exchange.domain.policy import Policy
from exchange.domain.record import Entry, Fact
from exchange.domain.standing import EMPTY, Standing, Told
from exchange.kafka_places import Place, watermarks
from exchange.standing_store import Cursor, StandingStore, Wanted
from exchange.topics import Topics

MARKERS = 1000
"""So many last offsets of a place may all be markers of transactions; more are counted as messages."""


class Verifier:
    """Compares the topics with Redis and with what was told.

    Args:
        store: standings.
        decoder: as the processor's, without a limit.
        decode_plain: of wire bytes.
        new_reader: makes a read_committed consumer in no group that matters.
        committed_tokens: asks Kafka for each partition's commit token last published.
        topics: names of the bus's topics.
        departments: slugs of all departments.
        partitions: of every topic.
        policy: to judge by.
        today: days since 1970-01-01.
        progress: told the number of messages read since last told.
    """

    def __init__(
        self,
        *,
        store: StandingStore,
        decoder: Decoder,
        decode_plain: Callable[[bytes], tuple[str, dict[str, Any]]],
        new_reader: Callable[[], Consumer],
        committed_tokens: Callable[[], list[str]],
        topics: Topics,
        departments: list[str],
        partitions: int,
        policy: Policy,
        today: int,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._decoder = decoder
        self._decode_plain = decode_plain
        self._new_reader = new_reader
        self.committed_tokens = committed_tokens
        self._partitions = partitions
        self._topics = topics
        self._departments = departments
        self._today = today
        self._progress = progress
        self.truth: dict[str, Truth] = {}
        """What must be true of each subject, by the last `verify`."""
        self._book = lru_cache(maxsize=None)(lambda day: RuleBook(policy, day))

    def verify(self) -> Verdict:
        """Read everything and compare everything; memory grows with the number of records.

        Raises:
            RetryLaterError: Kafka or Redis is away.
        """
        verdict = Verdict()
        quarantine = self._read_quarantine()
        facts, rejected = self._decode_all(quarantine, verdict)
        verdict.records = sum(bool(fact.version.body) for _, fact in facts)
        verdict.rejected = len(rejected)
        standings: dict[str, Standing] = {}
        entries: dict[str, dict[str, Entry]] = {}
        for number in range(self._partitions):
            self._load(number, standings, entries)
        told = self._read_notices(verdict)
        truth = compute(facts, lambda subject: self._book(standings.get(subject, EMPTY).as_of or self._today))
        for subject in {**truth, **standings}:
            self._compare(subject, truth.get(subject), standings.get(subject, EMPTY), entries.get(subject, {}), verdict)
        self._compare_told(truth, told, verdict)
        self._compare_since(standings, told, verdict)
        quarantine.compare(rejected, verdict)
        verdict.subjects, verdict.standings = len(truth), len(standings)
        self.truth = truth
        return verdict

    def waiting(self) -> int:
        """How much is still under way: records not taken in, messages not published, subjects due."""
        places = self._places(self._topics.into)
        places += [(self._topics.internal, number) for number in range(self._partitions)]
        cursors = [self._store.cursor(number) for number in range(self._partitions)]
        with closing(self._new_reader()) as reader:
            waiting = count_behind(reader, watermarks(reader, places), cursors)
        waiting += sum(len(look.due) for look in self._store.look(range(self._partitions), self._today, 1))
        # In the direction of the flow: what moves on meanwhile is met again further down.
        outboxes = [self._store.outbox(number) for number in range(self._partitions)]
        cursors = [self._store.cursor(number) for number in range(self._partitions)]
        for cursor, outbox, published in zip(cursors, outboxes, self.committed_tokens(), strict=True):
            waiting += cursor.reconcile + len(outbox) - published_count(cursor, outbox, published)
        return waiting

    def _places(self, topic_of: Callable[[str], str]) -> list[Place]:
        return [(topic_of(department), n) for department in self._departments for n in range(self._partitions)]

    def _read(self, topic_of: Callable[[str], str]) -> Iterator[Consumed]:
        """Everything that is now in every department's topic of one kind."""
        with closing(self._new_reader()) as reader:
            for message in read_places(reader, watermarks(reader, self._places(topic_of))):
                self._progress(1)
                yield message

    def _decode_all(self, quarantine: Quarantine, verdict: Verdict) -> tuple[list[tuple[str, Fact]], list[Rejected]]:
        """Decode every department's records as far as Redis' cursors say they were taken in.

        A record in quarantine is judged by the day on which it was rejected: what lay in the future then may be past now.
        """
        cursors = [self._store.cursor(number) for number in range(self._partitions)]
        partitions = {
            number: Partition(number=number, token="", epoch=0, reconcile=False, offsets={}, known={})
            for number in range(self._partitions)
        }
        for number, cursor in enumerate(cursors):
            if cursor.reconcile:
                verdict.wrong("still_reconciling", f"partition {number}")
        facts: list[tuple[str, Fact]] = []
        rejected: list[Rejected] = []
        with closing(self._new_reader()) as reader:
            marks = watermarks(reader, self._places(self._topics.into))
            verdict.waiting = count_behind(reader, marks, cursors)
            places = {}
            for (topic, number), (begin, _) in marks.items():
                places[topic, number] = (begin, cursors[number].offsets.get(topic, 0))
            for messages in _batches(read_places(reader, places)):
                self._progress(len(messages))
                by_day: dict[int, list[Consumed]] = {}
                for message in messages:
                    found = quarantine.of(message)
                    by_day.setdefault(day_of(found[0]["received_at"]) if found else self._today, []).append(message)
                for today, of_day in by_day.items():
                    for decoded in self._decoder.decode(of_day, partitions.get, today).values():
                        facts += [(arrival.subject, arrival.fact) for arrival in decoded.arrivals]
                        rejected += decoded.rejected
        return facts, rejected

    def _load(self, number: int, standings: dict[str, Standing], entries: dict[str, dict[str, Entry]]) -> None:
        subjects = list(self._store.subjects(number))
        for begin in range(0, len(subjects), 1000):
            chunk = subjects[begin : begin + 1000]
            (loaded,) = self._store.load([Wanted(number, chunk, [])])
            standings.update({s: found for s, found in zip(chunk, loaded.standings, strict=True) if found is not None})
            entries.update(zip(chunk, self._store.entries_of(number, chunk), strict=True))

    def _read_notices(self, verdict: Verdict) -> ToldTable:
        """What every department was told, and whether anything was told twice."""
        told: ToldTable = {}
        seen: Counter[tuple[str, str, int, int]] = Counter()
        for message in self._read(self._topics.out_of):
            _, notice = self._decode_plain(message.value() or b"")
            seen[notice["department"], notice["subject"], notice["epoch"], notice["n"]] += 1
            remember(told, notice)
            if message.topic() != self._topics.out_of(notice["department"]):
                verdict.wrong("wrong_reader", f"{notice['id']} in {message.topic()}")
        verdict.notices = sum(seen.values())
        for sequence, count in seen.items():
            if count > 1:
                verdict.wrong("notice_doubled", f"{sequence} told {count} times")
        return told

    def _compare(
        self, subject: str, truth: Truth | None, standing: Standing, entries: dict[str, Entry], verdict: Verdict
    ) -> None:
        if truth is None:
            if standing.counts or any(told.measures for told in standing.told.values()):
                verdict.wrong("standing_from_nothing", subject)
            return
        verdict.measures += sum(len(measures) for measures in truth.judgement.measures.values())
        for name in ("counts", "delivered", "answers", "applications", "merged_into"):
            if getattr(standing, name) != getattr(truth.standing, name):
                what = f"{getattr(standing, name)} should be {getattr(truth.standing, name)}"
                verdict.wrong(name, f"{subject}: {what}")
        if set(standing.active) != set(truth.standing.active) - set(truth.judgement.expired):
            verdict.wrong("active", f"{subject}: {sorted(standing.active)} should be {sorted(truth.standing.active)}")
        held = {department: marks_of(told) for department, told in standing.told.items() if told.measures}
        if held != truth.marks():
            verdict.wrong("measures", f"{subject}: {held} should be {truth.marks()}")
        if standing.due and standing.due <= standing.as_of:
            verdict.wrong("timer", f"{subject}: due {standing.due} although judged on {standing.as_of}")
        for key, entry in truth.entries.items():
            if not key.startswith(("related/", "link/")) and _said(entries.get(key)) != _said(entry):
                verdict.wrong("entry", f"{subject} {key}")

    def _compare_told(self, truth: dict[str, Truth], told: ToldTable, verdict: Verdict) -> None:
        """What each department holds, by the highest sequence it was sent, against what must be in force."""
        wanted = {
            (department, subject): marks for subject, one in truth.items() for department, marks in one.marks().items()
        }
        for pair in {**wanted, **told}:
            held = marks_of(told[pair].told) if pair in told else {}
            if held != wanted.get(pair, {}):
                verdict.wrong("department", f"{pair} holds {held}, should hold {wanted.get(pair, {})}")

    def _compare_since(self, standings: dict[str, Standing], told: ToldTable, verdict: Verdict) -> None:
        """Since when each measure and each lift that is to be confirmed counts, in Redis and by the newest notice."""
        for (department, subject), remembered in told.items():
            held = standings.get(subject, EMPTY).told.get(department)
            said = remembered.told
            if held is None or held.n != said.n or held.measures != said.measures:
                verdict.wrong("since", f"{department} {subject}: {held} should be {said}")
            elif not held.lifted.items() <= said.lifted.items():  # those confirmed since are gone
                verdict.wrong("lifted", f"{department} {subject}: {held.lifted} should be of {said.lifted}")

    def _read_quarantine(self) -> Quarantine:
        """Every rejection."""
        found = Quarantine()
        for message in self._read(self._topics.rejected_of):
            _, value = self._decode_plain(message.value() or b"")
            found.add(message, value)
        return found


def marks_of(told: Told) -> dict[str, int]:
    """Measure to the checksum of why it holds."""
    return {measure: imposed.mark for measure, imposed in told.measures.items()}


def _batches(messages: Iterator[Consumed]) -> Iterator[list[Consumed]]:
    while batch := list(islice(messages, 5000)):
        yield batch


def _said(entry: Entry | None) -> dict[str, tuple[object, ...]] | None:
    """What an entry says, without when and where it arrived (of equal records any one may be kept)."""
    if entry is None:
        return None
    return {slot: (v.revision, v.digest, v.decided_on, tuple(v.body)) for slot, v in visible(entry).versions.items()}


def count_behind(reader: Consumer, marks: Mapping[Place, tuple[int, int]], cursors: Sequence[Cursor]) -> int:
    """Messages that Redis' cursors do not have behind them.

    Args:
        reader: of the places.
        marks: their first offset and their end.
        cursors: of the partitions.
    """
    begins = {place: max(first, cursors[place[1]].offsets.get(place[0], 0)) for place, (first, _) in marks.items()}
    left = {place: end - begins[place] for place, (_, end) in marks.items() if begins[place] < end}
    # The last offsets may be markers of transactions: only reading tells whether a message is behind the cursor.
    unread = {place: (begins[place], marks[place][1]) for place, size in left.items() if size <= MARKERS}
    return sum(size for size in left.values() if size > MARKERS) + sum(1 for _ in read_places(reader, unread))
