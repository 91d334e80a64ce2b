"""Reads notices from where a cursor stands: plain Kafka readers outside any group, taken from a bounded pool."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.inbox_http.cursor import END, Offsets
from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.errors import CreditbusError, RetryLaterError, UndecodableError
from exchange.kafka import REFRESHED, translate
from exchange.kafka_places import watermarks

Notice = dict[str, Any]
"""A decoded notice: the fields of schemas/records/notice.avsc."""
Answer = TypeVar("Answer")

READ_SECONDS = 10.0
"""Kafka has this long to give a page."""
_FIRST_WINDOW = 2_000
_WINDOW_GROWTH = 8
"""One notice is looked for from the newest backwards, in windows of so many offsets, each so many times larger."""
_QUIET = logging.getLogger("creditbus.kafka")
log = logging.getLogger("creditbus.inbox")


class Taken(NamedTuple):
    """A notice, and where it lies."""

    partition: int
    offset: int
    notice: Notice


class Page(NamedTuple):
    """What was read: the notices in the order of each partition, from where to where, and whether that is the end."""

    taken: tuple[Taken, ...]
    begin: Offsets
    offsets: Offsets
    caught_up: bool


class Reader:
    """One Kafka reader; used by one thread at a time.

    Args:
        consumer: of `open_consumer`.
        codec: of the contracts.
        on_bad: told of each message that is no notice; it is passed over.
    """

    def __init__(self, consumer: Consumer, codec: Codec, on_bad: Callable[[], None]) -> None:
        self.consumer = consumer
        self._codec = codec
        self._on_bad = on_bad

    def read(self, topic: str, offsets: Offsets, limit: int) -> Page:
        """Up to so many notices from some offsets on, without waiting for more to come.

        Raises:
            RetryLaterError: Kafka is away.
        """
        places = list(offsets)
        taken: list[Taken] = []
        ended: set[int] = set()
        with self._assigned([TopicPartition(topic, number, offset) for number, offset in enumerate(offsets)]):
            for message in self._messages(lambda: limit - len(taken)):
                number, offset = message.partition() or 0, message.offset() or 0
                if _is_end(message):
                    ended.add(number)
                    places[number] = max(offset, places[number])
                else:
                    places[number] = offset + 1
                    notice = self._decode(message)
                    if notice is not None:
                        taken.append(Taken(number, offset, notice))
                if len(taken) >= limit or len(ended) == len(places):
                    break
            else:
                if not taken:
                    raise _away(topic)
        return Page(tuple(taken), offsets, tuple(places), len(ended) == len(places) and len(taken) < limit)

    def ends(self, topic: str, partitions: int) -> Offsets:
        """Where the next notice of each partition will lie.

        Raises:
            RetryLaterError: Kafka is away.
        """
        found: dict[int, int] = {}
        with self._assigned([TopicPartition(topic, number, END) for number in range(partitions)]):
            for message in self._messages(lambda: _FIRST_WINDOW):
                found.setdefault(message.partition() or 0, message.offset() or 0)
                if len(found) == partitions:
                    return tuple(found[number] for number in range(partitions))
        raise _away(topic)

    def find(self, topic: str, partition: int, subject: str, notice_id: str) -> Notice | None:
        """One notice of a subject, looked for in its partition from the newest backwards.

        Raises:
            RetryLaterError: Kafka is away, or the search takes too long.
        """
        place = (topic, partition)
        first, end = watermarks(self.consumer, [place], READ_SECONDS)[place]
        window = _FIRST_WINDOW
        while end > first:
            begin = max(first, end - window)
            found = self._find_between(TopicPartition(topic, partition, begin), end, subject.encode(), notice_id)
            if found is not None:
                return found
            end, window = begin, window * _WINDOW_GROWTH
        return None

    def _find_between(self, begin: TopicPartition, end: int, subject: bytes, notice_id: str) -> Notice | None:
        with self._assigned([begin]):
            for message in self._messages(lambda: 1000):
                if _is_end(message) or (message.offset() or 0) >= end:
                    return None
                if message.key() == subject:
                    notice = self._decode(message)
                    if notice is not None and notice["id"] == notice_id:
                        return notice
        raise _away(begin.topic)

    def _messages(self, room: Callable[[], int]) -> Iterator[Message]:
        """Messages and ends of partitions as they come, at most so many ahead, until Kafka's time is up."""
        deadline = time.monotonic() + READ_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            first = self.consumer.poll(left)
            for message in (
                [first, *self.consumer.consume(room() - 1, 0)] if first is not None and room() > 1 else [first]
            ):
                if message is None:
                    continue
                error = message.error()
                if error is None or _is_end(message):
                    yield message
                else:
                    failure = translate(KafkaException(error), "reading notices")
                    if not isinstance(failure, RetryLaterError) and not _is_moving(error):
                        raise failure

    def _decode(self, message: Message) -> Notice | None:
        try:
            return self._codec.decode(message.value() or b"")[1]
        except UndecodableError as error:
            self._on_bad()
            log.warning(
                "not a notice topic=%s partition=%s offset=%s reason=%s",
                message.topic(), message.partition(), message.offset(), error.reasons[0].code,
            )  # fmt: skip
            return None

    @contextmanager
    def _assigned(self, places: list[TopicPartition]) -> Iterator[None]:
        self.consumer.assign(places)
        try:
            yield
        finally:
            self.consumer.unassign()


