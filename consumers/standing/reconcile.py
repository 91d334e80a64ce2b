"""Reconcile: Redis came back older than what Kafka has seen, so find out what departments were told, and tell the differences.

By now the partition has been replayed in silence up to Kafka's offsets. `credit.out.*` is the table of what each department
was last told, and `credit.internal` of what other subjects were. Nothing of this is published before the last commit, which ends the
reconciling; if it dies before, the next owner begins this step anew with an empty outbox.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import Consumer

from consumers.standing.decode import Decoded, decode_facts
from consumers.standing.join import Join, SentTable, Work, own_overdue
from consumers.standing.partition import Partition
from consumers.standing.publishing import Job
from consumers.standing.reading import read_places, watermarks
from exchange.domain.calendar import day_of
from exchange.domain.judge import mark
from exchange.domain.links import COUNTER, is_ended
from exchange.domain.record import DOCUMENT, Version
from exchange.domain.standing import EMPTY, TO_BE_FOUND, Imposed, Lifted, Owed, Standing
from exchange.domain.standing import Told as Measures
from exchange.partitioner import partition_of
from exchange.standing_store import Commit, StandingStore, Wanted
from exchange.topics import Topics

CHUNK = 500
"""Subjects judged in one commit."""


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


def read_back(
    consumer: Consumer,
    topics: Topics,
    departments: Iterable[str],
    partition: int,
    partitions: int,
    decode: Callable[[bytes], tuple[str, dict[str, Any]]],
    between: Callable[[], None],
) -> Told:
    """What a partition has told departments (its part of `credit.out.*`) and other subjects (all of `credit.internal`).

    Args:
        consumer: read_committed, in no group that matters; it is closed here.
        topics: names of the bus's topics.
        departments: all of them.
        partition: whose tellings are wanted.
        partitions: of every topic.
        decode: plain decoding of wire bytes.
        between: called again and again, as this may take long.

    Raises:
        RetryLaterError: Kafka is away.
    """
    told = Told()
    places = [(topics.out_of(department), partition) for department in departments]
    places += [(topics.internal, number) for number in range(partitions)]
    try:
        for message in read_places(consumer, watermarks(consumer, places), between):
            _, value = decode(message.value() or b"")
            if message.topic() != topics.internal:
                remember(told.departments, value)
            elif partition_of(value["source"], partitions) == partition:
                remember_sent(told.subjects, value)
    finally:
        consumer.close()
    return told


def remember_sent(sent: SentTable, message: dict[str, Any]) -> None:
    """Enter a plain internal message into the table of what a subject has sent."""
    of_source = sent.setdefault(message["source"], {})
    for fact in decode_facts(message["body"]):
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
    partition: Partition, store: StandingStore, join: Join, told: Told, between: Callable[[], None], *, now: int
) -> Job:
    """Compare every subject with what was told, commit the differences, and end the reconciling.

    `between` is called after each commit, as this may take long.

    Returns:
        The job that publishes them.

    Raises:
        FencedError: another process owns the partition.
    """
    by_subject: dict[str, dict[str, Measures]] = {}
    for (department, subject), remembered in told.departments.items():
        by_subject.setdefault(subject, {})[department] = remembered.told
    subjects = list(dict.fromkeys([*store.indexed(partition.number), *by_subject, *told.subjects]))
    messages: list[tuple[str, bytes, bytes]] = []
    trim = len(store.outbox(partition.number))
    for begin in range(0, max(1, len(subjects)), CHUNK):
        chunk = subjects[begin : begin + CHUNK]
        (loaded,) = store.load([Wanted(partition.number, chunk, [])])
        commit = Commit(partition=partition.number, expected=partition.token, token=join.new_token())
        work = Work(partition, Decoded(partition), chunk, commit, {}, telling=told.subjects)
        for subject, standing in zip(chunk, loaded.standings, strict=True):
            known = standing or EMPTY
            sent = _still_sent(known, told.subjects.get(subject, {}))
            commit.no_longer_overdue += [(subject, owed) for owed in own_overdue(known)]
            work.standings[subject] = known._replace(
                told=by_subject.get(subject, {}), sent=sent, respond_due=TO_BE_FOUND
            )
        join.judge(work, now=now)
        join.finish(work, now=now)
        commit.trim, commit.published, trim = trim, "", 0
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


def _still_sent(standing: Standing, sent: dict[tuple[str, str], dict[str, Version]]) -> dict[str, tuple[int, int]]:
    """What `sent` would say had Redis not forgotten: links and related listings last sent, but not those ended."""
    remembered = {COUNTER: standing.sent.get(COUNTER, (0, 0))}
    for (target, key), versions in sent.items():
        document = versions.get(DOCUMENT)
        if document is not None and key.startswith(("link/", "related/")) and not is_ended(key, document):
            remembered[f"{target} {key}"] = (0, document.digest)
    return remembered
