"""Reconcile: Redis came back older than what Kafka has seen, so find out what departments were told, and tell the differences.

By now the partition has been replayed in silence up to Kafka's offsets. `credit.out.*` is the table of what each department
was last told, and `credit.internal` of what other subjects were. Nothing of this is published before the last commit, which ends the
reconciling; if it dies before, the next owner begins this step anew. Of the outbox as it is found only rejections stay that nobody has
published: the offsets are past their records, so nothing would bring them again.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import Consumer

from consumers.standing.decode import REJECTION_TYPE, Decoded, facts_of
from consumers.standing.join import Join, own_overdue
from consumers.standing.partition import Partition
from consumers.standing.reading import read_places
from consumers.standing.report import Report
from consumers.standing.transaction import Job
from consumers.standing.work import SentTable, Work
from exchange.domain.calendar import day_of
from exchange.domain.handover import has_left
from exchange.domain.judge import mark
from exchange.domain.links import COUNTER, LEFT, is_ended
from exchange.domain.record import DOCUMENT, Version
from exchange.domain.standing import EMPTY, TO_BE_FOUND, Imposed, Lifted, Owed, Standing
from exchange.domain.standing import Told as Measures
from exchange.kafka_places import watermarks
from exchange.partitioner import partition_of
from exchange.standing_store import Commit, Outgoing, StandingStore, Wanted
from exchange.topics import Topics

CHUNK = 500
"""Subjects judged in one commit."""
Decode = Callable[[bytes], tuple[str, dict[str, Any]]]


class Remembered(NamedTuple):
    """What a department was last told about a subject, with the notice's sequence (epoch, n)."""

    sequence: tuple[int, int]
    told: Measures


ToldTable = dict[tuple[str, str], Remembered]
"""(department, subject) to what was last told."""


@dataclass(slots=True)
class Told:
    """All that a partition has told anybody, read back from the topics themselves."""

    departments: ToldTable = field(default_factory=dict)
    subjects: SentTable = field(default_factory=dict)


class Reconciler:
    """Ends the reconciling of partitions that have been replayed up to Kafka's offsets.

    Args:
        new_reader: makes a read_committed consumer, in no group that matters.
        store: standings.
        topics: names of the bus's topics.
        departments: slugs of all departments.
        partitions: of every topic.
        decode: plain decoding of wire bytes.
        report: metrics.
        on_step: told "read_back" and "tell" as they begin.
    """

    def __init__(
        self,
        *,
        new_reader: Callable[[], Consumer],
        store: StandingStore,
        topics: Topics,
        departments: Sequence[str],
        partitions: int,
        decode: Decode,
        report: Report,
        on_step: Callable[[str], None],
    ) -> None:
        self._new_reader = new_reader
        self._store = store
        self._topics = topics
        self._departments = departments
        self._count = partitions
        self._decode = decode
        self._report = report
        self._on_step = on_step

    def finish(self, partition: Partition, join: Join, between: Callable[[], None], *, now: int) -> Job:
        """Find out what everybody was told, and commit the differences.

        Args:
            partition: whose replay is over.
            join: of the day.
            between: called again and again, as this may take long.
            now: milliseconds since 1970-01-01 UTC.

        Returns:
            The job that publishes the differences.

        Raises:
            RetryLaterError: Kafka or Redis is away.
            FencedError: another process owns the partition.
        """
        self._on_step("read_back")
        told = self._read_back(partition.number, between)
        self._on_step("tell")
        job = tell_differences(partition, self._store, join, told, between, decode=self._decode, now=now)
        self._report.reconciled(partition, len(job.messages))
        return job

    def _read_back(self, partition: int, between: Callable[[], None]) -> Told:
        """What a partition has told departments (its part of `credit.out.*`) and other subjects (all of `credit.internal`)."""
        told = Told()
        places = [(self._topics.out_of(department), partition) for department in self._departments]
        places += [(self._topics.internal, number) for number in range(self._count)]
        with closing(self._new_reader()) as reader:
            for message in read_places(reader, watermarks(reader, places), between):
                _, value = self._decode(message.value() or b"")
                if message.topic() != self._topics.internal:
                    remember(told.departments, value)
                elif partition_of(value["source"], self._count) == partition:
                    remember_sent(told.subjects, value)
        return told


def remember_sent(sent: SentTable, message: dict[str, Any]) -> None:
    """Enter a plain internal message into the table of what a subject has sent."""
    of_source = sent.setdefault(message["source"], {})
    for fact in facts_of(message):
        of_entry = of_source.setdefault((message["subject"], fact.key), {})
        known = of_entry.get(fact.slot)
        if known is None or known < fact.version:
            of_entry[fact.slot] = fact.version


def remember(told: ToldTable, notice: dict[str, Any]) -> None:
    """Enter a plain notice into the table, unless a newer one is there: what a careful receiver does."""
    sequence = (notice["epoch"], notice["n"])
    pair = (notice["department"], notice["subject"])
    if pair not in told or told[pair].sequence < sequence:
        told[pair] = Remembered(sequence, _told(notice))


