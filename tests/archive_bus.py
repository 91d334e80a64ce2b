"""An archive beside a bus of a test: its process, and its oracle."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import duckdb
import pytest
from deltalake import DeltaTable

from consumers.archive.run import build, build_verifier
from consumers.archive.verdict import ArchiveVerdict
from exchange.archive_tables import INTAKE, archive_folder, open_archive
from exchange.errors import CreditbusError
from tests.conftest import environment_of
from tests.faults.bus import BusUnderFault, kill
from tests.waiting import wait_until

OFTEN: dict[str, Any] = {"archive_commit_records": 100, "archive_commit_seconds": 0.2, "archive_small_files": 3}
"""Settings by which a few records make many commits."""
PROCESS = Path(__file__).parent / "faults" / "feeding_main.py"


class ArchiveBeside:
    """The archive of a bus, in a folder of its own."""

    def __init__(self, bus: BusUnderFault, folder: Path) -> None:
        self._bus = bus
        self.settings = bus.settings.model_copy(update={"archive_folder": str(folder)} | OFTEN)
        self.folder = archive_folder(self.settings)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._said = folder.with_name("said")

    def start(
        self, step: str = "", count: int = 0, *, changes: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the process; with a step it kills itself there the `count`-th time."""
        environment = environment_of(self.settings) | {
            "CREDITBUS_ARCHIVE_FOLDER": str(self.folder),
            **{f"CREDITBUS_{name.upper()}": str(value) for name, value in OFTEN.items()},
            **(changes or {}),
        }  # fmt: skip
        command = [sys.executable, str(PROCESS), "archive", *([step, str(count)] if step else [])]
        with self._said.open("wb") as said:  # no pipe: while the broker is away its client says more than one holds
            process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1], stderr=said)
        self.processes.append(process)
        return process

    def catch_up(self, until: Callable[[], bool] = lambda: True) -> None:
        """Archive all that was fed, and until something is so, in this process, which is quicker than to start one."""
        process, _ = build(self.settings, self.settings.kafka)
        working = threading.Thread(target=process.run)
        working.start()
        try:
            self.wait_read()
            wait_until(until)
        finally:
            process.stop()
            working.join(60)

    def refused(self, **changes: Any) -> CreditbusError:
        """Why a process with these settings ends, in this process."""
        process, _ = build(self.settings.model_copy(update=changes), self.settings.kafka)
        with pytest.raises(CreditbusError) as refused:
            process.run()
        return refused.value

    def taken_in(self) -> int:
        """Messages of departments that the archive has behind it."""
        if not DeltaTable.is_deltatable(str(self.folder / INTAKE)):
            return 0
        rows = DeltaTable(self.folder / INTAKE).to_pyarrow_table(columns=["topic", "from_offset", "next_offset"])
        return sum(row["next_offset"] - row["from_offset"] for row in rows.to_pylist() if ".in." in row["topic"])

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The answer to a question, from what is there now."""
        with closing(self.open()) as archive:
            return archive.execute(sql).fetchall()

    def open(self) -> duckdb.DuckDBPyConnection:
        """The archive as it is now."""
        return open_archive(self.settings)

    def wait_read(self, within_seconds: float = 60) -> None:
        """Until all that was fed is archived."""
        wait_until(lambda: self.taken_in() >= self._bus.fed, f"{self._bus.fed} archived", within_seconds=within_seconds)

    def said(self) -> str:
        """What the process that was started last has said."""
        return self._said.read_text()

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End it in good order."""
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, self.said()

    def kill_at_random(self, kills: int, *, seed: int, between: Callable[[int], None]) -> int:
        """Start and SIGKILL the process so often, at random moments; `between` is told the kill's number. How many were at work."""
        chance, working = random.Random(seed), 0
        for number in range(kills):
            between(number)
            before = self.commits()
            process = self.start()
            # From before it has read anything to several commits later.
            deadline = time.monotonic() + chance.uniform(0.2, 1.5)
            wait_until(lambda: self.commits() > before or process.poll() is not None, within_seconds=120)  # noqa: B023 # called at once
            while time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.3))
            working += process.poll() is None
            kill(process)
        return working

    def commits(self) -> int:
        """Versions of all tables' logs together."""
        return sum(1 for _ in self.folder.glob("*/_delta_log/*.json"))

    def verify(self) -> ArchiveVerdict:
        """Topics and tables compared; they must agree."""
        verdict = build_verifier(self.settings, self.settings.kafka).verify()
        assert verdict.is_good, "\n".join(one.line() for one in verdict.differing)
        return verdict

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            kill(process)
