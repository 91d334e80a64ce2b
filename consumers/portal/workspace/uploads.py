"""Uploads: files that departments bring to the portal, kept until they are on the bus, with a report of every row.

Each is a folder `<home>/uploads/<id>`: `upload.json` says how far it has come, `file.*` is the file until it is dealt with (it may
name persons, so it does not stay), `report.csv` has a line a row. One at a time is imported. What was under way when the portal
ended goes on when it starts again: the importer keeps the last confirmed line, and the report is written anew.
"""

import csv
import fcntl
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol, Self

import msgspec

from exchange.clock import now_ms
from exchange.errors import CreditbusError, RetryLaterError

KEPT_DAYS = 30
_SAVE_SECONDS = 0.5
_AGAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_TAKING_SECONDS = 3600.0
"""Another portal of this home may be taking a file over; that takes no longer."""
FIELDS = ("line", "result", "document", "column", "title", "value", "code", "rule")
log = logging.getLogger("creditbus.portal")


class RowFinding(NamedTuple):
    """One thing found in a cell; personal identifiers in `value` are masked."""

    column: str
    title: str
    value: str
    code: str
    rule: str


class RowReport(NamedTuple):
    """One row of a file: result is `good`, `bad` or `skipped`; its documents; what was found."""

    line: int
    result: str
    documents: tuple[str, ...]
    findings: tuple[RowFinding, ...]


class Totals(NamedTuple):
    """How an import ended; rows, but `records`. already: the whole file was on the bus before."""

    rows: int
    bad: int
    skipped: int
    known: int
    records: int
    stopped: bool
    already: bool


class ImportJob(Protocol):
    """One file on its way onto the bus."""

    @property
    def layout(self) -> str:
        """What kind of file it is, for people."""

    @property
    def lines(self) -> int:
        """How many there are, about."""

    def run(self, stop: threading.Event, on_row: Callable[[RowReport], None]) -> Totals:
        """Send every good row that is not on the bus yet, and wait until it has them; raises `RetryLaterError`, `RequestError`."""


class OpenImport(Protocol):
    """Opens a file for import, given by who composes the process."""

    def __call__(self, file: Path, department: str) -> ImportJob:
        """Find out how a file is laid out; raises `RequestError` where it cannot be imported."""


