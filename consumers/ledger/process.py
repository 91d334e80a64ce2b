"""The ledger's one loop: consume, describe, append with the offsets in one transaction; sign when it is due.

All that it knows is in Kafka: the chains in `credit.ledger`, the offsets in its group. After any failure it attaches anew (see
`consumers.ledger.attach`). Callbacks of the consumer run in the loop's own thread, inside `consume`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from consumers.ledger.appending import Appender
from consumers.ledger.attach import Attached, Ledger, metadata_of
from consumers.ledger.drafts import Describer
from consumers.ledger.report import LedgerReport
from consumers.standing.assignment import pauses
from consumers.standing.consumed import Consumed, is_final, sort_out
from consumers.standing.liveness import Liveness
from consumers.standing.twins import Refusals
from exchange.domain.ledger import Draft, Entry
from exchange.domain.ledger_chain import Sign
from exchange.errors import FencedError, RetryLaterError
from exchange.kafka import leave

IDLE_WAIT = 0.1
"""Seconds that the loop waits for input when it has nothing to do."""
STATE_EVERY = 1.0
"""Seconds between looks at the lag."""


class LedgerProcess:
    """Owns some partitions of the bus, and writes their chains.

    Args:
        new_consumer: makes a consumer in the ledger's group, read_committed, not auto-committing.
        ledger: takes chains over.
        appender: appends to them.
        describer: messages to drafts.
        idle_topic: the topic whose offset is committed with a checkpoint that comes alone.
        sign: signs checkpoints.
        key_id: whose signature it is.
        report: metrics.
        liveness: progress, for health checks.
        now: milliseconds since 1970-01-01 UTC.
        batch: messages of a transaction, at most.
        checkpoint_entries, checkpoint_ms: a checkpoint is due after so many entries or so long.
        on_step: told each step's name as it begins; fault tests end the process there.
    """

    def __init__(
        self,
        *,
        new_consumer: Callable[[], Consumer],
        ledger: Ledger,
        appender: Appender,
        describer: Describer,
        idle_topic: str,
        sign: Sign,
        key_id: str,
        report: LedgerReport,
        liveness: Liveness,
        now: Callable[[], int],
        batch: int,
        checkpoint_entries: int,
        checkpoint_ms: int,
        on_step: Callable[[str], None],
    ) -> None:
        self._new_consumer = new_consumer
        self._consumer = new_consumer()
        self._ledger = ledger
        self._appender = appender
        self._describer = describer
        self._idle_topic = idle_topic
        self._sign = sign
        self._key_id = key_id
        self._report = report
        self._liveness = liveness
        self._now = now
        self._batch = batch
        self._checkpoint_entries = checkpoint_entries
        self._checkpoint_ms = checkpoint_ms
        self._on_step = on_step
        self._owned: dict[int, Attached] = {}
        self._places: list[TopicPartition] = []
        self._generation: Any = None
        self._state_at = 0.0
        self._refusals = Refusals()
        self._broken = False
        self._stopping = False
        self._leaving = False

    def stop(self) -> None:
        """End after the transaction under way; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Work until stopped; then sign what is not signed yet, and leave the group."""
        self._subscribe()
        try:
            while not self._stopping:
                self.step()
            self._sign_the_rest()
        finally:
            self._leave()

    def _subscribe(self) -> None:
        self._consumer.subscribe(
            sorted(self._describer.sources), on_assign=self._assign, on_revoke=self._lose, on_lost=self._lose
        )

    def _leave(self) -> None:
        self._leaving = True
        leave(self._consumer)
        self._leaving = False

    def step(self) -> None:
        """One turn of the loop.

        Raises:
            FatalError: going on could do harm, or the group keeps refusing this member.
        """
        try:
            self._on_step("consume")
            messages = self._consume()
            if self._broken:
                self._join_anew()
            elif self._places and not self._owned:
                self._begin_again()
            elif self._owned:
                if self._generation is None:
                    self._generation = self._consumer.consumer_group_metadata()
                self._enter(messages, entries=self._checkpoint_entries, after_ms=self._checkpoint_ms)
            self._tell_state()
        except FencedError:
            self._report.fenced()
            self._begin_again()
        except RetryLaterError as error:
            self._report.waiting(error)
            self._begin_again()

    def _consume(self) -> list[Consumed]:
        first = self._consumer.poll(IDLE_WAIT)
        return [] if first is None else self._good([first, *self._consumer.consume(self._batch, 0)])

    def _good(self, found: list[Message]) -> list[Consumed]:
        messages, errors = sort_out(found)
        self._report.consumer_errors(errors)
        self._broken = self._broken or any(map(is_final, errors))
        return messages

    def _join_anew(self) -> None:
        """With another consumer, after the group refused this one for good.

        Raises:
            FatalError: it does so again and again, so somebody else has this member's name.
        """
        self._refusals.note()
        self._report.rejoining()
        self._owned, self._places, self._generation = {}, [], None
        self._leave()
        self._broken = False
        self._consumer = self._new_consumer()
        self._subscribe()

    def _enter(self, messages: Sequence[Consumed], *, entries: int, after_ms: int) -> None:
        """One transaction of these messages' entries and the checkpoints that are due; none when there is nothing.

        Raises:
            FencedError, RetryLaterError, FatalError: see `Appender.append`; the chains must be attached anew.
        """
        began_at, now = time.perf_counter(), self._now()
        new: list[Entry] = []
        touched: set[tuple[str, int]] = set()
        for draft in in_order(self._describer.describe(message) for message in messages):
            owned = self._owned.get(draft.partition)
            if owned is None or draft.offset < owned.offsets.get(draft.topic, 0):
                continue
            new.append(owned.chain.append(draft, now=now))
            owned.offsets[draft.topic] = draft.offset + 1
            touched.add((draft.topic, draft.partition))
        for number, owned in self._owned.items():
            if owned.chain.is_due(entries=entries, after_ms=after_ms, now=now):
                new.append(owned.chain.checkpoint(self._sign, self._key_id, now=now))
                if not any(partition == number for _, partition in touched):
                    touched.add((self._idle_topic, number))
        if not new:
            return
        offsets = {
            TopicPartition(topic, number, self._owned[number].offsets.get(topic, 0)): metadata_of(
                self._owned[number].chain.head
            )
            for topic, number in sorted(touched)
        }
        self._appender.append(new, offsets, self._generation)
        self._report.appended(new, time.perf_counter() - began_at)
        self._liveness.progress()

    def _sign_the_rest(self) -> None:
        """So that a ledger at rest has no unsigned end; without success its next owner does it."""
        try:
            if self._owned and self._generation is not None:
                self._enter((), entries=1, after_ms=0)
        except (FencedError, RetryLaterError) as error:
            self._report.waiting(error)

    def _begin_again(self) -> None:
        """Forget the chains and attach anew, as a member of the group that it answers meanwhile."""
        self._owned = {}
        with suppress(KafkaException):  # what is not paused is read again
            self._consumer.pause(self._consumer.assignment())
        for pause in pauses():
            self._good(self._consumer.consume(1, pause))  # a zombie hears here that it is one
            if self._stopping or self._broken or self._owned or not self._places:
                return  # nothing to do, or done by an assignment that came meanwhile
            try:
                self._attach()
            except RetryLaterError as error:
                self._report.waiting(error)
            else:
                return

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        if self._leaving:
            consumer.assign([])  # an answer all the same: without one the group would wait for it
            return
        self._on_step("assign")
        self._places, self._owned, self._generation = places, {}, None
        try:
            self._attach()
        except RetryLaterError as error:  # the loop tries again, and meanwhile hears what is wrong
            self._report.waiting(error)
            with suppress(KafkaException):  # a consumer that has failed for good says so once more to the loop
                consumer.assign(places)
                consumer.pause(places)

    def _attach(self) -> None:
        """Take over what was given, and consume from there.

        Raises:
            RetryLaterError: Kafka is away.
        """
        if not self._places:
            return  # nothing was given; the group will say what comes next
        self._appender.renew()
        owned = self._ledger.attach(self._consumer, self._places)
        self._report.attached(owned.values())
        try:
            self._consumer.assign(
                [
                    TopicPartition(p.topic, p.partition, owned[p.partition].offsets.get(p.topic, OFFSET_BEGINNING))
                    for p in self._places
                ]
            )
            self._consumer.resume(self._places)  # librdkafka remembers a pause from an assignment before
        except KafkaException as error:
            raise RetryLaterError(f"cannot consume: {error.args[0].str()}", code="kafka_unavailable") from error
        self._owned = owned

    def _lose(self, _consumer: Consumer, _places: list[TopicPartition]) -> None:
        """The `range` assignor takes everything back before it gives anew."""
        self._on_step("revoke")
        self._owned, self._places, self._generation = {}, [], None

    def _tell_state(self) -> None:
        if time.monotonic() < self._state_at:
            return
        self._state_at = time.monotonic() + STATE_EVERY
        self._liveness.lag(self._report.state(self._consumer, self._places, self._owned, now=self._now()))


def in_order(drafts: Iterable[Draft]) -> list[Draft]:
    """A batch in the order of time; of one topic and partition always in the order of offsets.

    Topics are fetched side by side, so a rejection can come before its record; within a batch this puts them right.
    """
    newest: dict[tuple[str, int], int] = {}
    timed = []
    for draft in drafts:
        place = (draft.topic, draft.partition)
        at = newest[place] = max(draft.written_at, newest.get(place, 0))
        timed.append((at, draft))
    timed.sort(key=lambda one: one[0])
    return [draft for _, draft in timed]
