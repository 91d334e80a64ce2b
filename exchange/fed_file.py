"""A SQLite file that one process feeds from departments' topics: each batch and its offsets are one transaction, all or nothing.

The directory and the deadlines are such files. A file knows whose bus it is made from, and where to go on reading.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.errors import CreditbusError, FatalError
from exchange.fed_folder import Bus, Fed, Offsets

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA}
_READER_KIB, _WRITER_KIB = 8_192, 65_536
"""Pages that a connection keeps for itself; a reader's are those of one thread, and the operating system has the others."""
_WAL_PAGES = 4000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
    id INTEGER PRIMARY KEY, department TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL DEFAULT 0,
    UNIQUE (department, partition));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Fed):
    """What is kept in a file.

    Attributes:
        file: its name.
        schema: of its own tables.
    """

    file: str
    schema: str


class FedFile:
    """The one writer of a folder.

    Args:
        folder: made if need be.
        bus: that feeds it.
        kept: what it is.
        on_step: told `keep`, `commit` and `kept`; fault tests end the process there.

    Raises:
        RequestError: `<name>_in_use`.
        FatalError: `<name>_of_another_bus`, `_format`, `_corrupt`, `_unusable`, `_disk_failed`.
    """

    def __init__(self, folder: Path, bus: Bus, kept: Kept, on_step: Callable[[str], None] = lambda _: None) -> None:
        self.path = folder / kept.file
        self._kept = kept
        self._on_step = on_step
        with ExitStack() as undoing:
            self._lock = undoing.enter_context(kept.lock(folder))
            with translating(self.path, kept):
                self.writer = undoing.enter_context(closing(connect(self.path, "rwc")))
                self.writer.execute("PRAGMA journal_mode=WAL")
                self.writer.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes is read again
                self.writer.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
                self.writer.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}{kept.schema}COMMIT;")
                self._demand(bus)
            undoing.pop_all()

    def close(self) -> None:
        """Close the file, and leave the folder to another."""
        self.writer.close()
        self._lock.close()

    def size(self) -> int:
        """Bytes on disk."""
        return sum(one.stat().st_size for one in self.path.parent.glob(f"{self.path.name}*"))

    def offsets(self) -> Offsets:
        """Where to go on reading."""
        with translating(self.path, self._kept):
            rows = self.all("SELECT department, partition, next FROM sources")
        return {(department, partition): offset for department, partition, offset in rows}

    @contextmanager
    def keeping(self, offsets: Offsets) -> Iterator[None]:
        """One transaction: what is written within, and the offsets from which to go on afterwards."""
        with translating(self.path, self._kept):
            self._on_step("keep")
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.writer.executemany(
                    "INSERT INTO sources (department, partition, next) VALUES (?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET next = max(next, excluded.next)",
                    [(*source, offset) for source, offset in offsets.items()],
                )
                self._on_step("commit")
                self.writer.execute("COMMIT")
            except BaseException:
                if self.writer.in_transaction:
                    self.writer.execute("ROLLBACK")
                raise
        self._on_step("kept")

    def all(self, sql: str, *values: Any) -> list[Any]:
        """Every row of a question."""
        return self.writer.execute(sql, values).fetchall()

    def _demand(self, bus: Bus) -> None:
        """Write down in a new file whose it is; in another, see that it is the same."""
        found = dict(self.all("SELECT name, value FROM about"))
        if found:
            self._kept.demand(self.path.parent, bus, found)
        else:
            self.writer.executemany("INSERT INTO about VALUES (?, ?)", self._kept.about(bus).items())


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection whose transactions begin and end where the caller says so.

    Args:
        path: of the file.
        mode: `ro`, or `rwc` to write and make it if need be.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA cache_size=-{_READER_KIB if mode == 'ro' else _WRITER_KIB}")
    return connection


@contextmanager
def translating(path: Path, kept: Kept) -> Iterator[None]:
    """Turn SQLite's errors into those of the bus."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, path, kept) from error


def _translate(error: sqlite3.Error, path: Path, kept: Kept) -> CreditbusError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return FatalError(
            f"disk of the {kept.name} {path}: {error}",
            code=f"{kept.name}_disk_failed",
            remedy="free space on its disk, or mend it, and start the process again; nothing is lost",
        )
    if code in _CORRUPT:
        return FatalError(
            f"{path} is no whole {kept.name}: {error}",
            code=f"{kept.name}_corrupt",
            remedy=f"delete the folder {path.parent} and start `creditbus run {kept.name}`, which reads all anew",
        )
    return FatalError(
        f"{kept.name} {path} cannot be used: {error}",
        code=f"{kept.name}_unusable",
        remedy=f"see that this process may read and write its folder, or set {kept.setting} to another",
    )
