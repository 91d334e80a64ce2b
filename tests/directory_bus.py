"""A directory beside a bus of a test: its process, and the comparison with what the standing processor made of the same records."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import LiteralString, Self

import psycopg
from pydantic import SecretStr

from consumers.directory.run import folder_of, open_directory
from exchange.directory import Hit, Place
from exchange.directory_sqlite import FILE
from exchange.domain.judge import newest_registration
from exchange.domain.record import split_key
from tests.conftest import environment_of
from tests.faults.bus import BusUnderFault, kill
from tests.waiting import wait_until

PROCESS = Path(__file__).parent / "faults" / "feeding_main.py"
INNER = ("alias/", "link/", "related/")


class DirectoryBeside:
    """The directory of a bus, in a folder of its own, or in a PostgreSQL schema of its own.

    Args:
        bus: that feeds it.
        folder: of its file, and of what its process says.
        url: of the schema, if that is where it is.
    """

    def __init__(self, bus: BusUnderFault, folder: Path, url: str = "") -> None:
        self._bus = bus
        self.url = url
        self.settings = bus.settings.model_copy(
            update={"directory_folder": str(folder), "directory_url": SecretStr(url)}
        )
        self.folder = folder_of(self.settings)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._said = folder.with_name("said")

    def start(
        self, step: str = "", count: int = 0, *, changes: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the process; with a step it kills itself there the `count`-th time."""
        environment = environment_of(self.settings) | {
            "CREDITBUS_DIRECTORY_FOLDER": str(self.folder), "CREDITBUS_DIRECTORY_URL": self.url,
            "CREDITBUS_DIRECTORY_BATCH_RECORDS": "50", **(changes or {}),
        }  # fmt: skip
        command = [sys.executable, str(PROCESS), "directory", *([step, str(count)] if step else [])]
        with self._said.open("wb") as said:  # no pipe: while the broker is away its client says more than one holds
            process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1], stderr=said)
        self.processes.append(process)
        return process

    def taken_in(self) -> int:
        """Messages that the directory has behind it."""
        try:
            return self._number("SELECT coalesce(sum(next), 0) FROM sources")
        except (
            sqlite3.OperationalError,
            psycopg.OperationalError,
            psycopg.errors.UndefinedTable,
        ):  # not made yet, or away
            return 0

    def kept(self) -> int:
        """Records that it has."""
        return self._number("SELECT count(*) FROM records")

    def forget(self) -> None:
        """Delete all that it has."""
        if not self.url:
            shutil.rmtree(self.folder)
            return
        with psycopg.connect(self.url) as connection:
            connection.execute("DO $$ BEGIN EXECUTE 'DROP SCHEMA ' || current_schema() || ' CASCADE'; END $$")
        name = self.url.rpartition("%3D")[2]
        with psycopg.connect(self.url) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())

    def _number(self, sql: LiteralString) -> int:
        if self.url:
            with psycopg.connect(self.url) as connection:
                return int(connection.execute(sql).fetchall()[0][0])
        with closing(sqlite3.connect(f"{(self.folder / FILE).as_uri()}?mode=ro", uri=True)) as file:
            return int(file.execute(sql).fetchone()[0])

    def wait_read(self) -> None:
        """Until all that was fed is read."""
        wait_until(lambda: self.taken_in() >= self._bus.fed, f"{self._bus.fed} read")

    def said(self) -> str:
        """What the process that was started last has said."""
        return self._said.read_text()

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End it in good order."""
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, self.said()

    def hits(self) -> list[Hit]:
        """Everybody in the synthetic province whom a search finds."""
        with closing(open_directory(self.settings)) as directory:
            return list(directory.search("合成", limit=10_000).hits)

    def compare(self) -> int:
        """What the standing processor took in is here with its raw message, under its newest name; how many records it was."""
        store, count, named = self._bus.store, 0, {}
        with closing(open_directory(self.settings)) as directory:
            for number in range(self.settings.partitions):
                for subject in store.subjects(number):
                    entries = {k: e for k, e in store.entries(number, subject).items() if not k.startswith(INNER)}
                    places: dict[Place, str] = {
                        (split_key(key)[1], one.document.partition, one.document.offset): split_key(key)[2]
                        for key, one in entries.items()
                        if one.document is not None
                    }
                    details = directory.details(places)
                    texts = {place: self._bus.codec.decode_plain(raw)[1]["document"] for place, raw in details.items()}
                    assert texts == places, subject
                    count += len(places)
                    standing = store.standing(number, subject)
                    assert standing is not None
                    newest = newest_registration(standing.active)
                    if newest is not None and not subject.startswith("person:") and not standing.merged_into:
                        named[subject] = newest.versions[""].body[0]
        assert {hit.subject: hit.name for hit in self.hits()} == named
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            kill(process)
