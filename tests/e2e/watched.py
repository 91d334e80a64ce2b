"""A running bus that a real Prometheus watches: its processes, steady traffic, an endpoint, and a clock that can run ahead."""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from tests.conftest import clear_bus, environment_of
from tests.faults.bus import BusUnderFault
from tests.faults.records import province
from tests.prometheus import WITHIN_SECONDS, Prometheus, free_ports, running_prometheus
from tests.receiving import Desks
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PROCESSES = ("standing", "dispatcher", "deadlines", "ledger")
DEPARTMENT = "gd.fin"
"""Whose endpoint the notices are pushed to."""
PER_SECOND = 30


@dataclass(kw_only=True)
class WatchedBus:
    """The bus and who watches it.

    Attributes:
        bus: to feed.
        prometheus: that scrapes its processes.
        desks: of the department that is pushed to.
        settings: of its processes.
        folder: of clock and certificate.
        ports: of the processes' metrics.
        flowing: while set, departments publish.
        since: when the test began, seconds since 1970.
    """

    bus: BusUnderFault
    prometheus: Prometheus
    desks: Desks
    settings: Settings
    folder: Path
    ports: dict[str, int]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    flowing: threading.Event = field(default_factory=threading.Event)
    since: float = 0.0

    def start(self, name: str) -> None:
        """Start a process of the bus."""
        environment = environment_of(self.settings) | {
            "CREDITBUS_METRICS_PORT": str(self.ports[name]), "CREDITBUS_INSTANCE_ID": f"{name}-1",
        }  # fmt: skip
        command = ["-m", "deploy.cli", "run", name]
        if name == "standing":
            command = [str(Path(__file__).with_name("standing_main.py")), str(self.folder / "ahead")]
            environment["CREDITBUS_CERTIFICATES"] = str(self.folder / "bus.pem")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command],
                env=environment | {"PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """SIGKILL a process."""
        self.processes[name].kill()
        self.processes[name].wait(30)

    def days_ahead(self, days: int) -> None:
        """Let the standing processor's clock run ahead."""
        new = self.folder / "ahead.new"
        new.write_text(str(days))
        new.rename(self.folder / "ahead")

    def renew_certificate(self, days: int) -> None:
        """Put a certificate of so many days where the standing processor's lies."""
        key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bus")])
        built = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=days)).sign(key, None)
        )  # fmt: skip
        new = self.folder / "bus.pem.new"
        new.write_bytes(built.public_bytes(serialization.Encoding.PEM))
        new.rename(self.folder / "bus.pem")

    def command(self, *words: str) -> str:
        """Run a command of the command line on this bus; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *words], env=environment_of(self.settings), cwd=ROOT,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answer_overdue(self, department: str) -> None:
        """The department answers everything that it owes and whose day has passed."""
        numbers = itertools.count(1)
        for partition in range(self.settings.partitions):
            for subject, owed in self.bus.store.overdue(partition, department):
                standing = self.bus.store.standing(partition, subject)
                assert standing is not None
                told = standing.told[department]
                since = told.lifted[owed.measure] if owed.lift else told.measures[owed.measure]
                value: dict[str, Any] = {
                    "subject": subject, "department": department, "document": f"演练反馈{next(numbers)}号", "revision": 1,
                    "decided_on": datetime.now(UTC).date(), "published_at": datetime.now(UTC), "notice_id": "drill",
                    "epoch": since.epoch, "n": since.n, "measure": owed.measure, "state": "ENDED" if owed.lift else "EXECUTED",
                }  # fmt: skip
                self.bus.feed([(department, "measure_feedback", value)])

    def await_value(self, expression: str, what: str) -> None:
        """Wait until a question to Prometheus has an answer."""
        wait_until(lambda: bool(self.prometheus.query(expression)), what, within_seconds=WITHIN_SECONDS)

    def fires(self, *names: str, **labels: str) -> None:
        """Wait until each alert has fired since the test began."""
        for name in names:
            self.prometheus.await_alert(name, self.since, labels)

    def clears(self, *names: str, **labels: str) -> None:
        """Wait until each alert has cleared."""
        for name in names:
            self.prometheus.await_clear(name, labels)

    def flow(self, stop: threading.Event) -> None:
        """Publish records at a steady rate while `flowing` is set."""
        records = iter(province(seed=11, count=30_000))
        while not stop.wait(1 / PER_SECOND):
            if self.flowing.wait(0.2):
                department, record_type, value = next(records)
                fresh: dict[str, Any] = value | {"published_at": datetime.now(UTC)}
                raw = self.bus.codec.encode(record_type, fresh)
                self.bus.feed_raw(department, value["subject"].encode(), raw)
                self.bus._producer.poll(0)


@contextmanager
def watched_bus(settings: Settings, folder: Path) -> Iterator[WatchedBus]:
    """A bus with everything at work; ended, emptied, and its processes seen to end well."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    settings = Settings(
        **given, home=folder, partitions=2, session_timeout_seconds=4.0, stuck_after_seconds=4.0, quarantine_run=20,
        webhook_networks="127.0.0.0/8", webhook_plain_http=True, deadlines_folder=str(folder / "deadlines"),
        signing_keys="k1:" + "cd" * 32,
    )  # fmt: skip
    stop = threading.Event()
    ports = dict(zip(PROCESSES, free_ports(len(PROCESSES)), strict=True))
    with ExitStack() as stack:
        stack.callback(clear_bus, settings)
        desks = stack.enter_context(Desks())
        prometheus = stack.enter_context(running_prometheus(folder / "prometheus", ports))
        found = WatchedBus(
            bus=BusUnderFault(settings),
            prometheus=prometheus,
            desks=desks,
            settings=settings,
            folder=folder,
            ports=ports,
        )
        keys = load_signing_keys(settings, embedded=True)
        desks.desks[DEPARTMENT].keys = [keys.endpoint_key(DEPARTMENT, 1).public_text]
        endpoint = Endpoint(department=DEPARTMENT, url=desks.url(DEPARTMENT), key_id=keys.newest)
        assert EndpointStore(connect(settings.redis)).add(endpoint)
        found.days_ahead(0)
        found.renew_certificate(2)
        stack.callback(_end, found)
        for name in PROCESSES:
            found.start(name)
        traffic = threading.Thread(target=found.flow, args=(stop,), name="traffic", daemon=True)
        traffic.start()
        stack.callback(traffic.join, 10)
        stack.callback(stop.set)
        found.flowing.set()
        yield found


def _end(found: WatchedBus) -> None:
    for process in found.processes.values():
        process.terminate()
    until = time.monotonic() + 120
    for name, process in found.processes.items():
        try:
            process.wait(max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            print((found.folder / f"{name}.log").read_text()[-3000:])
