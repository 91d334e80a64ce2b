"""A bus under fault: feed it records, run and kill its processors, wait until it is quiet, and ask the oracle."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Producer

from consumers.standing.run import build_verifier
from consumers.standing.verdict import Verdict
from consumers.standing.verify import Verifier
from exchange.catalogue import load_catalogue
from exchange.codec import Codec, open_codec
from exchange.errors import RetryLaterError
from exchange.kafka import LOSSLESS, open_admin
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics, apply_topics
from tests.conftest import clear_bus, environment_of

PROCESSOR = Path(__file__).with_name("processor_main.py")
STEPS = ("consume", "commit", "sent", "committed", "publish", "published", "assign")
"""Where a processor is killed: each numbered step, before and after."""

Record = tuple[str, str, dict[str, Any]]
"""Department, record type, value."""


class BusUnderFault:
    """One bus of a test: topics applied, nothing in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.topics = Topics(settings.topic_prefix)
        self.codec: Codec = open_codec(settings, SCHEMAS)
        self.departments = sorted(load_catalogue(SCHEMAS).departments)
        apply_topics(open_admin(settings.kafka), self.departments, settings)
        self.store = Store(connect(settings.redis))
        self._producer = Producer({**settings.kafka.config(), "linger.ms": 2} | LOSSLESS)
        self.processors: list[subprocess.Popen[bytes]] = []
        self.fed = 0

    def feed(self, records: Iterable[Record]) -> None:
        """Publish records and wait until the broker has them."""
        for department, record_type, value in records:
            self.feed_raw(department, value["subject"].encode(), self.codec.encode(record_type, value))
        assert self._producer.flush(60) == 0

    def feed_raw(self, department: str, key: bytes, raw: bytes) -> None:
        """Publish bytes as they are."""
        while True:
            try:
                self._producer.produce(self.topics.into(department), raw, key)
            except BufferError:
                self._producer.poll(0.05)
            else:
                self.fed += 1
                return

    def start(
        self, name: str, step: str = "", count: int = 0, broken: str = "", **changes: str
    ) -> subprocess.Popen[bytes]:
        """Start a processor; with a step it kills itself there the `count`-th time, and may commit in a broken way."""
        environment = environment_of(self.settings) | {
            "CREDITBUS_INSTANCE_ID": name, "CREDITBUS_BATCH_RECORDS": "200", **changes,
        }  # fmt: skip
        command = [sys.executable, str(PROCESSOR), *([step, str(count)] if step else []), *([broken] if broken else [])]
        process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
        self.processors.append(process)
        return process

    def stop_all(self) -> None:
        """End every processor in good order, and see that it ends."""
        for process in self.processors:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processors:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGUSR1)  # where it hangs goes to stderr
                time.sleep(1)
                raise
        self.processors.clear()

    def taken_in(self) -> int:
        """Records of departments that Redis' cursors have behind them."""
        cursors = [self.store.cursor(number) for number in range(self.settings.partitions)]
        return sum(o for c in cursors for topic, o in c.offsets.items() if topic != self.topics.internal)

    def wait_quiet(self, within: float = 120.0) -> None:
        """Until all that was fed is taken in, all outboxes are published and nothing reconciles."""
        until = time.monotonic() + within
        calm = 0
        while calm < 3:
            assert time.monotonic() < until, self.unquiet()
            time.sleep(0.3)
            try:
                is_quiet = self.taken_in() >= self.fed and not self.verifier().waiting()
            except RetryLaterError:  # leaders of new topics are still being found
                is_quiet = False
            calm = calm + 1 if is_quiet else 0

    def wait_taken_in(self, within: float = 60.0) -> None:
        """Until all that was fed is behind Redis' cursors, whatever follows from it."""
        until = time.monotonic() + within
        while self.taken_in() < self.fed:
            assert time.monotonic() < until, self.unquiet()
            time.sleep(0.2)

    def unquiet(self) -> str:
        """Why it is not quiet; where the processors are goes to stderr."""
        for process in self.processors:
            if process.poll() is None:
                process.send_signal(signal.SIGUSR1)
        time.sleep(1)
        cursors = [self.store.cursor(number) for number in range(self.settings.partitions)]
        published = self.verifier().committed_tokens()
        found = [
            f"outbox={len(self.store.outbox(number))} token={cursor.token} published={cursor.published} kafka={token}"
            f" reconcile={cursor.reconcile} epoch={cursor.epoch}"
            for number, (cursor, token) in enumerate(zip(cursors, published, strict=True))
        ]
        return "\n".join([f"not quiet: {self.taken_in()} of {self.fed} taken in", *found])

    def at_rest_with_redis_wiped(self, records: Iterable[Record]) -> None:
        """Take records in with one processor, end it, and lose all that Redis had."""
        self.start("one")
        self.feed(records)
        self.wait_quiet()
        self.stop_all()
        self.wipe_redis()

    def wipe_redis(self) -> None:
        """Lose all that Redis had."""
        with connect(self.settings.redis) as client:
            client.flushdb()

    def verifier(self) -> Verifier:
        """The oracle over this bus."""
        return build_verifier(self.settings, self.settings.kafka, self.settings.redis)

    def verify(self) -> Verdict:
        """Everything recomputed and compared."""
        verdict = self.verifier().verify()
        assert verdict.is_good, "\n".join(verdict.examples)
        return verdict

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processors:
            kill(process)
        clear_bus(self.settings)


def shuffled(records: list[Record], rnd: random.Random, doubled: float = 0.1) -> list[Record]:
    """The records in another order, some of them twice."""
    mixed = records + rnd.sample(records, int(len(records) * doubled))
    rnd.shuffle(mixed)
    return mixed


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, and wait for the end."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
