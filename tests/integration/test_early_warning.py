"""Early warning on real servers: what departments publish becomes windows, a warning on the bus, and a standing; and all ends well."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from consumers.archive.folder import ABOUT
from consumers.archive.run import build as build_archive
from consumers.early_warning.archived import next_offsets
from consumers.early_warning.reconcile import reconcile
from consumers.early_warning.spans import midnight
from consumers.standing.run import build
from deploy.demo.process import free_port
from exchange.archive_tables import archive_folder, open_archive
from exchange.clock import now_ms
from exchange.domain.calendar import DAY_MS
from exchange.kafka_places import Place
from exchange.metrics import StandingMetrics
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from tests.conftest import BusFactory, environment_of
from tests.early_warning import Happening, penalty, registration
from tests.early_warning_bus import WarnedBus, past, without_industry
from tests.waiting import wait_until

pytestmark = pytest.mark.servers


@pytest.fixture
def warned(new_bus: BusFactory, tmp_path: Path) -> Iterator[WarnedBus]:
    with WarnedBus(new_bus(), tmp_path) as made:
        yield made


def happening(number: int, at: int) -> Happening:
    """Penalties, and now and then a registration."""
    return registration(number % 97 + 1, at) if number % 9 == 0 else penalty(number % 97 + 1, f"罚{number}", at)


class Command:
    """`creditbus run early-warning` with its metrics."""

    def __init__(self, settings: Settings, home: Path) -> None:
        self.port = free_port()
        self.environment = environment_of(settings) | {
            "CREDITBUS_HOME": str(home), "CREDITBUS_ARCHIVE_FOLDER": settings.archive_folder, "CREDITBUS_METRICS_PORT": str(self.port),
            "CREDITBUS_EARLY_WARNING_GRACE_SECONDS": "0",
        }  # fmt: skip
        with (home / "command.log").open("wb") as log:
            words = [sys.executable, "-m", "deploy.cli", "run", "early-warning"]
            self.process = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; -1 while there is none."""
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/metrics", timeout=5) as page:
                lines = page.read().decode().splitlines()
        except OSError:
            return -1
        found = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} "))]
        return sum(found) if found else -1


@contextmanager
def standings(settings: Settings) -> Iterator[Store]:
    """A standing processor at work in this process."""
    processor, _ = build(settings, settings.kafka, settings.redis, metrics=StandingMetrics())
    thread = Thread(target=processor.run)
    thread.start()
    try:
        yield Store(connect(settings.redis))
    finally:
        processor.stop()
        thread.join(30)


def archive_all(settings: Settings, fed: int) -> None:
    """Archive what was fed, in this process."""
    archive, _ = build_archive(settings.model_copy(update={"archive_commit_seconds": 0.5}), settings.kafka)
    working = Thread(target=archive.run)
    working.start()
    folder = archive_folder(settings)
    try:
        wait_until(lambda: (folder / ABOUT).is_file() and sum(taken_in(settings).values()) >= fed, "archived")
    finally:
        archive.stop()
        working.join(60)


def taken_in(settings: Settings) -> dict[Place, int]:
    with closing(open_archive(settings)) as archive:
        return next_offsets(archive)


def find_what_is_wrong(warned: WarnedBus, settings: Settings) -> None:
    """A count that is lost and one that is doubled are found from the archive, and nothing else."""
    from_topics = reconcile(settings, settings.kafka, "topics")
    day = midnight(now_ms()) - DAY_MS
    for name, change in (("penalty.region.440100", -1), ("penalty.department.gd.amr", 1)):
        window = (DAY_MS, name, day)
        warned.publish_count(window, warned.published()[window] + change)
    found = reconcile(settings, settings.kafka)
    assert found.by_kind() == {"missing": 0, "too_low": 1, "too_high": 1, "unfounded": 0}
    assert (found.records, found.windows) == (from_topics.records, from_topics.windows)


@pytest.mark.timeout(240)
def test_burst_becomes_a_warning_on_the_bus_and_in_the_standings(warned: WarnedBus, tmp_path: Path) -> None:
    fed = warned.feed(past(happening, days=34, usual=9, burst=120))
    settings = warned.settings.model_copy(update={"archive_folder": str(tmp_path / "archive")})
    archive_all(settings, fed)
    command = Command(settings, tmp_path)
    try:
        wait_until(lambda: command.metric("creditbus_early_warning_recounted_at_seconds") > 0, within_seconds=150)
        assert command.metric("creditbus_early_warning_records_total") >= fed
        assert command.metric("creditbus_early_warning_difference") == 0
        assert command.metric("creditbus_early_warning_warnings_total") > 0
        assert command.metric("creditbus_early_warning_stuck") == 0
        words = [sys.executable, "-m", "deploy.cli", "run", "early-warning"]
        refused = subprocess.run(
            words, env=command.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert "error[folder_taken]" in refused.stderr
        words = [sys.executable, "-m", "deploy.cli", "early-warning", "reconcile", "--json"]
        said = subprocess.run(words, env=command.environment, capture_output=True, text=True, timeout=60, check=True)
        found = json.loads(said.stdout.splitlines()[-1])
        assert (found["source"], found["difference"]) == ("archive", 0)
        assert found["windows"] > 100
        assert found["unarchived"] > 0, "the warnings, which came after it"
    finally:
        command.process.send_signal(signal.SIGTERM)
        code = command.process.wait(60)
    assert code == 0, (tmp_path / "command.log").read_text()[-2000:]
    assert without_industry(warned.warnings()) == without_industry(warned.expected())
    assert "recounted from=archive" in (tmp_path / "command.log").read_text()
    find_what_is_wrong(warned, settings)
    with standings(warned.settings) as store:
        subject = "series:penalty.region.440100"

        def stands() -> bool:
            return any(store.standing(number, subject) is not None for number in range(warned.settings.partitions))

        wait_until(stands, "the warned series has a standing")
