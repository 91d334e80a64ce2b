"""Risk classes beside a bus of a test: the process, in this one or one that can be killed, and what the classes should be."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

from confluent_kafka import Consumer

from consumers.risk.process import RiskProcess
from consumers.risk.run import build
from consumers.standing.reading import read_places
from deploy.outbound import Publishers
from exchange.clock import now_ms
from exchange.domain.calendar import day_of
from exchange.domain.risk.assess import assess
from exchange.domain.risk.model import Rules
from exchange.domain.risk.occurrences import firm_of
from exchange.domain.risk.publish import Observed, Wanted, document_of, observe, wanted
from exchange.kafka import open_admin
from exchange.kafka_places import watermarks
from exchange.metrics import RiskMetrics
from exchange.partitioner import partition_of
from exchange.redis_client import connect
from exchange.risk_rounds import RedisRounds, Round
from tests.conftest import environment_of
from tests.faults.bus import BusUnderFault, kill
from tests.risk import model, real_policy
from tests.waiting import wait_until

PROCESS = Path(__file__).parent / "faults" / "risk_main.py"


class RiskBeside:
    """The classes of a bus."""

    def __init__(self, bus: BusUnderFault, now: Callable[[], int] = now_ms) -> None:
        self.bus = bus
        self.now = now
        self.settings = bus.settings.model_copy(update={"risk_round_hours": 0.0, "risk_batch_subjects": 50})
        self.metrics = RiskMetrics()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.here: RiskProcess | None = None
        self._thread: threading.Thread | None = None
        self._failure: list[BaseException] = []
        self._publishers = Publishers(self.settings)

    def start_here(self) -> None:
        """Start it in a thread of this process, on the test's clock."""
        self.metrics = RiskMetrics()
        self.here, _ = build(self.settings, self._publishers, metrics=self.metrics, now=self.now)
        self._thread = threading.Thread(target=self._run, name="risk", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            assert self.here is not None
            self.here.run()
        except BaseException as error:  # noqa: BLE001 # shown by the test that waits
            self._failure.append(error)

    def stop_here(self) -> None:
        """End it in good order."""
        if self.here is not None and self._thread is not None:
            self.here.stop()
            self._thread.join(30)
            assert not self._thread.is_alive()
        self.here = self._thread = None

    def start(self, step: str = "", count: int = 0) -> subprocess.Popen[bytes]:
        """Start it as a process of its own; with a step it kills itself there the `count`-th time."""
        environment = environment_of(self.settings) | {"CREDITBUS_SESSION_TIMEOUT_SECONDS": "6"}
        command = [sys.executable, str(PROCESS), *([step, str(count)] if step else [])]
        process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1])
        self.processes.append(process)
        return process

    def forget_rounds(self) -> None:
        """Whoever starts next does this month's round anew: what changed of representatives reaches their firms with it."""
        rounds = RedisRounds(connect(self.settings.redis))
        for number in range(self.settings.partitions):
            rounds.write(number, Round())

    def observed(self, subject: str) -> Observed:
        """The class that the bus knows."""
        entries = self.bus.store.entries(partition_of(subject, self.settings.partitions), subject)
        return observe(entries, self._rules())

    def due(self) -> dict[str, Wanted]:
        """What is still to be published, of everybody: nothing, when it is done."""
        found = {}
        rules, count = self._rules(), self.settings.partitions
        for number in range(count):
            for subject in list(self.bus.store.subjects(number)):
                if subject.startswith("org:"):
                    entries = self.bus.store.entries(number, subject)
                    firm = firm_of(entries)
                    person = firm.representative if firm is not None else ""
                    of_person = self.bus.store.entries(partition_of(person, count), person) if person else {}
                    assessment = assess(subject, entries, of_person, real_policy(), rules)
                    what = wanted(assessment, observe(entries, rules), rules)
                    if what is not None:
                        found[subject] = what
        return found

    def wait_done(self, within_seconds: float = 90) -> None:
        """Until everybody has the class that is his."""

        def is_done() -> bool:
            assert not self._failure, self._failure
            return not self.due()

        try:
            wait_until(is_done, "the classes", within_seconds=within_seconds)
        except AssertionError:
            for process in self.processes:
                if process.poll() is None:
                    process.send_signal(signal.SIGUSR1)  # where it hangs goes to stderr
            print("still due", self.due())
            raise

    def wait_members(self, count: int) -> None:
        """Until so many processes have started and share the partitions; those that were killed are members until their session ends."""
        group, admin = f"{self.settings.topic_prefix}.risk-classes", open_admin(self.settings.kafka)

        def are_members() -> bool:
            return len(admin.describe_consumer_groups([group])[group].result(30).members) == count

        wait_until(are_members, "the members")

    def published(self) -> list[tuple[str, int, str, str]]:
        """Every class on the bus: subject, revision, letter, points; sorted."""
        document, _ = document_of(self._rules().day)
        reader = Consumer({**self.settings.kafka.config(), "group.id": "unused", "enable.auto.commit": False})
        topic, found = self.bus.topics.into("gd.amr"), []
        try:
            places = watermarks(reader, [(topic, number) for number in range(self.settings.partitions)])
            for message in read_places(reader, places):
                record_type, record = self.bus.codec.decode(message.value() or b"")
                if record_type == "rating" and record["document"] == document:
                    found.append((record["subject"], record["revision"], record["grade"], str(record["points"])))
        finally:
            reader.close()
        return sorted(found)

    def contradictions(self) -> list[tuple[str, int]]:
        """Revisions of one class that say different things."""
        said: dict[tuple[str, int], set[tuple[str, str]]] = {}
        for subject, revision, letter, points in self.published():
            said.setdefault((subject, revision), set()).add((letter, points))
        return [which for which, words in said.items() if len(words) > 1]

    def gaps(self) -> list[str]:
        """Subjects whose revisions are not 1, 2, 3, ..."""
        seen: dict[str, Counter[int]] = {}
        for subject, revision, _, _ in self.published():
            seen.setdefault(subject, Counter())[revision] += 1
        return [subject for subject, found in seen.items() if sorted(found) != list(range(1, len(found) + 1))]

    def count(self, name: str, **labels: str) -> float:
        """A counter of the process in this one."""
        return self.metrics.registry.get_sample_value(f"creditbus_{name}", labels) or 0.0

    def _rules(self) -> Rules:
        rules = model().on(day_of(self.now()))
        assert rules is not None
        return rules

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop_here()
        for process in self.processes:
            kill(process)
        self._publishers.__exit__(None, None, None)


def terminate(process: subprocess.Popen[bytes]) -> None:
    """End a process in good order."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
