"""The load: a seeded province publishes all the time, with corrections, repetitions, disorder and now and then bytes that are no record."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zlib import crc32

from confluent_kafka import KafkaError, Message, Producer

from exchange.codec import Codec
from exchange.kafka import LOSSLESS
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from exchange.topics import Topics
from producers.simulator.simulate import simulate
from tests.faults.bus import Record

SUBJECTS = 300
"""Few, so that each has to do with many departments."""
GARBAGE = 0.005
"""Share of what is sent that is no record: it must be in quarantine, once."""
FLUSH_SECONDS = 240


class Load:
    """Publishes in a thread until stopped, and knows what the brokers have confirmed.

    Args:
        settings: of the bus.
        seed: the same seed gives the same records in the same order.
        rate: records a second.
    """

    def __init__(self, settings: Settings, codec: Codec, *, seed: int, rate: float) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._codec = codec
        self._rate = rate
        self._chance = random.Random(seed)
        self._stream = self._records(seed)
        self._producer = Producer({**settings.kafka.config(), "linger.ms": 2, "log_level": 2} | LOSSLESS)
        self._lock = threading.Lock()
        self.confirmed: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        """Topic to partition, offset and checksum of each record that is confirmed."""
        self.sent = 0
        self.sent_again = 0
        self._over = threading.Event()
        self._resting = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Publish no more, and have everything confirmed."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(30)
        self.flush()

    def rest(self, *, resting: bool) -> None:
        """Publish nothing for a while, or go on."""
        (self._resting.set if resting else self._resting.clear)()

    def flush(self) -> None:
        """Have everything confirmed."""
        left = self._producer.flush(FLUSH_SECONDS)
        assert left == 0, f"{left} records are not confirmed after {FLUSH_SECONDS} s"

    def send(self, department: str, record_type: str, record: dict[str, Any]) -> None:
        """Publish a record; from any thread."""
        self.send_raw(department, record["subject"].encode(), self._codec.encode(record_type, record))

    def send_raw(self, department: str, key: bytes, raw: bytes) -> None:
        """Publish bytes as they are; what is not confirmed is published again, as a department does after any doubt."""
        again = partial(self._answered, department, key, raw)
        while True:
            try:
                self._producer.produce(self._topics.into(department), raw, key, on_delivery=again)
            except BufferError:
                self._producer.poll(0.05)
            else:
                with self._lock:
                    self.sent += 1
                return

    def _answered(self, department: str, key: bytes, raw: bytes, error: KafkaError | None, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if error is None and topic is not None and partition is not None and offset is not None:
            with self._lock:
                self.confirmed[topic].append((partition, offset, crc32(raw)))
        else:
            with self._lock:
                self.sent_again += 1
                self.sent -= 1
            self.send_raw(department, key, raw)

    def _records(self, seed: int) -> Iterator[Record]:
        keys = load_person_keys(Settings(), embedded=True)
        today = datetime.now(UTC).date()
        for department, record_type, value in simulate(seed, SUBJECTS, today=today, keys=keys, repeated=0.05, disordered=0.05):  # fmt: skip
            yield department, record_type, dict(value)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            self._producer.poll(0)
            if self._resting.is_set():
                due = time.monotonic()
                self._over.wait(0.02)
                continue
            due = max(due + 1 / self._rate, time.monotonic() - 1)
            department, record_type, record = next(self._stream)
            if self._chance.random() < GARBAGE:
                self.send_raw(department, record["subject"].encode(), self._chance.randbytes(20))
            else:
                self.send(department, record_type, record | {"published_at": datetime.now(UTC)})
            while (left := due - time.monotonic()) > 0 and not self._over.is_set():
                self._producer.poll(min(left, 0.02))
