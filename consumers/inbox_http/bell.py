"""The bell: rings when a department gets a notice, so that whoever waits neither holds a Kafka reader nor asks again and again.

One Kafka reader follows the topics of the departments that have waited since the start; what it reads it throws away. It begins
exactly where the first who waits has read to, and who waits listens before he reads: so no notice falls between.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.inbox_http.cursor import Offsets

_POLL_SECONDS = 0.05
"""A topic is followed at most so much after somebody began to wait for it."""
_BATCH = 1000
log = logging.getLogger("creditbus.inbox")


class Bell:
    """Rings for departments. `listen` and `close` belong to the event loop, in which it is made.

    Args:
        consumer: of `open_consumer`, assigned nothing yet.
        loop: of those who wait.
    """

    def __init__(self, consumer: Consumer, loop: asyncio.AbstractEventLoop) -> None:
        self._consumer = consumer
        self._loop = loop
        self._listening: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._watched: set[str] = set()
        self._to_watch: SimpleQueue[list[TopicPartition]] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="bell", daemon=True)
        self._thread.start()

    @property
    def closing(self) -> bool:
        """Whether everybody is to stop waiting."""
        return self._closing.is_set()

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set when a notice comes on a department's topic, and when the bell closes."""
        rung = asyncio.Event()
        self._listening[topic].add(rung)
        try:
            yield rung
        finally:
            self._listening[topic].discard(rung)

    def watch(self, topic: str, offsets: Offsets) -> None:
        """Follow a topic from some offsets on, which somebody has just read to; it is followed from then on."""
        if topic in self._watched:
            return
        self._watched.add(topic)
        self._to_watch.put([TopicPartition(topic, number, offset) for number, offset in enumerate(offsets)])

    def wake_all(self) -> None:
        """Everybody is to stop waiting; may be called from a signal handler."""
        self._closing.set()
        self._loop.call_soon_threadsafe(self._ring, tuple(self._listening))

    def close(self) -> None:
        """Wake everybody and stop following."""
        self.wake_all()
        self._thread.join()
        self._consumer.close()

    def _follow(self) -> None:
        """The bell's thread."""
        while not self._closing.is_set():
            while not self._to_watch.empty():
                self._consumer.incremental_assign(self._to_watch.get())
            first = self._consumer.poll(_POLL_SECONDS)
            if first is None:
                continue
            topics = set()
            for message in (first, *self._consumer.consume(_BATCH, 0)):
                error = message.error()
                if error is None:
                    topics.add(message.topic() or "")
                elif error.fatal():
                    log.error("the bell is silent error=%s", KafkaException(error))
            if topics:
                self._loop.call_soon_threadsafe(self._ring, tuple(topics))

    def _ring(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            for rung in self._listening[topic]:
                rung.set()
