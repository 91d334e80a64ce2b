"""Intake: the dispatcher's consumer of notices, and where in each topic it stands. Belongs to one thread, which may block.

All departments' topics are subscribed to, so that one process owns partition p of them all; those of departments without an
endpoint are paused and cost nothing. Offsets of Redis are the truth; Kafka's are committed for showing the lag.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.dispatcher.queue import Pointer
from consumers.standing.consumed import is_final
from exchange.codec import Codec
from exchange.errors import RejectedError, RetryLaterError
from exchange.kafka import leave
from exchange.topics import Topics
from exchange.tracing import PARENT

if TYPE_CHECKING:
    from consumers.dispatcher.traces import DeliveryTraces

Place = tuple[str, int]
"""Department and partition."""
REQUEST_SECONDS = 30.0
WAIT_SECONDS = 0.05
AGAIN_SECONDS = 0.5
log = logging.getLogger("creditbus.dispatcher")


class Start(NamedTuple):
    """Where to begin reading: at an offset, or, where that is None, with what came since a time (milliseconds; 0: all)."""

    offset: int | None
    since: int = 0


class Arrived(NamedTuple):
    """A notice that was read."""

    department: str
    pointer: Pointer
    raw: bytes


@dataclass(slots=True)
class Batch:
    """What one turn of the consumer gave.

    Attributes:
        arrived: notices.
        ended: places whose end was reached.
        refused: the group has refused this member for good; it joins anew or not at all.
    """

    arrived: list[Arrived] = field(default_factory=list)
    ended: list[Place] = field(default_factory=list)
    refused: bool = False


class Intake:
    """Reads notices.

    Args:
        new_consumer: makes a consumer of the dispatchers' group: read_committed, not auto-committing, telling ends of partitions.
        topics: names of the bus's topics.
        departments: all of them.
        codec: of the contracts.
        urgent: measures that are urgent.
        batch: messages at once, at most.
        on_assign: takes partitions over and says where to begin in each place; called in this thread.
        on_revoke: brings partitions to their end; called in this thread.
        traces: told of notices that are traced; None where traces are off.
    """

    def __init__(
        self,
        new_consumer: Callable[[], Consumer],
        topics: Topics,
        departments: Sequence[str],
        codec: Codec,
        urgent: frozenset[str],
        *,
        batch: int,
        on_assign: Callable[[list[int]], Mapping[Place, Start]],
        on_revoke: Callable[[list[int], bool], None],
        traces: "DeliveryTraces | None" = None,
    ) -> None:
        self._new_consumer = new_consumer
        self._consumer = new_consumer()
        self._codec = codec
        self._urgent = urgent
        self._batch = batch
        self._on_assign = on_assign
        self._on_revoke = on_revoke
        self._traces = traces
        self._topic_of = {name: topics.out_of(name) for name in departments}
        self._department_of = {topic: name for name, topic in self._topic_of.items()}
        self._actions = _actions(codec)
        self._leaving = self._refused = False

    def join(self) -> None:
        """Join the group."""
        self._consumer.subscribe(
            list(self._department_of), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose
        )

    def leave(self) -> None:
        """Leave the group."""
        self._leaving = True
        leave(self._consumer)
        self._leaving = False

    def join_anew(self) -> None:
        """Join the group with another consumer, after it has refused this one for good."""
        self.leave()
        self._consumer = self._new_consumer()
        self._refused = False
        self.join()

    def poll(self) -> Batch:
        """What is there, at once when something is, else within a moment."""
        found = Batch()
        first = self._consumer.poll(WAIT_SECONDS)
        for message in [] if first is None else [first, *self._consumer.consume(self._batch, 0)]:
            error = message.error()
            if error is None:
                self._take(message, found)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 # librdkafka's own codes are named so
                found.ended.append((self._department_of[message.topic() or ""], message.partition() or 0))
            elif is_final(error):
                self._refused = True
        found.refused = self._refused
        return found

    def begin(self, starts: Mapping[Place, Start]) -> None:
        """Read on at other places of partitions that are assigned.

        Raises:
            RetryLaterError: Kafka is away.
        """
        places = self._resolve(starts)
        try:
            self._consumer.pause(places)
            for place in places:
                self._consumer.seek(place)
            self._consumer.resume(places)
        except KafkaException as error:
            raise RetryLaterError(f"cannot seek: {error.args[0].str()}", code="kafka_away") from error

    def end(self, places: Iterable[Place]) -> None:
        """Read nothing more of these places."""
        self._consumer.pause([TopicPartition(self._topic_of[name], number) for name, number in places])

    def offset_since(self, place: Place, since: int) -> int | None:
        """The first offset that came at or after a time; None when there is none.

        Raises:
            RetryLaterError: Kafka is away.
        """
        (found,) = self._at_times([TopicPartition(self._topic_of[place[0]], place[1], since)])
        return found.offset if found.offset >= 0 else None

    def positions(self, offsets: Mapping[Place, int]) -> dict[Place, int]:
        """How far places are read, which is past the markers behind their last notices; at least to the offsets that are given."""
        asked = [TopicPartition(self._topic_of[name], number) for name, number in offsets]
        try:
            found = self._consumer.position(asked) if asked else []
        except KafkaException:  # a consumer that has failed for good
            return dict(offsets)
        read = {(self._department_of[one.topic], one.partition): one.offset for one in found}
        return {place: max(offset, read[place]) for place, offset in offsets.items()}

    def show_progress(self, offsets: Mapping[Place, int]) -> None:
        """Commit offsets to Kafka, so that tools show the lag; nothing is read from them."""
        places = [TopicPartition(self._topic_of[name], number, offset) for (name, number), offset in offsets.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            log.warning("offsets not shown error=%s", error.args[0])

    def _take(self, message: Message, found: Batch) -> None:
        raw, department = message.value() or b"", self._department_of[message.topic() or ""]
        try:
            _, notice = self._codec.decode_plain(raw)
        except RejectedError as error:
            log.error("notice not readable topic=%s offset=%s error=%s", message.topic(), message.offset(), error.code)  # noqa: TRY400 # nothing of its content
            return
        changes = tuple((one["measure"], self._actions[one["action"]]) for one in notice["changes"])
        pointer = Pointer(
            partition=message.partition() or 0, subject=notice["subject"], epoch=notice["epoch"], n=notice["n"],
            notice=notice["id"], offset=message.offset() or 0, issued_at=notice["issued_at"], changes=changes,
            urgent=any(measure in self._urgent for measure, _ in changes),
        )  # fmt: skip
        if self._traces is not None:
            headers: Any = message.headers() or ()
            parent = next((value for name, value in headers if name == PARENT), None)
            if parent is not None:
                self._traces.arrived(pointer.notice, parent.decode("latin-1"))
        found.arrived.append(Arrived(department, pointer, raw))

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        if self._is_ending(consumer):
            consumer.assign([])  # an answer all the same: without one the group would wait for it
            return
        starts = self._on_assign(sorted({place.partition for place in places}))
        begun = {(one.topic, one.partition): one for one in self._resolve_patiently(starts)}
        idle = [TopicPartition(p.topic, p.partition, OFFSET_END) for p in places if (p.topic, p.partition) not in begun]
        try:
            consumer.assign([*begun.values(), *idle])
            consumer.resume(list(begun.values()))  # librdkafka remembers a pause from an assignment before
            consumer.pause(idle)
        except KafkaException as error:
            if not is_final(error.args[0]):
                raise
            self._refused = True

    def _revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._take_back(consumer, places, lost=False)

    def _lose(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._take_back(consumer, places, lost=True)

    def _take_back(self, consumer: Consumer, places: list[TopicPartition], *, lost: bool) -> None:
        if consumer is self._consumer:  # not one that was left behind when it did not close
            self._on_revoke(sorted({place.partition for place in places}), lost)

    def _is_ending(self, consumer: Consumer) -> bool:
        return self._leaving or consumer is not self._consumer

    def _resolve_patiently(self, starts: Mapping[Place, Start]) -> list[TopicPartition]:
        """As `_resolve`; the group waits meanwhile, as long as it takes."""
        while True:
            try:
                return self._resolve(starts)
            except RetryLaterError as error:
                log.warning("waiting code=%s detail=%s", error.code, error)
                time.sleep(AGAIN_SECONDS)

    def _resolve(self, starts: Mapping[Place, Start]) -> list[TopicPartition]:
        """Places with the offsets to begin at."""
        known, asked = [], []
        for (department, number), start in starts.items():
            topic = self._topic_of[department]
            if start.offset is not None:
                known.append(TopicPartition(topic, number, start.offset))
            elif not start.since:
                known.append(TopicPartition(topic, number, OFFSET_BEGINNING))
            else:
                asked.append(TopicPartition(topic, number, start.since))
        return known + (self._at_times(asked) if asked else [])

    def _at_times(self, asked: list[TopicPartition]) -> list[TopicPartition]:
        try:
            return list(self._consumer.offsets_for_times(asked, timeout=REQUEST_SECONDS))
        except KafkaException as error:
            raise RetryLaterError(f"Kafka: {error.args[0].str()}", code="kafka_away", remedy="check it") from error


def _actions(codec: Codec) -> tuple[str, ...]:
    changes = next(one for one in codec.contracts.latest["notice"].schema["fields"] if one["name"] == "changes")
    return tuple(changes["type"]["items"]["fields"][1]["type"]["symbols"])
