"""The bridge between two regions: how late a notice is on the other side, how many a second cross, and that kills lose and double nothing.

    python -m tests.bench.bridge [--rates 50,500] [--seconds 20] [--backlog 50000] [--kills 0] [--json]

Notices of one department are written in one Kafka and read, read_committed, in both. A delay is from just before a notice is handed
to a producer until a reader has it: `home_...` beside the first Kafka, `away_...` across MirrorMaker. The backlog is there before
MirrorMaker is started, and a quarter of it is not counted. Then MirrorMaker is killed at random while as many again are written. Both
Kafkas, MirrorMaker, producer and readers share the machine.
"""

import argparse
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Self

from confluent_kafka import Consumer, Message, TopicPartition

from exchange.brokers import Brokers
from exchange.kafka import reading
from tests.bench.measured import JAVA_OPTIONS, WARM_UP, Bench, bench_bus, machine, print_result
from tests.bridging import bridged, contents, read_whole, second_kafka
from tests.mirror_maker import VERSION, MirrorMaker
from tests.pulling import notice

DEPARTMENT = "gd.fin"
WITHIN_SECONDS = 600.0
MIRROR_OPTIONS = ("-Xmx512m",)
"""With the optimising compiler, as in production."""
KILL_SECONDS = (3.0, 12.0)
"""Between the start of MirrorMaker and its end, at random."""


@dataclass(slots=True)
class Reader:
    """Reads a topic to its end for as long as it is open, and notes when each notice came, by its number."""

    kafka: Brokers
    topic: str
    at: dict[bytes, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(30)

    def _read(self) -> None:
        with closing(Consumer(reading(self.kafka, "bench") | {"fetch.wait.max.ms": 10})) as consumer:
            partitions = consumer.list_topics(self.topic, timeout=30).topics[self.topic].partitions
            consumer.assign([TopicPartition(self.topic, number, 0) for number in partitions])
            while not self._stop.is_set():
                for message in consumer.consume(1000, 0.05):
                    if message.error() is None:
                        self.at.setdefault(number_of(message), time.perf_counter())

    def wait(self, count: int, mirror: MirrorMaker) -> None:
        """Until so many have come."""
        until = time.monotonic() + WITHIN_SECONDS
        while len(self.at) < count:
            mirror.check()
            if time.monotonic() > until:
                raise SystemExit(f"{len(self.at):,} of {count:,} notices have crossed")
            time.sleep(0.02)


def number_of(message: Message) -> bytes:
    """The number that its writer gave a notice."""
    number = dict(message.headers() or ())["number"]
    assert isinstance(number, bytes)
    return number


class Writer:
    """Writes notices, each with a number of its own."""

    def __init__(self, bench: Bench) -> None:
        self._producer = bench.feeder(linger_ms=1)
        self._codec = bench.codec
        self.topic = bench.topics.out_of(DEPARTMENT)
        self.put_at: dict[bytes, float] = {}

    def put(self, count: int, rate: float = 0) -> list[bytes]:
        """So many notices, at an even pace or as fast as it goes; their numbers."""
        began, numbers = time.perf_counter(), []
        for done in range(count):
            number = str(len(self.put_at)).encode()
            one = notice(len(self.put_at) % 20_000 + 1, len(self.put_at) + 1, "procurement_ban")
            raw = self._codec.encode("notice", one)
            if rate and (rest := began + done / rate - time.perf_counter()) > 0:
                self._producer.poll(0)
                time.sleep(rest)
            self.put_at[number] = time.perf_counter()
            while True:
                try:
                    self._producer.produce(self.topic, raw, one["subject"].encode(), headers=[("number", number)])
                except BufferError:
                    self._producer.poll(0.1)
                else:
                    break
            numbers.append(number)
        self._producer.flush(120)
        return numbers


@contextmanager
def two_regions(folder: Path) -> Iterator[tuple[Bench, Brokers]]:
    """A bus, and the Kafka of its neighbour."""
    with (
        bench_bus() as bench,
        second_kafka(folder / "away", bench.settings.redis, kafka_java_options=JAVA_OPTIONS) as away,
    ):
        yield bench, away


def delays(
    writer: Writer, home: Reader, away: Reader, mirror: MirrorMaker, rate: int, seconds: float
) -> dict[str, float]:
    """How late notices are at a rate, in ms."""
    numbers = writer.put(int(rate * seconds), rate)
    away.wait(len(writer.put_at), mirror)
    home.wait(len(writer.put_at), mirror)
    found: dict[str, float] = {}
    for side, reader in (("home", home), ("away", away)):
        cuts = quantiles([(reader.at[one] - writer.put_at[one]) * 1000 for one in numbers], n=100)
        found |= {f"{side}_p50_ms_{rate}": round(cuts[49], 1), f"{side}_p99_ms_{rate}": round(cuts[98], 1)}
    return found


def backlog(writer: Writer, away: Reader, mirror: MirrorMaker, count: int) -> float:
    """Notices a second that a bridge copies which comes back to so many."""
    mirror.stop()
    numbers = writer.put(count)
    mirror.start()
    away.wait(len(writer.put_at), mirror)
    counted = sorted(away.at[one] for one in numbers)[int(count * WARM_UP) :]
    return (len(counted) - 1) / (counted[-1] - counted[0])


def kills(writer: Writer, away: Reader, mirror: MirrorMaker, count: int, number: int) -> None:
    """Kill the bridge so often while notices are written."""
    chance = random.Random(1)
    for _ in range(number):
        writing = threading.Thread(target=writer.put, args=(count // number, count / number / KILL_SECONDS[1]))
        writing.start()
        time.sleep(chance.uniform(*KILL_SECONDS))
        mirror.kill()
        mirror.start()
        writing.join()
    away.wait(len(writer.put_at), mirror)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="50,500")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--backlog", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = machine() | {"mirror_maker": VERSION, "backlog": arguments.backlog}
    with tempfile.TemporaryDirectory(prefix="creditbus-bridge-") as temporary:
        folder = Path(temporary)
        with (
            two_regions(folder) as (bench, there),
            bridged(bench.settings, there, [DEPARTMENT], "away", folder, options=MIRROR_OPTIONS) as mirror,
        ):
            writer = Writer(bench)
            with Reader(bench.settings.kafka, writer.topic) as home, Reader(there, writer.topic) as away:
                began = time.perf_counter()
                writer.put(1)
                away.wait(1, mirror)
                result["start_s"] = round(time.perf_counter() - began, 1)
                writer.put(2000, 500)  # the compiler is at work
                for rate in map(int, arguments.rates.split(",")):
                    result |= delays(writer, home, away, mirror, rate, arguments.seconds)
                result["notices_per_s"] = round(backlog(writer, away, mirror, arguments.backlog))
                if arguments.kills:
                    kills(writer, away, mirror, arguments.backlog, arguments.kills)
                    result["kills"] = arguments.kills
            copies = Counter(contents(read_whole(there, writer.topic)))
            originals = Counter(contents(read_whole(bench.settings.kafka, writer.topic)))
            result |= {
                "notices": originals.total(),
                "lost": (originals - copies).total(),
                "doubled": (copies - originals).total(),
            }
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
