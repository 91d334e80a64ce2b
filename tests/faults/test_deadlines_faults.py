"""Deadlines killed at each step: nothing lost, nothing counted twice; made anew they say the same."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from consumers.deadlines.book import DEADLINES
from consumers.deadlines.run import folder_of
from tests.conftest import environment_of
from tests.faults.bus import BusUnderFault, kill
from tests.faults.records import province
from tests.readme import REPOSITORY
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
PROCESS = Path(__file__).with_name("feeding_main.py")
STEPS = ("consume", "keep", "commit", "kept")
BAD = 20
"""Messages in each round that are no records."""
TABLES = ("decisions", "tallies", "claims", "days")


class DeadlinesBeside:
    """The deadlines of a bus, in a folder of their own."""

    def __init__(self, bus: BusUnderFault, folder: Path) -> None:
        self.settings = bus.settings.model_copy(update={"deadlines_folder": str(folder)})
        self.folder = folder_of(self.settings)
        self.bus = bus
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = environment_of(bus.settings) | {
            "CREDITBUS_DEADLINES_FOLDER": str(folder), "CREDITBUS_DIRECTORY_BATCH_RECORDS": "50",
        }  # fmt: skip

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, str(PROCESS), "deadlines", *words], env=self.environment, cwd=REPOSITORY
        )
        self.processes.append(process)
        return process

    def all(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(f"{(self.folder / DEADLINES.file).as_uri()}?mode=ro", uri=True)) as file:
            return file.execute(sql).fetchall()

    def is_read(self) -> bool:
        try:
            return bool(self.all("SELECT coalesce(sum(next), 0) FROM sources")[0][0] >= self.bus.fed)
        except sqlite3.OperationalError:  # not made yet
            return False

    def read_to_the_end(self) -> dict[str, list[Any]]:
        """Let a process read all there is and end in good order; what is kept then."""
        process = self.start()
        wait_until(self.is_read, f"{self.bus.fed} read")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        return {table: sorted(self.all(f"SELECT * FROM {table}")) for table in TABLES}  # our own tables


@pytest.fixture
def deadlines(bus: BusUnderFault, tmp_path: Path) -> Iterator[DeadlinesBeside]:
    made = DeadlinesBeside(bus, tmp_path / "deadlines")
    yield made
    for process in made.processes:
        kill(process)


def test_killed_at_each_step_it_goes_on_and_counts_each_record_once(
    bus: BusUnderFault, deadlines: DeadlinesBeside
) -> None:
    records = province(seed=5, count=800)
    for number, step in enumerate(STEPS):
        bus.feed(records[number * 200 : (number + 1) * 200])
        for bad in range(BAD):
            bus.feed_raw("gd.tax", b"nobody", f"{number} {bad}".encode())
        bus.feed([])
        assert deadlines.start(step, "2").wait(60) == -signal.SIGKILL, step
    kept = deadlines.read_to_the_end()
    [(accepted, rejected)] = deadlines.all("SELECT sum(accepted), sum(rejected) FROM days")
    assert (accepted, rejected) == (bus.fed - BAD * len(STEPS), BAD * len(STEPS))
    assert len(kept["decisions"]) == deadlines.all("SELECT sum(count) FROM tallies")[0][0] > 50
    shutil.rmtree(deadlines.folder)
    assert deadlines.read_to_the_end() == kept, "made anew it is the same"

    for command in ("deadlines", "league"):
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli.main", command, "--json"], env=deadlines.environment, cwd=REPOSITORY,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["departments" if command == "league" else "resources"]
        shown = subprocess.run(
            [sys.executable, "-m", "deploy.cli.main", command], env=deadlines.environment, cwd=REPOSITORY, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert shown.returncode == 0, shown.stderr
        assert "gd." in shown.stdout
