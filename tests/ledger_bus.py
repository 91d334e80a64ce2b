"""A bus with a ledger for tests: messages on its topics, ledger processes, and what the ledger must then be."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

from confluent_kafka import Producer

from consumers.ledger.drafts import Describer
from consumers.ledger.run import LedgerParts
from consumers.standing.reading import read_places
from exchange.bus_keys import LedgerKeys, trusts
from exchange.codec import Codec
from exchange.domain.ledger import Entry, Kind
from exchange.domain.ledger_check import ChainCheck
from exchange.kafka import LOSSLESS, open_admin
from exchange.kafka_places import watermarks
from exchange.settings import Settings
from exchange.signatures import SigningKeys
from exchange.topics import Topics, apply_topics
from tests.conftest import clear_bus, environment_of
from tests.waiting import wait_until

SIGNING_KEYS = "k1:" + "5a" * 32
PROCESS = Path(__file__).parent / "faults" / "ledger_main.py"
DEPARTMENTS = ("gd.tax", "gd.fin", "gd.court")


class LedgerBus:
    """One bus of a test, of few topics, written to by hand."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.topics = Topics(settings.topic_prefix)
        self.parts = LedgerParts(settings, settings.kafka)
        self.codec: Codec = self.parts.codec
        self.describer = Describer(self.codec, self.topics, self.parts.departments)
        self.keys = LedgerKeys(SigningKeys.parse(SIGNING_KEYS), settings.topic_prefix)
        apply_topics(open_admin(settings.kafka), self.parts.departments, settings)
        self._producer = Producer({**settings.kafka.config(), "linger.ms": 2} | LOSSLESS)
        self.processes: list[subprocess.Popen[bytes]] = []

    def put(self, topic: str, raw: bytes, key: str, partition: int = -1) -> None:
        """Put a message on a topic."""
        self._producer.produce(topic, raw, key.encode(), partition)
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has them all."""
        assert self._producer.flush(60) == 0

    def fill(self, number: int, count: int) -> None:
        """So many messages that cannot be decoded, on several topics: the ledger enters those too."""
        sources = [self.topics.standing]
        for slug in DEPARTMENTS:
            sources += [self.topics.into(slug), self.topics.out_of(slug), self.topics.rejected_of(slug)]
        for one in range(count):
            self.put(sources[one % len(sources)], f"{number} {one}".encode(), f"key {one}")
        self.flush()

    def start(
        self, step: str = "", count: int = 0, stop: str = "SIGKILL", *, settings: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a ledger process; with a step it kills or stops itself there the `count`-th time."""
        environment = environment_of(self.settings) | {
            "CREDITBUS_SIGNING_KEYS": SIGNING_KEYS, "CREDITBUS_LEDGER_BATCH_RECORDS": "50", **(settings or {}),
        }  # fmt: skip
        command = [sys.executable, str(PROCESS), *([step, str(count), stop] if step else [])]
        process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1])
        self.processes.append(process)
        return process

    def stop_all(self) -> None:
        """End every process in good order."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            process.wait(40)
        self.processes.clear()

    def places(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Where every source begins and ends."""
        with closing(self.parts.reader()) as reader:
            numbers = range(self.settings.partitions)
            return watermarks(reader, [(topic, n) for topic in self.describer.sources for n in numbers])

    def wait_entered(self, within_seconds: float = 60) -> None:
        """Until everything on the sources is in the ledger."""
        wanted = sum(1 for _ in self.messages())
        wait_until(lambda: self.entered() >= wanted, f"{wanted} entries", within_seconds=within_seconds)

    def wait_signed(self, within_seconds: float = 60) -> None:
        """Until a checkpoint ends each chain, for processes that may be stopped while the group gives their partitions anew."""
        wait_until(
            lambda: all(chain[-1].kind is Kind.CHECKPOINT for chain in self.chains().values() if chain),
            "signed ends",
            within_seconds=within_seconds,
        )

    def entered(self) -> int:
        """Entries that are no checkpoints."""
        return sum(entry.kind is not Kind.CHECKPOINT for chain in self.chains().values() for entry in chain)

    def messages(self) -> Iterator[tuple[str, int, int]]:
        """Topic, partition and offset of every message on the sources."""
        with closing(self.parts.reader()) as reader:
            for message in read_places(reader, self.places()):
                yield message.topic(), message.partition(), message.offset()

    def chains(self) -> dict[int, list[Entry]]:
        """The chains as they are now, by partition."""
        found: dict[int, list[Entry]] = {number: [] for number in range(self.settings.partitions)}
        with closing(self.parts.reader()) as reader:
            for message in read_places(reader, watermarks(reader, [(self.topics.ledger, number) for number in found])):
                found[message.partition()].append(self.parts.read(message.value() or b""))
        return found

    def verify(self) -> Counter[Kind]:
        """Every message on the sources is in the ledger exactly once, the chains hold, and the ends are signed."""
        is_signed = trusts(self.keys.public().values())
        kinds: Counter[Kind] = Counter()
        found: Counter[tuple[str, int, int]] = Counter()
        for number, chain in self.chains().items():
            check = ChainCheck(self.settings.topic_prefix, self.topics.ledger, number, is_signed)
            for entry in chain:
                assert not list(check.take(entry))
                if entry.kind is not Kind.CHECKPOINT:
                    found[entry.topic, entry.partition, entry.offset] += 1
            assert not check.unsigned
            kinds += check.kinds
        assert found == Counter(self.messages())
        return kinds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill_all()
        clear_bus(self.settings)

    def kill_all(self) -> None:
        """End every process at once."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(30)
