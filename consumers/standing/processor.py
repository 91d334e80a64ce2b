"""The standing processor's one loop: consume, decode, load, fold, judge, commit (1), publish (2), trim (3).

A large batch is committed in two halves, each of whole partitions: while Redis commits one, the other is folded, and the next
batch decoded. Nothing of a partition is folded further, and nothing of it is published, before its commit is answered. If it dies
anywhere, the next owner attaches from Redis' offsets: before the commit nothing has happened; after it the outbox in Redis has
what is still to be published; after the transaction Kafka's metadata says so, and nothing is published again.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from confluent_kafka import Consumer

from consumers.standing.assignment import Assignment
from consumers.standing.consumed import Consumed
from consumers.standing.decode import Decoded, Decoder
from consumers.standing.join import Join
from consumers.standing.lanes import PublishingLanes
from consumers.standing.liveness import Liveness
from consumers.standing.reconcile import Reconciler
from consumers.standing.report import BatchClock, Report
from consumers.standing.transaction import Job
from consumers.standing.under_way import CommitsUnderWay, Sent
from consumers.standing.waiting import Waits
from consumers.standing.work import Work
from exchange.errors import FencedError, RetryLaterError
from exchange.standing_store import Commit, StandingStore
from exchange.topics import Topics

if TYPE_CHECKING:
    from consumers.standing.traces import BatchTraces

TIMERS_EVERY = 1.0
"""Seconds between looks at the timers, at held topics and at the lag."""
TIMERS_AT_ONCE = 500
IDLE_WAIT = 0.1
"""Seconds that the loop waits for input when it has nothing to do."""
IN_HALVES = 100
"""Records from which on a batch is committed in halves; the answers to smaller ones are waited for together."""


class StandingProcessor:
    """Owns some partitions of the join, and brings their standings up to date.

    Args:
        new_consumer: makes a consumer in the processors' group, read_committed, not auto-committing.
        store: standings.
        decoder: messages to arrivals.
        new_join: the join of a day (days since 1970-01-01).
        reconciler: ends the reconciling of partitions.
        publisher: publishes outboxes.
        topics: names of the bus's topics.
        departments: slugs of all departments.
        policy: version of the policy that is judged by.
        report: metrics.
        liveness: progress, for health checks.
        now: milliseconds since 1970-01-01 UTC.
        today: the day (since 1970-01-01) in China of a time in milliseconds.
        batch: records taken at once, at most.
        backlog: messages that may wait to be published before the loop takes no more input.
        cache: standings kept in process for each partition, at most.
        traces: of records that are traced; None where traces are off.
        on_step: told the name of each step as it begins ("consume", "commit", "committed", ...).
    """

    def __init__(
        self,
        *,
        new_consumer: Callable[[], Consumer],
        store: StandingStore,
        decoder: Decoder,
        new_join: Callable[[int, Callable[[], str]], Join],
        reconciler: Reconciler,
        publisher: PublishingLanes,
        topics: Topics,
        departments: Sequence[str],
        policy: str,
        report: Report,
        liveness: Liveness,
        now: Callable[[], int],
        today: Callable[[int], int],
        batch: int,
        backlog: int,
        cache: int,
        on_step: Callable[[str], None],
        traces: "BatchTraces | None" = None,
    ) -> None:
        self._store = store
        self._traces = traces
        self._decoder = decoder
        self._new_join = new_join
        self._reconciler = reconciler
        self._publisher = publisher
        self._topics = topics
        self._departments = departments
        self._report = report
        self._liveness = liveness
        self._now = now
        self._today = today
        self._batch = batch
        self._backlog = backlog
        self._cache = cache
        self._on_step = on_step
        self._timers_at = 0.0
        self._stopping = False
        self._under_way = CommitsUnderWay(store, self._answered, on_step)
        instance = os.urandom(6).hex()
        self._tokens = (f"{instance}{number:x}" for number in itertools.count())
        self._join = new_join(today(now()), self._new_token)
        self._input = Assignment(
            new_consumer=new_consumer,
            store=store,
            publisher=publisher,
            topics=topics,
            policy=policy,
            limit=decoder.limit,
            report=report,
            new_token=self._new_token,
            on_step=on_step,
            before_handover=self._settle_for_handover,
        )
        self._waits = Waits(self._input, publisher, report, liveness)

    def stop(self) -> None:
        """End after the batch under way; safe in a signal handler."""
        self._stopping = self._input.stopping = True

    def run(self) -> None:
        """Work until stopped; then hand over in good order."""
        self._publisher.start()
        # Not by pattern: a topic of a department that the catalogue does not know is nobody's.
        self._input.subscribe([self._topics.internal, *(self._topics.into(one) for one in self._departments)])
        try:
            while not self._stopping:
                self.step()
            self._settle_for_handover()
        finally:
            # In this order: what is published now needs no replay, and a closing consumer answers nobody.
            self._publisher.stop()
            self._input.close()

    def step(self) -> None:
        """One turn of the loop."""
        try:
            if self._publisher.failure:
                raise self._publisher.failure
            if self._input.broken:
                self._input.replace()
            if self._publisher.take_fenced():
                self._report.fenced("transaction", 1)
                self._input.generation_told = False  # whatever comes next: without it nothing is published
                self._under_way.settle()
                self._input.attach_again(self._input.partitions)
            self._input.tell_generation()
            self._waits.until_published(below=self._backlog)
            due = self._due()  # before consuming: it may attach anew, and what was read before then is read again
            self._on_step("consume")
            messages = self._input.consume(self._batch, wait=0 if self._under_way else IDLE_WAIT)
            if messages or due:
                self._process(messages, due)
            else:
                self._under_way.settle()
            self._finish_reconciling()
        except RetryLaterError as error:
            self._waits.out(error)

    def _process(self, messages: list[Consumed], due: dict[int, Sequence[str]]) -> None:
        clock = self._report.batch(len(messages))
        now = self._now()
        today = self._today(now)
        if today != self._join.book.as_of:
            self._under_way.settle()
            self._join = self._new_join(today, self._new_token)
        if self._traces is not None:
            self._join.traces = self._traces.begin(messages)
        owned = self._input.partitions
        decoded = self._decoder.decode(messages, owned.get, today)
        for number in due:
            if number not in decoded and number in owned:
                decoded[number] = Decoded(owned[number])
        clock.stage("decode")
        numbers = sorted(decoded)
        parts = (numbers[::2], numbers[1::2]) if len(messages) >= IN_HALVES else (numbers,)
        for part in parts:
            self._under_way.settle(frozenset(part))
            clock.restart()
            # What was decoded for a partition that was fenced meanwhile is read again.
            mine = [decoded[number] for number in part if owned.get(number) is decoded[number].partition]
            if mine:
                self._join_and_commit(mine, due, now, clock)

    def _join_and_commit(
        self, decoded: list[Decoded], due: dict[int, Sequence[str]], now: int, clock: BatchClock
    ) -> None:
        """Up to step 1, whose answer is not waited for."""
        batch = self._join.begin(decoded, due)
        clock.stage("fold")
        for work in batch:
            self._join.judge(work, now=now)
        commits = [self._join.finish(work, now=now) for work in batch]
        clock.stage("judge")
        for work in batch:
            partition, one = work.partition, work.decoded
            partition.offsets.update(one.offsets)
            partition.rejected_runs.update(one.runs)
        self._under_way.send(batch, commits, clock)

    def _answered(self, sent: Sent, answers: list[FencedError | None]) -> None:
        """Remember what is now true, and hand the outboxes to step 2."""
        stale = []
        for work, commit, error in zip(sent.batch, sent.commits, answers, strict=True):
            if self._input.partitions.get(work.partition.number) is not work.partition:
                continue  # lost since: its next owner publishes the outbox
            if error is None:
                self._committed(work, commit)
            else:
                stale.append(work.partition.number)
        self._report.joined(self._join, sent.batch)
        self._liveness.progress()
        self._attach_stale(stale)

    def _settle_for_handover(self) -> None:
        """Settle; without an answer the next owner, or this process when it attaches again, finds out from Redis."""
        try:
            self._under_way.settle()
        except RetryLaterError as error:
            self._report.waiting(error)

    def _attach_stale(self, stale: Iterable[int]) -> None:
        """Somebody else has committed to these partitions, or Redis has forgotten commits."""
        numbers = list(stale)
        if numbers:
            self._report.fenced("commit", len(numbers))
            with self._input.paused():
                self._input.stay()  # a zombie learns here that its partitions are gone
                self._input.attach_again(number for number in numbers if number in self._input.partitions)

    def _committed(self, work: Work, commit: Commit) -> None:
        """After step 1, of one partition."""
        partition, decoded = work.partition, work.decoded
        partition.token = commit.token
        partition.trim, partition.published = 0, ""
        partition.remember(work.standings, most=self._cache)
        published = self._publisher.take_published(partition.number)
        if published:
            partition.published, partition.trim = published.token, published.messages
        if self._traces is not None:
            self._traces.committed(decoded)
        if decoded.held:
            self._input.hold(partition, decoded.held)
        if not partition.reconcile:
            offsets = {self._topics.internal: partition.offsets.get(self._topics.internal, 0), **decoded.offsets}
            job = Job(
                partition.number, commit.token, partition.epoch, commit.messages, offsets, decoded.first_published,
                traces=commit.traces,
            )  # fmt: skip
            self._publisher.offer(job)

    def _due(self) -> dict[int, Sequence[str]]:
        """Subjects for whom a day has come; also the loop's slow business, once a second."""
        if time.monotonic() < self._timers_at:
            return {}
        self._under_way.settle()
        self._timers_at = time.monotonic() + TIMERS_EVERY
        today = self._today(self._now())
        owned = self._input.partitions
        numbers = list(owned)
        looks = dict(zip(numbers, self._store.look(numbers, today, TIMERS_AT_ONCE), strict=True))
        found = {number: look.due for number, look in looks.items()}
        if any(len(subjects) == TIMERS_AT_ONCE for subjects in found.values()):
            self._timers_at = 0.0
        # Redis may have come back older, or empty, while there was nothing to commit.
        self._attach_stale([number for number, look in looks.items() if look.token != owned[number].token])
        self._input.release()
        self._input.tell_state()
        self._report.overdue(lambda: self._store.count_overdue(numbers, self._departments))
        self._liveness.lag(self._report.lag_known)
        return {number: subjects for number, subjects in found.items() if subjects and number in owned}

    def _finish_reconciling(self) -> None:
        if any(partition.reconcile for partition in self._input.partitions.values()):
            self._under_way.settle()
        for partition in list(self._input.partitions.values()):
            if partition.reconcile and partition.caught_up():
                try:
                    with self._input.paused():
                        job = self._reconciler.finish(
                            partition, self._join, self._waits.between(partition), now=self._now()
                        )
                        self._publisher.offer(job)
                except FencedError:
                    self._report.fenced("commit", 1)
                    self._input.attach_again([partition.number])
                    return

    def _new_token(self) -> str:
        return next(self._tokens)
