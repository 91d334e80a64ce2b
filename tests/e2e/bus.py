"""A whole bus in one test: departments publish, a standing processor joins in this process, departments read their notices.

The processor's clock is the test's: only `move_to` lets days pass, so terms end when the test says so.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from datetime import time as day_time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from consumers.inbox import Inbox, Notice, open_inbox
from consumers.quarantine import Rejection, rejections
from consumers.standing.run import Parts, build, build_verifier
from consumers.standing.verdict import Verdict
from consumers.standing.verify import Verifier
from deploy.cli.ask import find_subject
from exchange.catalogue import load_catalogue
from exchange.domain.calendar import CHINA_OFFSET_MS, to_date
from exchange.domain.judge import Judgement, RuleBook, judge
from exchange.domain.record import Entry
from exchange.domain.standing import Standing
from exchange.errors import RetryLaterError
from exchange.kafka_places import watermarks
from exchange.metrics import StandingMetrics
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.settings import Settings
from producers.publisher import Delivery, Publisher
from tests.conftest import clear_bus
from tests.faults.bus import BusUnderFault

NOON = day_time(12, 0)


class Clock:
    """Milliseconds since 1970-01-01 UTC; stands still unless the test moves it."""

    def __init__(self, day: str) -> None:
        self.ms = 0
        self.move_to(day)

    def move_to(self, day: str, at: day_time = NOON) -> None:
        """To a day and time in China."""
        local = datetime.combine(date.fromisoformat(day), at, UTC)
        self.ms = int(local.timestamp() * 1000) - CHINA_OFFSET_MS

    def __call__(self) -> int:
        return self.ms

    @property
    def today(self) -> int:
        """Days since 1970-01-01 in China."""
        return (self.ms + CHINA_OFFSET_MS) // 86_400_000


class LiveBus(BusUnderFault):
    """One test's bus with its processor, publishers and inboxes."""

    def __init__(self, settings: Settings, folder: Path, day: str) -> None:
        super().__init__(settings)
        self.clock = Clock(day)
        self.metrics = StandingMetrics()
        self.catalogue = load_catalogue(SCHEMAS)
        self.policy = load_policy(SCHEMAS, self.catalogue)
        self.received: dict[str, list[Notice]] = {}
        self._folder = folder
        self._publishers: dict[str, Publisher] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._verifier: Verifier | None = None
        self._looking = Consumer(
            {**settings.kafka.config(), "group.id": "looking", "isolation.level": "read_uncommitted"}
        )
        self._stop: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None
        self._failure: list[BaseException] = []

    # The processor.

    def start_here(self) -> None:
        """Start a standing processor in a thread of this process, on the test's clock."""
        self.metrics = StandingMetrics()
        processor, _ = build(
            self.settings, self.settings.kafka, self.settings.redis, metrics=self.metrics, now=self.clock
        )

        def run() -> None:
            try:
                processor.run()
            except BaseException as error:  # noqa: BLE001 # shown by the test that waits
                self._failure.append(error)

        self._stop = processor.stop
        self._thread = threading.Thread(target=run, name="standing", daemon=True)
        self._thread.start()

    def stop_here(self) -> None:
        """End the processor in good order."""
        if self._thread is not None:
            self._stop()
            self._thread.join(30)
            if self._thread.is_alive():
                stacks = ["".join(traceback.format_stack(frame)[-4:]) for frame in sys._current_frames().values()]
                pytest.fail("the processor does not end:\n" + "\n".join(stacks))
            self._thread = None
        assert not self._failure, self._failure

    def move_to(self, day: str, at: day_time = NOON) -> None:
        """Let time pass until a day in China, and what follows from it happen."""
        self.clock.move_to(day, at)
        self.settle()

    def settle(self, within: float = 60.0) -> None:
        """Wait until all that was published has had all its consequences."""
        until = time.monotonic() + within
        calm = 0
        while calm < 3:
            assert not self._failure, self._failure
            assert time.monotonic() < until, f"not settled: {self.taken_in()} of {self.fed} taken in"
            time.sleep(0.05)
            try:
                is_quiet = self.taken_in() >= self.fed and not self.verifier().waiting()
            except RetryLaterError:  # leaders of new topics are still being found
                is_quiet = False
            calm = calm + 1 if is_quiet else 0

    def verifier(self) -> Verifier:
        """The oracle, on the test's day."""
        if self._verifier is None:
            self._verifier = build_verifier(self.settings, self.settings.kafka, self.settings.redis, now=self.clock)
        self._verifier._today = self.clock.today
        return self._verifier

    # Departments.

    def publish(self, department: str, record_type: str, subject: str, document: str, **fields: Any) -> Delivery:
        """Publish one record through the department's publisher, today where no day is given."""
        publisher = self._publishers.get(department)
        if publisher is None:
            publisher = Publisher(self.settings, department, self.codec, self.catalogue)
            self._publishers[department] = publisher
        delivery = publisher.publish(self.record(subject, document, **fields), record_type).result(30)
        self.fed += 1
        return delivery

    def record(self, subject: str, document: str, **fields: Any) -> dict[str, Any]:
        """The header of a record decided and published today, and the fields given; days as ISO texts."""
        days = {name: date.fromisoformat(v) for name, v in fields.items() if name.endswith("_on") or name == "until"}
        return {
            "subject": subject, "document": document, "revision": 1, "decided_on": to_date(self.clock.today),
            "published_at": datetime.fromtimestamp(self.clock.ms / 1000, UTC),
        } | fields | days  # fmt: skip

    def listing(self, department: str, list_code: str, subject: str, document: str, **fields: Any) -> Delivery:
        """Publish a listing."""
        return self.publish(department, "listing", subject, document, list_code=list_code, **fields)

    def inbox(self, department: str) -> Inbox:
        """The department's inbox."""
        inbox = self._inboxes.get(department)
        if inbox is None:
            inbox = self._inboxes[department] = open_inbox(
                self.settings.kafka, self.topics.out_of(department), self.codec,
                group=f"{self.settings.topic_prefix}.{department}", book=self._folder / f"{department}.sqlite",
            )  # fmt: skip
            inbox.__enter__()
        return inbox

    def notices(self, department: str) -> list[Notice]:
        """The notices that came to a department since last asked."""
        inbox = self.inbox(department)
        new = list(drain(inbox, self._ends_of(self.topics.out_of(department))))
        self.received.setdefault(department, []).extend(new)
        return new

    def _ends_of(self, topic: str) -> dict[tuple[str, int], int]:
        """Where a topic's partitions end, transactions that are just being committed included."""
        places = [(topic, number) for number in range(self.settings.partitions)]
        return {place: end for place, (_, end) in watermarks(self._looking, places).items()}

    def changes(self, department: str, subject: str) -> list[tuple[str, str]]:
        """(action, measure) that a department was told about a subject since last asked, sorted."""
        found = [n for n in self.notices(department) if n["subject"] == subject]
        return sorted((change["action"], change["measure"]) for notice in found for change in notice["changes"])

    def in_force(self, department: str, subject: str) -> dict[str, dict[str, Any]]:
        """The measures in force by the newest notice that a department has about a subject."""
        self.notices(department)
        newest = [n for n in self.received.get(department, ()) if n["subject"] == subject][-1:]
        return {one["measure"]: one for notice in newest for one in notice["measures"]}

    # Anybody.

    def picture(self, subject: str) -> tuple[str, Standing, Mapping[str, Entry], Judgement]:
        """What `creditbus show` reads, judged on the test's day: canonical subject, standing, entries, judgement."""
        name, standing, entries = find_subject(subject, self.settings)
        book = RuleBook(self.policy, self.clock.today)
        return name, standing, entries, judge(standing, book, person=name.startswith("person:"))

    def rejections(self, department: str) -> list[Rejection]:
        """All that is in a department's quarantine."""
        with closing(Parts(self.settings, self.settings.kafka, self.settings.redis).reader()) as reader:
            return list(rejections(reader, self.codec, self.topics, department))

    def count(self, name: str, **labels: str) -> float:
        """A counter of the processor's metrics."""
        return self.metrics.registry.get_sample_value(f"creditbus_{name}_total", labels) or 0.0

    def verify(self) -> Verdict:
        """Everything recomputed and compared."""
        verdict = self.verifier().verify()
        assert verdict.is_good, "\n".join(verdict.examples)
        return verdict

    def close(self) -> None:
        """Verify, end everything, and delete the bus."""
        try:
            self.stop_here()
            self.stop_all()
        finally:
            for publisher in self._publishers.values():
                publisher.close()
            for inbox in self._inboxes.values():
                inbox.__exit__(None, None, None)
            self._looking.close()
            clear_bus(self.settings)


def drain(inbox: Inbox, ends: Mapping[tuple[str, int], int], within: float = 30.0) -> Iterator[Notice]:
    """Every new notice before the ends of the inbox's topic, given as (topic, partition) to offset."""
    places = [TopicPartition(*place) for place in ends]
    until = time.monotonic() + within
    while True:
        assert time.monotonic() < until, f"{sorted(ends)} cannot be read to the end"
        notice = inbox.receive(timeout=0.05)
        if notice is not None:
            yield notice
            continue
        positions = {(p.topic, p.partition): p.offset for p in inbox._consumer.position(places)}
        if all(end == 0 or positions[place] >= end for place, end in ends.items()):
            inbox.confirm()
            return


@contextmanager
def live_bus(settings: Settings, folder: Path, day: str, **changes: Any) -> Iterator[LiveBus]:
    """A bus with a running processor on a day; at the end the oracle must agree."""
    small: Mapping[str, Any] = {"partitions": 2, "session_timeout_seconds": 2.0, **changes}
    bus = LiveBus(
        Settings(**{name: getattr(settings, name) for name in settings.model_fields_set} | dict(small)), folder, day
    )
    try:
        bus.start_here()
        yield bus
        bus.settle()
        bus.verify()
    finally:
        bus.close()
