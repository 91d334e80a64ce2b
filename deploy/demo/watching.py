"""Watches every department's topics from outside, as they are read by everybody else: read_committed, from now on."""

import threading
import time
from collections.abc import Iterable
from typing import Self

from confluent_kafka import Consumer, Message, TopicPartition

from deploy.demo.seen import Seen
from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.errors import UndecodableError
from exchange.kafka import open_admin, reading
from exchange.kafka_places import ends
from exchange.topics import Topics

AT_ONCE = 500


def ends_of(kafka: Brokers, topics: Iterable[str], partitions: int) -> list[TopicPartition]:
    """Where each partition of the topics ends now.

    Raises:
        RetryLaterError: Kafka is away.
    """
    places = [(topic, number) for topic in topics for number in range(partitions)]
    return [TopicPartition(*place, end) for place, end in ends(open_admin(kafka), places).items()]


class Watcher:
    """Feeds `Seen` from the topics, in a thread; a context manager.

    Args:
        kafka: where it is, and how it is spoken to.
        topics: names of the bus's topics.
        departments: whose topics.
        partitions: of every topic.
        codec: of the schemas.
        seen: where to put it.
    """

    def __init__(
        self, kafka: Brokers, topics: Topics, departments: Iterable[str], partitions: int, codec: Codec, seen: Seen
    ) -> None:
        self._kinds: dict[str, tuple[str, str]] = {topics.standing: ("standing", "")}
        for department in departments:
            self._kinds[topics.into(department)] = ("in", department)
            self._kinds[topics.out_of(department)] = ("out", department)
            self._kinds[topics.rejected_of(department)] = ("rejected", department)
        self._codec = codec
        self._seen = seen
        self._stop = threading.Event()
        self._consumer = Consumer(reading(kafka, "demo.watch"))
        self._places = ends_of(kafka, self._kinds, partitions)
        self._thread = threading.Thread(target=self._run, name="demo-watch", daemon=True)

    def __enter__(self) -> Self:
        self._consumer.assign(self._places)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            first = self._consumer.poll(0.2)
            if first is not None:
                at = time.time()
                for message in (first, *self._consumer.consume(AT_ONCE, 0)):
                    if message.error() is None:
                        self._take(message, at)

    def _take(self, message: Message, at: float) -> None:
        kind, department = self._kinds[message.topic() or ""]
        try:
            record_type, value = self._codec.decode(message.value() or b"")
        except UndecodableError:
            record_type, value = "undecodable", {}
        if kind == "in":
            value["record_type"] = record_type
        self._seen.take(kind, department, value, at)
