"""The loop of risk classes: (1) consume, (2) work out, (3) publish, (4) commit; between events, a piece of the monthly round.

| it dies | what follows |
|---|---|
| before 3 | the records are read again: nothing was said yet |
| in 3, before 4 | the records are read again and the classes compared with what the bus knows by then: what arrived is not said again, and what is said again is the same document and revision |
| after 4 | done |

Nothing is remembered but offsets and how far a round is. What the bus knows of a firm's class is compared with what it should be; each
class that is published is itself a record about the firm, so a comparison that was made too early is made again.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from consumers.risk.classing import Classed, Classer
from consumers.risk.monthly import MonthlyRound, month_of
from consumers.risk.report import RiskReport
from consumers.risk.waiting import Place, Waiting
from consumers.standing.assignment import pauses
from consumers.standing.consumed import Consumed, is_final, sort_out
from consumers.standing.liveness import Liveness
from consumers.standing.twins import Refusals
from exchange.domain.calendar import day_of
from exchange.errors import RejectedError, RetryLaterError
from exchange.http.sending import CONFIRM_SECONDS, Outbound
from exchange.kafka import leave
from exchange.standing_store import Cursor, StandingStore

IDLE_WAIT = 0.1
"""Seconds that the loop waits for input when it has nothing to do."""
STATE_EVERY = 1.0
KAFKA_SECONDS = 10.0
EVENT, MONTH = "event", "month"


class RiskProcess:
    """Keeps the classes of the firms of some partitions.

    Args:
        new_consumer: makes a consumer in the group, read_committed, not auto-committing.
        topics: whose records are followed.
        store: of the standings.
        classer: works classes out.
        monthly: the round.
        outbound: publishes in a department's name.
        report: metrics.
        liveness: progress, for health checks.
        now: milliseconds since 1970-01-01 UTC.
        batch: subjects worked out at a time.
        on_step: told each step's name as it begins; fault tests end the process there.
    """

    def __init__(
        self,
        *,
        new_consumer: Callable[[], Consumer],
        topics: list[str],
        store: StandingStore,
        classer: Classer,
        monthly: MonthlyRound,
        outbound: Outbound,
        report: RiskReport,
        liveness: Liveness,
        now: Callable[[], int],
        batch: int,
        on_step: Callable[[str], None],
    ) -> None:
        self._new_consumer = new_consumer
        self._consumer = new_consumer()
        self._topics = topics
        self._store = store
        self._classer = classer
        self._monthly = monthly
        self._outbound = outbound
        self._report = report
        self._liveness = liveness
        self._now = now
        self._batch = batch
        self._on_step = on_step
        self._waiting = Waiting(limit=4 * batch)
        self._places: list[TopicPartition] = []
        self._attached = False
        self._cursors: dict[int, Cursor] = {}
        self._state_at = 0.0
        self._refusals = Refusals()
        self._broken = self._stopping = self._leaving = False

    def stop(self) -> None:
        """End after the batch under way; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Work until stopped, then leave the group.

        Raises:
            FatalError: the group keeps refusing this member.
        """
        self._subscribe()
        waits = pauses()
        try:
            while not self._stopping:
                try:
                    self.step()
                    waits = pauses()
                except RetryLaterError as error:
                    self._report.waiting(error)
                    self._take(self._consumer.consume(1, next(waits)))  # stays a member meanwhile
        finally:
            self._leave()

    def step(self) -> None:
        """One turn of the loop.

        Raises:
            RetryLaterError: a server is away; nothing was committed that was not done.
        """
        self._on_step("consume")
        first = self._consumer.poll(IDLE_WAIT)
        if first is not None:
            self._take([first, *self._consumer.consume(self._batch, 0)])
        if self._broken:
            self._join_anew()
        if not self._places:
            return
        if not self._attached:
            self._attach()
        self._cursors = {number: self._store.cursor(number) for number in self._waiting.partitions()}
        self._work_events()
        self._work_round()
        self._regulate()
        self._tell_state()

    def _take(self, found: Iterable[Message]) -> None:
        messages, errors = sort_out(found)
        self._report.consumer_errors(errors)
        self._broken = self._broken or any(map(is_final, errors))
        for message in messages:
            self._waiting.add(message.topic(), message.partition(), message.offset(), _subject(message))

    def _work_events(self) -> None:
        """Work out everybody whose records are folded."""
        for number, cursor in self._cursors.items():
            if not self._waiting.is_whole(number, cursor):
                continue
            subjects, offsets = self._waiting.ready(number, cursor, self._batch)
            if not offsets:
                continue
            self._publish(number, list(subjects), EVENT)
            self._on_step("commit")
            self._commit(offsets)
            self._waiting.done(offsets)
            self._liveness.progress()

    def _work_round(self) -> None:
        """The next piece of the monthly round, if one is due."""
        day = day_of(self._now())
        rules = self._classer.rules(day)
        if rules is None:
            return
        month = f"{month_of(day, rules.method.month_day)} {rules.version}"  # another model is another round
        piece = self._monthly.next(month, whole=lambda number: self._waiting.is_whole(number, self._cursors[number]))
        if piece is not None:
            letters = self._publish(piece.partition, piece.subjects, MONTH).letters
            self._on_step("round")
            self._monthly.done(piece, letters)
            self._liveness.progress()

    def _publish(self, partition: int, subjects: list[str], cause: str) -> Classed:
        """Work out, publish what differs, and wait until the broker has it.

        Raises:
            RetryLaterError: a server is away; what is not confirmed is worked out again.
        """
        began_at = time.perf_counter()
        self._on_step("work_out")
        classed = self._classer.work_out(partition, subjects, self._now())
        receipts: list[Future[Any]] = []
        self._on_step("publish")
        try:
            for _, record in classed.records:
                try:
                    receipts.append(self._outbound.publish(record["department"], record, "rating"))
                except RejectedError as error:
                    self._report.refused(error)
            for receipt in receipts:
                receipt.result(timeout=CONFIRM_SECONDS)
        except TimeoutError as error:
            self._classer.forget()
            raise RetryLaterError("ratings are not confirmed", code="unconfirmed", remedy="wait") from error
        except RetryLaterError:
            self._classer.forget()
            raise
        self._on_step("published")
        self._report.classed(classed, cause, time.perf_counter() - began_at)
        return classed

    def _commit(self, offsets: dict[Place, int]) -> None:
        """Say how far we are. A group that gave the partition to another refuses it: then that one does the rest again."""
        try:
            self._consumer.commit(
                offsets=[TopicPartition(topic, number, upto) for (topic, number), upto in offsets.items()],
                asynchronous=False,
            )
        except KafkaException as error:
            raise RetryLaterError(
                f"offsets are not committed: {error.args[0].str()}", code="kafka_unavailable", remedy="wait"
            ) from error

    def _attach(self) -> None:
        """Find where to begin: where the group is, and where it is nowhere yet, where the standing processor is; the first round does the rest.

        Raises:
            RetryLaterError: Kafka or Redis is away.
        """
        numbers = {place.partition for place in self._places}
        cursors = {number: self._store.cursor(number) for number in numbers}
        try:
            committed = self._consumer.committed(self._places, timeout=KAFKA_SECONDS)
            begun = {(one.topic, one.partition): one.offset for one in committed if one.offset >= 0}
            fresh = {
                (one.topic, one.partition): cursors[one.partition].offsets.get(one.topic, 0)
                for one in committed
                if one.offset < 0
            }
            if fresh:
                self._commit(fresh)
            self._consumer.assign([TopicPartition(*place, upto) for place, upto in (begun | fresh).items()])
            self._consumer.resume(self._places)  # librdkafka remembers a pause from an assignment before
        except KafkaException as error:
            raise RetryLaterError(f"cannot consume: {error.args[0].str()}", code="kafka_unavailable") from error
        self._monthly.own(numbers)
        self._waiting.begin(begun | fresh)
        self._classer.forget()
        self._attached = True
        self._report.attached(len(numbers))

    def _subscribe(self) -> None:
        self._consumer.subscribe(self._topics, on_assign=self._assign, on_revoke=self._lose, on_lost=self._lose)

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._lose(consumer, places)
        if self._leaving:
            consumer.assign([])  # an answer all the same: without one the group would wait for it
            return
        consumer.assign(places)
        consumer.pause(places)  # until it is known where to begin
        self._places = places

    def _lose(self, _consumer: Consumer, _places: list[TopicPartition]) -> None:
        """The `range` assignor takes everything back before it gives anew."""
        self._places, self._attached = [], False
        self._waiting.begin({})

    def _join_anew(self) -> None:
        self._refusals.note()
        self._leave()
        self._lose(self._consumer, [])
        self._broken = False
        self._consumer = self._new_consumer()
        self._subscribe()

    def _leave(self) -> None:
        self._leaving = True
        leave(self._consumer)
        self._leaving = False

    def _regulate(self) -> None:
        """Read no more of a place whose records wait for the standing processor in great numbers."""
        full, free = self._waiting.crowded()
        try:
            self._consumer.pause(full)
            self._consumer.resume(free)
        except KafkaException as error:
            raise RetryLaterError(f"cannot consume: {error.args[0].str()}", code="kafka_unavailable") from error

    def _tell_state(self) -> None:
        if time.monotonic() < self._state_at:
            return
        self._state_at = time.monotonic() + STATE_EVERY
        ready = 0
        for number, cursor in self._cursors.items():
            if self._waiting.is_whole(number, cursor):
                ready += len(self._waiting.ready(number, cursor, self._batch)[0])
        self._liveness.lag(ready)  # what waits for the standing processor is not ours to be blamed for
        self._report.state(self._consumer, self._places, len(self._waiting), self._monthly)


def _subject(message: Consumed) -> str:
    return (message.key() or b"").decode(errors="replace")