class Readers:
    """The pool: so many readers, opened as they are needed, each in a thread of its own while it reads.

    Args:
        kafka: where it is, and how it is spoken to.
        codec: of the contracts.
        size: readers at most; who comes when all are busy waits for his turn.
        on_bad: see `Reader`.
    """

    def __init__(self, kafka: Brokers, codec: Codec, size: int, on_bad: Callable[[], None]) -> None:
        self._kafka = kafka
        self._codec = codec
        self._on_bad = on_bad
        self._idle: LifoQueue[Reader] = LifoQueue()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="reader")

    async def read(self, topic: str, offsets: Offsets, limit: int) -> Page:
        """See `Reader.read`."""
        return await self.run(lambda reader: reader.read(topic, offsets, limit))

    async def ends(self, topic: str, partitions: int) -> Offsets:
        """See `Reader.ends`."""
        return await self.run(lambda reader: reader.ends(topic, partitions))

    async def find(self, topic: str, partition: int, subject: str, notice_id: str) -> Notice | None:
        """See `Reader.find`."""
        return await self.run(lambda reader: reader.find(topic, partition, subject, notice_id))

    async def run(self, act: Callable[[Reader], Answer]) -> Answer:
        """Let one of the readers do something, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._act, act)

    def _act(self, act: Callable[[Reader], Answer]) -> Answer:
        try:
            reader = self._idle.get_nowait()
        except Empty:
            reader = Reader(open_consumer(self._kafka), self._codec, self._on_bad)
        try:
            answer = act(reader)
        except CreditbusError:
            reader.consumer.close()  # whatever ails it, the next one begins afresh
            raise
        self._idle.put(reader)
        return answer

    def close(self) -> None:
        """Close every reader."""
        self._threads.shutdown()
        while not self._idle.empty():
            self._idle.get_nowait().consumer.close()


def open_consumer(kafka: Brokers, *, wait_ms: int = 5, **changes: str | int | bool) -> Consumer:
    """A reader of committed notices that belongs to no group and says where each partition ends.

    It is told where all topics lie at once: librdkafka asks for a topic that it does not know by a timer, which made the first page of
    each department from each reader take up to a second.

    Args:
        kafka: where it is, and how it is spoken to.
        wait_ms: how long the broker holds back the answer that there is nothing more.
        changes: to its settings.

    Raises:
        RetryLaterError: Kafka is away.
    """
    consumer = Consumer(
        {
            **kafka.config(),
            "group.id": "inbox-http",  # never joined
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": wait_ms,
            "fetch.error.backoff.ms": 50,
            "queued.min.messages": 1000,
            "max.partition.fetch.bytes": 262_144,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 500,
            "metadata.max.age.ms": 86_400_000,  # what moves is asked for again when it has moved
            "log_level": 2,
            **REFRESHED,
            **changes,
        },
        logger=_QUIET,
    )
    try:
        consumer.list_topics(timeout=READ_SECONDS)
    except KafkaException as error:
        consumer.close()
        raise translate(error, "asking for the topics") from error
    return consumer


def _away(topic: str) -> RetryLaterError:
    remedy = "see that Kafka runs and that the topic is there (creditbus topics apply), and ask again"
    return RetryLaterError(f"{topic} cannot be read within {READ_SECONDS:g} s", code="kafka_unavailable", remedy=remedy)


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 # librdkafka's own codes are named so


def _is_moving(error: KafkaError) -> bool:
    """Brokers that start do not know their topics yet."""
    return error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION)  # noqa: SLF001 # as above