def _told(notice: dict[str, Any]) -> Measures:
    """What a department was told by a plain notice; one of before 2026-11 does not say since when a measure holds."""
    issued_on = day_of(notice["issued_at"])
    measures = {
        one["measure"]: Imposed(
            mark((each["entry"], each["until"], each["memorandum"], each["article"]) for each in one["listings"]),
            *_since(one, notice, issued_on),
        )
        for one in notice["measures"]
    }
    lifted = {
        one["measure"]: Lifted(*_since(one, notice, issued_on), within=one["respond_within"])
        for one in notice["lifted"]
    }
    overdue = tuple(
        Owed(one["department"], one["measure"], one["lift"], one["respond_by"]) for one in notice["overdue"]
    )
    return Measures(notice["n"], measures, lifted, overdue)


def _since(one: dict[str, Any], notice: dict[str, Any], issued_on: int) -> tuple[int, int, int]:
    """Epoch, number and day of the notice that imposed or lifted a measure."""
    if one["since_on"] is None:
        return notice["epoch"], notice["n"], issued_on
    return one["since_epoch"], one["since_n"], one["since_on"]


def tell_differences(
    partition: Partition,
    store: StandingStore,
    join: Join,
    told: Told,
    between: Callable[[], None],
    *,
    decode: Decode,
    now: int,
) -> Job:
    """Compare every subject with what was told, commit the differences, and end the reconciling.

    Args:
        partition: whose replay is over.
        store: standings.
        join: of the day.
        told: what everybody was told.
        between: called after each commit, as this may take long.
        decode: plain decoding of wire bytes.
        now: milliseconds since 1970-01-01 UTC.

    Returns:
        The job that publishes them.

    Raises:
        FencedError: another process owns the partition.
    """
    by_subject: dict[str, dict[str, Measures]] = {}
    for (department, subject), remembered in told.departments.items():
        by_subject.setdefault(subject, {})[department] = remembered.told
    subjects = list(dict.fromkeys([*store.indexed(partition.number), *by_subject, *told.subjects]))
    outbox = store.outbox(partition.number)
    trim, untold = len(outbox), untold_rejections(partition, outbox, decode)
    messages: list[tuple[str, bytes, bytes]] = []
    for begin in range(0, max(1, len(subjects)), CHUNK):
        chunk = subjects[begin : begin + CHUNK]
        (loaded,) = store.load([Wanted(partition.number, chunk, [])])
        commit = Commit(partition=partition.number, expected=partition.token, token=join.new_token(), messages=untold)
        work = Work(partition, Decoded(partition), chunk, commit, {}, telling=told.subjects)
        work.note_read_at(loaded.token)
        for subject, standing in zip(chunk, loaded.standings, strict=True):
            known = standing or EMPTY
            sent = _still_sent(subject, known, told.subjects.get(subject, {}))
            commit.no_longer_overdue += [(subject, owed) for owed in own_overdue(known)]
            work.standings[subject] = known._replace(
                told=by_subject.get(subject, {}), sent=sent, respond_due=TO_BE_FOUND
            )
        join.judge(work, now=now)
        join.finish(work, now=now)
        commit.trim, commit.published = trim, ""
        trim, untold = 0, []  # the first commit empties the outbox of what was there, and puts in again what stays
        if begin + CHUNK >= len(subjects):
            commit.cursor["reconcile"] = 0
        fenced = store.commit([commit])[0]
        if fenced:
            raise fenced
        partition.token = commit.token
        partition.cache.update(work.standings)
        messages += commit.messages
        between()
    partition.reconcile = False
    partition.trim, partition.published = 0, ""
    return Job(partition.number, partition.token, partition.epoch, messages, dict(partition.offsets))


def untold_rejections(
    partition: Partition, outbox: Iterable[Outgoing], decode: Decode
) -> list[tuple[str, bytes, bytes]]:
    """The rejections of an outbox whose records lie beyond what Kafka knew when ownership began: those were not published.

    A rejection and the offset behind its record are published in one transaction. Everything else in the outbox follows from the
    standings and is told anew.
    """
    untold = []
    for _, topic, key, value in outbox:
        record_type, plain = decode(value)
        if record_type == REJECTION_TYPE and plain["offset"] >= partition.known.get(plain["topic"], 0):
            untold.append((topic, key, value))
    return untold


def _still_sent(
    subject: str, standing: Standing, sent: dict[tuple[str, str], dict[str, Version]]
) -> dict[str, tuple[int, int]]:
    """What `sent` would say had Redis not forgotten: links and related listings last sent but not those ended, and whom it has left."""
    remembered = {COUNTER: standing.sent.get(COUNTER, (0, 0))}
    for (target, key), versions in sent.items():
        document = versions.get(DOCUMENT)
        if document is not None and key.startswith(("link/", "related/")) and not is_ended(key, document):
            remembered[f"{target} {key}"] = (0, document.digest)
        elif has_left(versions, subject):
            remembered[f"{target} {LEFT}"] = (0, 0)
    return remembered
