"""Early-warning workers beside a bus of a test: fed with a past, killed, and compared with what is right."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Consumer, Producer

from consumers.early_warning.ends import AskEnds
from consumers.early_warning.findings import Warnings
from consumers.early_warning.intake import Window
from consumers.early_warning.reconcile import reconcile
from consumers.early_warning.recount import Difference, read_inputs, read_published
from consumers.early_warning.run import folder_of
from consumers.early_warning.spans import midnight
from consumers.early_warning.state import MemoryTables
from consumers.early_warning.topics import OwnTopics
from exchange.clock import now_ms
from exchange.domain.calendar import DAY_MS
from exchange.errors import RetryLaterError
from exchange.kafka import LOSSLESS, open_admin, reading
from exchange.records import to_avro
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import clear_bus, environment_of
from tests.early_warning import CATALOGUE, CODEC, PARTITIONS, POLICY, FakeMessage, Happening, Worker
from tests.faults.bus import kill
from tests.waiting import wait_until

PROCESS = Path(__file__).parent / "faults" / "early_warning_main.py"
LOOK_EVERY = 1.5
"""Seconds between recounts; they take the workers' time."""
Said = dict[tuple[str, int], bytes]
"""Document and revision of warnings, and their bytes."""


class WarnedBus:
    """A bus with workers.

    Args:
        settings: of the bus.
        home: for the workers' folders and what they say.
    """

    def __init__(self, settings: Settings, home: Path) -> None:
        self.settings = settings.model_copy(update={"home": home})
        self.topics = Topics(settings.topic_prefix)
        self.inputs = {self.topics.into(slug): slug for slug in sorted(CATALOGUE.departments)}
        self.home = home
        self.workers: list[subprocess.Popen[bytes]] = []
        self._producer = Producer({**settings.kafka.config(), "linger.ms": 5} | LOSSLESS)
        apply_topics(open_admin(settings.kafka), CATALOGUE.departments, settings)

    def feed(self, happenings: Iterable[Happening]) -> int:
        """Publish records as if they had come when they did; how many."""
        number = 0
        for one in happenings:
            raw, key = CODEC.encode(one.record_type, one.value), one.value["subject"].encode()
            self._producer.produce(self.topics.into(one.department), raw, key, timestamp=one.at)
            self._producer.poll(0)
            number += 1
        assert self._producer.flush(60) == 0
        return number

    def start(self, name: str, step: str = "", count: int = 0) -> subprocess.Popen[bytes]:
        """Start a worker; with a step it kills itself there the `count`-th time."""
        environment = environment_of(self.settings) | {
            "CREDITBUS_HOME": str(self.home), "CREDITBUS_INSTANCE_ID": name, "CREDITBUS_EARLY_WARNING_GRACE_SECONDS": "0",
            "CREDITBUS_EARLY_WARNING_BATCH_RECORDS": "150", "CREDITBUS_SESSION_TIMEOUT_SECONDS": "10", "CREDITBUS_EARLY_WARNING_RECOUNT": "false",
        }  # fmt: skip
        command = [sys.executable, str(PROCESS), *([step, str(count)] if step else [])]
        with (self.home / f"{name}.said").open("ab") as said:
            worker = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1], stderr=said)
        self.workers.append(worker)
        return worker

    def stop(self, worker: subprocess.Popen[bytes]) -> None:
        """End it in good order."""
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, self.said()

    def said(self) -> str:
        """What workers have said."""
        return "\n".join(f"{one.name}: {one.read_text()[-3000:]}" for one in self.home.glob("*.said"))

    def folder(self, name: str) -> Path:
        """Where a worker's tables lie."""
        return folder_of(self.settings.model_copy(update={"instance_id": name}))

    def difference(self) -> Difference:
        """The recount."""
        return reconcile(self.settings, self.settings.kafka)

    def wait_counted(self, within: float = 90) -> Difference:
        """Until every window that ended before today is published, and as it should be."""
        today, give_up_at, last = midnight(now_ms()), time.monotonic() + within, None
        while time.monotonic() < give_up_at:
            time.sleep(LOOK_EVERY)
            try:
                last = self.difference()
            except RetryLaterError:  # the windows' topic is made by the first worker
                continue
            if last.closed_until >= today and not last.total:
                return last
        raise AssertionError(f"{last}\n{self.said()}")

    def wait_right(self, within: float = 90) -> Difference:
        """Until windows are as they should be, and so are the warnings: all records must have come before windows closed.

        Not those of industries: a record counts for its industry when its registration comes, and a baseline may have seen its day by then.
        """
        found, expected = self.wait_counted(within), without_industry(self.expected())
        wait_until(lambda: self.warnings().keys() >= expected.keys(), "the warnings")
        warned = without_industry(self.warnings())
        assert warned == expected, (sorted(warned), sorted(expected), self.said())
        return found

    def committed(self) -> int:
        """Records that the workers have committed."""
        places = [(topic, number) for topic in self.inputs for number in range(PARTITIONS)]
        ends = AskEnds(self.settings.kafka, OwnTopics(self.settings.topic_prefix).app_id, places, now_ms)
        try:
            return sum(ends.ask().committed.values())
        finally:
            ends.close()

    def read(self, *topics: str) -> list[Any]:
        """Everything on some topics."""
        reader = Consumer(reading(self.settings.kafka, "reads-all"))
        try:
            return list(read_inputs(reader, [(topic, number) for topic in topics for number in range(PARTITIONS)]))
        finally:
            reader.close()

    def published(self) -> dict[Window, int]:
        """The newest count of each window."""
        reader = Consumer(reading(self.settings.kafka, "reads-counts"))
        try:
            return read_published(reader, self.topics.windows, self.settings.partitions, CODEC)
        finally:
            reader.close()

    def publish_count(self, window: Window, count: int) -> None:
        """Say of a window what is not so, as a worker that has lost or doubled something would."""
        width, series, start = window
        raw = CODEC.encode_plain("window_count", {"series": series, "width": width, "start": start, "count": count})
        self._producer.produce(self.topics.windows, raw, f"{series}/{width}/{start}".encode())
        assert self._producer.flush(30) == 0

    def warnings(self) -> Said:
        """What is on the bus."""
        found: Said = {}
        for message in self.read(self.topics.into("gd.data")):
            record_type, value = CODEC.decode_plain(message.value())
            if record_type == "early_warning" and value["subject"].startswith("series:"):
                found[value["document"], value["revision"]] = message.value()
        return found

    def expected(self) -> Said:
        """What a worker that nothing happens to makes of the same messages."""
        made = Warnings(CATALOGUE, POLICY)
        worker = Worker(MemoryTables(), encode=lambda one: CODEC.encode("early_warning", to_avro(made.of(one))))
        messages = [Renamed(one, self.inputs) for one in self.read(*self.inputs)]
        worker.take(messages)  # type: ignore[arg-type] # they have the same methods
        ends: dict[tuple[str, int], int] = {}
        for one in messages:
            place = (one.topic(), one.partition())
            ends[place] = max(one.offset() + 1, ends.get(place, 0))
        worker.close(now_ms(), ends)
        found: Said = {}
        for raw in worker.warnings:
            _, value = CODEC.decode_plain(raw)
            found[value["document"], value["revision"]] = raw
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self.workers:
            kill(worker)
        clear_bus(self.settings)


def without_industry(said: Said) -> Said:
    """What does not depend on which of a firm's registration and its penalty was read first."""
    return {(document, revision): raw for (document, revision), raw in said.items() if ".industry." not in document}


class Renamed(FakeMessage):
    """A message of this bus as if it were on the topic that the pure parts know."""

    def __init__(self, message: Any, inputs: dict[str, str]) -> None:
        self._message = message
        self._topic = f"credit.in.{inputs[message.topic()]}"
        self._raw, self._key = message.value(), message.key()
        self._partition, self._offset, self._at = message.partition(), message.offset(), message.timestamp()[1]


def past(make: Any, *, days: int, usual: int, burst: int) -> list[Happening]:
    """So many days with so much each, and one burst yesterday, in the order of time."""
    today, found, number = midnight(now_ms()), [], 0
    for back in range(days, 0, -1):
        many = burst if back == 1 else usual
        for n in range(many):
            number += 1
            found.append(make(number, today - back * DAY_MS + n * (DAY_MS // many)))
    return found
