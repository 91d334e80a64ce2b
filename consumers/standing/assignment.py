"""The input of a standing processor: a consumer, and the partitions that the group has given it.

A consumer that has failed for good is replaced (see `consumers.standing.twins`).

Callbacks of the consumer run in the loop's own thread, inside `consume`. If it dies here, the next owner attaches from Redis.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from consumers.standing.consumed import Consumed, is_final, sort_out
from consumers.standing.lanes import PublishingLanes
from consumers.standing.partition import Committed, Partition, attach
from consumers.standing.report import Report
from consumers.standing.transaction import Job
from consumers.standing.twins import Refusals
from exchange.errors import RetryLaterError
from exchange.kafka import leave
from exchange.standing_store import StandingStore
from exchange.topics import Topics

BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds to wait while a server is away; the last one is repeated."""
PAUSED_POLL = 0.05


def pauses() -> Iterator[float]:
    """Seconds to wait before each new try, without end."""
    return itertools.chain(BACKOFF, itertools.repeat(BACKOFF[-1]))


class Assignment:
    """Owned partitions, and what comes from them.

    Args:
        new_consumer: makes a consumer in the processors' group, read_committed, not auto-committing.
        store: standings.
        publisher: of outboxes.
        topics: names of the bus's topics.
        policy: version of the policy that is judged by.
        limit: rejected records in a row after which a department's topic is held.
        report: metrics.
        new_token: makes commit tokens.
        on_step: told the name of each step as it begins.
        before_handover: called before partitions are given away, to bring what is under way to its end.
    """

    def __init__(
        self,
        *,
        new_consumer: Callable[[], Consumer],
        store: StandingStore,
        publisher: PublishingLanes,
        topics: Topics,
        policy: str,
        limit: int,
        report: Report,
        new_token: Callable[[], str],
        on_step: Callable[[str], None],
        before_handover: Callable[[], None],
    ) -> None:
        self._new_consumer = new_consumer
        self._consumer = new_consumer()
        self._store = store
        self._publisher = publisher
        self._internal = topics.internal
        self._policy = policy
        self._limit = limit
        self._report = report
        self._new_token = new_token
        self._on_step = on_step
        self._before_handover = before_handover
        self.partitions: dict[int, Partition] = {}
        self._places: list[TopicPartition] = []
        self._stash: list[Consumed] = []
        self.generation_told = True
        self.broken = False
        self.stopping = False
        self._topics: list[str] = []
        self._leaving = False
        self._refusals = Refusals()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Join the group."""
        self._topics = list(topics)
        self._consumer.subscribe(self._topics, on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose)

    def close(self) -> None:
        """Leave the group."""
        self._leaving = True
        leave(self._consumer)
        self._leaving = False

    def replace(self) -> None:
        """Join the group anew with another consumer, after this one is `broken`.

        Raises:
            FatalError: it is broken so often that somebody else must have this member's name.
        """
        self._refusals.note()
        self._report.rejoining()
        self._before_handover()
        self._lose(self._consumer, self._places)
        self.close()
        self.broken = False
        self._consumer = self._new_consumer()
        self.subscribe(self._topics)

    def consume(self, limit: int, *, wait: float) -> list[Consumed]:
        """Whatever is there, at once when something is, else within `wait` seconds; about `limit` messages."""
        messages, self._stash = self._stash, []
        first = None if messages else self._consumer.poll(wait)
        if first is None and not messages:
            return []
        found = [first] if first is not None else []
        return messages + self._good(found + self._consumer.consume(limit, 0))

    def _good(self, messages: list[Message]) -> list[Consumed]:
        good, errors = sort_out(messages)
        if errors:
            self._report.consumer_errors(errors)
            self.broken = self.broken or any(map(is_final, errors))
        return good

    def tell_generation(self) -> None:
        """Let the publisher go on as a member of the newest generation, unless it has been told."""
        if not self.generation_told:
            self.generation_told = True
            self._publisher.join_generation(self._consumer.consumer_group_metadata())

    def tell_state(self) -> None:
        """Lag and the like, to the metrics."""
        owned = list(self.partitions.values())
        self._report.state(self._consumer, self._places, owned, self._publisher, self._held())

    def _held(self) -> set[tuple[str, int]]:
        """Topics and partitions that are held back."""
        return {(topic, p.number) for p in self.partitions.values() for topic in p.held(self._limit)}

    def attach_again(self, numbers: Iterable[int]) -> None:
        """Forget what is in memory and begin again from Redis: after being fenced, or after a server was away."""
        chosen = set(numbers)
        self._publisher.forget(chosen)
        places = [place for place in self._places if place.partition in chosen]
        if not places:
            return  # given away meanwhile
        self._stash = [message for message in self._stash if message.partition() not in chosen]
        self._attach(places)
        for place in places:
            self._seek(place.topic, place.partition)

    def hold(self, partition: Partition, topics: set[str]) -> None:
        """Take no more of these topics: their department sends one bad record after another."""
        self._consumer.pause([TopicPartition(topic, partition.number) for topic in topics])
        self._report.held(partition, topics)

    def release(self) -> None:
        """Go on with held topics that an operator has released (`creditbus rejected release`)."""
        for partition in self.partitions.values():
            held = partition.held(self._limit)
            runs = self._store.cursor(partition.number).held if held else {}
            for topic in held:
                if runs.get(topic, 0) == 0:
                    partition.rejected_runs[topic] = 0
                    self._seek(topic, partition.number)
                    self._consumer.resume([TopicPartition(topic, partition.number)])
                    self._report.released(topic)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No input, but still a live member of the group."""
        self._consumer.pause(self._consumer.assignment())
        try:
            yield
        finally:
            held = self._held()
            self._consumer.resume([p for p in self._consumer.assignment() if (p.topic, p.partition) not in held])

    def stay(self) -> None:
        """Answer the group while paused; what still comes is kept for the next `consume`."""
        message = self._consumer.poll(PAUSED_POLL)
        if message is not None:
            self._stash += self._good([message])

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        if self._leaving:
            consumer.assign([])  # an answer all the same: without one the group would wait for it
            return
        self._on_step("assign")
        self._publisher.join_generation(None)
        self.generation_told = False
        self._places = places
        for pause in pauses():
            try:
                self._attach(places)
                break
            except RetryLaterError as error:
                self._report.waiting(error)
                time.sleep(pause)
            if self.stopping:
                self._places = []
                consumer.assign([])  # an answer all the same
                return
        consumer.assign([TopicPartition(p.topic, p.partition, self._next_offset(p)) for p in places])
        consumer.resume(places)  # librdkafka remembers a pause from an assignment before
        for partition in self.partitions.values():
            held = partition.held(self._limit)
            if held:
                self.hold(partition, held)

    def _revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._on_step("revoke")
        self._before_handover()
        self._publisher.drain(below=1, timeout=5)
        self._lose(consumer, places)

    def _lose(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        numbers = {place.partition for place in places}
        self._publisher.forget(numbers)
        for number in numbers:
            self.partitions.pop(number, None)
        self._places = [place for place in self._places if place.partition not in numbers]
        self._stash = [message for message in self._stash if message.partition() not in numbers]

    def _attach(self, places: list[TopicPartition]) -> None:
        """Take the partitions over from Redis' cursor and Kafka's committed offsets.

        Raises:
            RetryLaterError: a server is away.
        """
        self._publisher.demand_ready()
        for number, committed in self._committed(places).items():
            attached = attach(number, self._store, committed, policy=self._policy, new_token=self._new_token)
            partition = self.partitions[number] = attached.partition
            if partition.reconcile:
                self._report.reconciling(partition)
            elif attached.unpublished:
                messages = [(one.topic, one.key, one.value) for one in attached.unpublished]
                offsets = {self._internal: 0, **partition.offsets}
                self._publisher.offer(Job(number, partition.token, partition.epoch, messages, offsets))

    def _committed(self, places: list[TopicPartition]) -> dict[int, Committed]:
        """What Kafka knows of each partition."""
        try:
            committed: list[Any] = self._consumer.committed(places, 30)
        except KafkaException as error:
            raise RetryLaterError(
                f"Kafka: {error.args[0].str()}", code="kafka_away", remedy="check the brokers"
            ) from error
        found = {}
        for number in sorted({place.partition for place in places}):
            mine = [place for place in committed if place.partition == number]
            metadata = next((place.metadata for place in mine if place.topic == self._internal), "")
            offsets = {place.topic: place.offset for place in mine if place.offset >= 0}
            found[number] = Committed.parse(offsets, metadata or "")
        return found

    def _seek(self, topic: str, number: int) -> None:
        place = TopicPartition(topic, number)
        place.offset = self._next_offset(place)
        for pause in BACKOFF[:3]:  # then the loop waits, which answers the group and hears what is wrong
            try:
                self._consumer.seek(place)
            except KafkaException:
                time.sleep(pause)
            else:
                return
        raise RetryLaterError(f"cannot seek {topic} [{number}]", remedy="check the brokers")

    def _next_offset(self, place: TopicPartition) -> int:
        return self.partitions[place.partition].offsets.get(place.topic, OFFSET_BEGINNING)