class Progress(StrEnum):
    """How far an upload has come."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """An upload. `at` is in milliseconds since 1970-01-01 UTC; `line` of about `lines` is read; the rest counts rows, and records."""

    id: str
    department: str
    account: str
    name: str
    size: int
    at: int
    progress: Progress = Progress.WAITING
    layout: str = ""
    lines: int = 0
    line: int = 0
    rows: int = 0
    bad: int = 0
    skipped: int = 0
    records: int = 0
    already: bool = False
    error: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.progress in (Progress.FINISHED, Progress.FAILED)


class Uploads:
    """All uploads of a portal. A context manager: inside it files are imported, at its end the row at hand is finished.

    Args:
        folder: where they are kept.
        open_import: opens files.
    """

    def __init__(self, folder: Path, open_import: OpenImport) -> None:
        self._folder = folder
        self._open_import = open_import
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)

    def __enter__(self) -> Self:
        for one in sorted(self._all(), key=lambda one: one.at):
            if not one.is_over:
                self._waiting.put(one.id)
                continue
            self._forget_file(one)  # it may have died between the two
            if one.at < now_ms() - KEPT_DAYS * 86_400_000:
                shutil.rmtree(self._folder / one.id, ignore_errors=True)
        self._forget_unfinished()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def take(self, department: str, account: str, name: str, source: Path) -> Upload:
        """Take a checked file over, to be imported in its turn."""
        one = Upload(
            id=secrets.token_hex(8), department=department, account=account, name=name[:200], size=source.stat().st_size,
            at=now_ms(),
        )  # fmt: skip
        place = self._folder / one.id
        place.mkdir(parents=True)
        shutil.copyfile(source, place / f"file{Path(name).suffix.lower()[:5]}")
        self._save(one)
        self._waiting.put(one.id)
        return one

    def of(self, department: str) -> list[Upload]:
        """A department's uploads, the newest first."""
        return sorted((one for one in self._all() if one.department == department), key=lambda one: -one.at)

    def find(self, department: str, upload_id: str) -> Upload | None:
        """One upload of a department."""
        one = self._read(upload_id) if upload_id.isalnum() else None
        return one if one is not None and one.department == department else None

    def report(self, upload: Upload) -> Path:
        """Its report; there once it has begun."""
        return self._folder / upload.id / "report.csv"

    def _all(self) -> Iterator[Upload]:
        for place in self._folder.glob("*/upload.json"):
            one = self._read(place.parent.name)
            if one is not None:
                yield one

    def _read(self, upload_id: str) -> Upload | None:
        try:
            return msgspec.json.decode((self._folder / upload_id / "upload.json").read_bytes(), type=Upload)
        except (OSError, msgspec.MsgspecError):
            return None

    def _save(self, one: Upload) -> None:
        place = self._folder / one.id / "upload.json"
        fresh = place.with_suffix(".tmp")
        fresh.write_bytes(msgspec.json.encode(one))
        fresh.replace(place)

    def _forget_file(self, one: Upload) -> None:
        for file in (self._folder / one.id).glob("file*"):
            file.unlink(missing_ok=True)

    def _forget_unfinished(self) -> None:
        """Files that were being taken over when a portal died: nobody was told that they were, and they may name persons."""
        for place in self._folder.glob("*"):
            is_old = place.is_dir() and place.stat().st_mtime < time.time() - _TAKING_SECONDS
            if is_old and not (place / "upload.json").exists():
                shutil.rmtree(place, ignore_errors=True)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                one = self._read(self._waiting.get(timeout=_LOOK_SECONDS))
            except Empty:
                continue
            if one is not None:
                with self._alone(one) as mine:
                    if mine:
                        self._import(one)

    @contextmanager
    def _alone(self, one: Upload) -> Iterator[bool]:
        """Whether no other portal of this home is at it."""
        with (self._folder / one.id / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    def _import(self, one: Upload) -> None:
        file = next((self._folder / one.id).glob("file*"), None)
        while file is not None:
            try:
                one = self._run(one, file)
            except RetryLaterError as error:
                log.warning("upload waits id=%s code=%s error=%s", one.id, error.code, error)
                if self._stop.wait(_AGAIN_SECONDS):
                    return
                continue
            except CreditbusError as error:
                one = msgspec.structs.replace(one, progress=Progress.FAILED, error=f"{error} - {error.remedy}")
            except Exception:
                log.exception("upload failed id=%s", one.id)
                one = msgspec.structs.replace(
                    one, progress=Progress.FAILED, error="平台内部错误 an error of the platform"
                )
            self._save(one)
            if one.is_over:
                self._forget_file(one)
            return

    def _run(self, one: Upload, file: Path) -> Upload:
        """Import a file; the upload as it is then, still running where the portal ends."""
        job = self._open_import(file, one.department)
        one = msgspec.structs.replace(
            one, progress=Progress.RUNNING, layout=job.layout, lines=job.lines, rows=0, bad=0, skipped=0
        )
        self._save(one)
        saved_at = time.monotonic()
        with self.report(one).open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(FIELDS)

            def on_row(row: RowReport) -> None:
                nonlocal one, saved_at
                writer.writerows(_lines(row))
                one = msgspec.structs.replace(
                    one, line=row.line, rows=one.rows + 1, bad=one.bad + (row.result == "bad"),
                    skipped=one.skipped + (row.result == "skipped"),
                )  # fmt: skip
                if time.monotonic() - saved_at > _SAVE_SECONDS:
                    self._save(one)
                    saved_at = time.monotonic()

            totals = job.run(self._stop, on_row)
        progress = Progress.RUNNING if totals.stopped else Progress.FINISHED
        records = totals.records + totals.known
        return msgspec.structs.replace(one, progress=progress, records=records, already=totals.already)


def _lines(row: RowReport) -> Iterator[tuple[object, ...]]:
    """A row's lines in the report: one for each thing found, at least one."""
    documents = " ".join(row.documents)
    for found in row.findings or (RowFinding("", "", "", "", ""),):
        yield (row.line, row.result, *map(_safe, (documents, *found)))


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
