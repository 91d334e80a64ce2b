"""The import itself: rows in order, checked, sent, confirmed; what is confirmed is remembered, so that it can go on later."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from itertools import islice

from exchange.errors import RetryLaterError
from exchange.tables import Table
from producers.importer.convert import Converted, Converter
from producers.importer.layouts import HEADER_DEPTH, Header, Layout, find_header
from producers.importer.progress import Progress, ProgressFile
from producers.publisher import Delivery, Publisher

SAVE_EVERY_SECONDS = 1.0
"""How often progress is written; after a kill the rows of so long are sent again, at most."""
IN_FLIGHT = 10_000
"""Rows sent and not yet confirmed, at most."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """How an import goes; every figure counts rows except `records`.

    Attributes:
        rows: read so far, the header and empty ones not counted.
        bad: refused.
        skipped: rows that say nothing.
        known: good ones that an earlier run had confirmed.
        records: confirmed in this run.
        line: the last line up to which everything is confirmed.
        stopped: asked to stop before the end.
    """

    rows: int = 0
    bad: int = 0
    skipped: int = 0
    known: int = 0
    records: int = 0
    line: int = 0
    stopped: bool = False


OnRow = Callable[[Converted], None]
"""Told of every row once it is checked, for reports and progress bars."""


def read_header(table: Table, layouts: dict[str, Layout], name: str = "") -> Header:
    """The header of a file, wherever in its first rows it stands; see `find_header`."""
    return find_header(layouts, [(row.line, row.cells) for row in islice(table.rows(), HEADER_DEPTH)], name)


def check_rows(table: Table, header: Header, converter: Converter) -> Iterator[Converted]:
    """Every row below the header with its records and findings, notes to people left out; nothing is sent."""
    note = header.layout.note
    return (
        converter.convert(row)
        for row in table.rows()
        if row.line > header.line and not (note and row.cells and str(row.cells[0]).startswith(note))
    )


class Import:
    """Sends what `check_rows` gives, in order, and keeps the progress.

    Args:
        publisher: of the department.
        progress: where it is remembered; read at the start, so that a killed import goes on.
        file: name of the file, for people.
        stop: ends the import after the row at hand; what was sent is still confirmed and remembered.
    """

    def __init__(self, publisher: Publisher, progress: ProgressFile, file: str, stop: threading.Event) -> None:
        self._publisher = publisher
        self._progress = progress
        self._file = file
        self._stop = stop
        self._sent: deque[tuple[int, list[Future[Delivery]]]] = deque()
        self._saved_at = time.monotonic()
        self._before = progress.read() or Progress(file=file)
        self.tally = Tally(line=self._before.line)

    def run(self, rows: Iterator[Converted], on_row: OnRow) -> Tally:
        """Send all rows and wait for their confirmation.

        Raises:
            RetryLaterError: the bus is away or slow; everything confirmed until then is remembered.
        """
        tally = self.tally
        try:
            for converted in rows:
                if self._stop.is_set():
                    tally.stopped = True
                    break
                tally.rows += 1
                tally.bad += converted.bad
                tally.skipped += converted.skipped
                on_row(converted)
                self._send(converted)
            self._confirm(down_to=0)
        finally:
            self._collect()
            self._save(finished=False)
        if not tally.stopped:
            self._save(finished=True)
        return tally

    def _send(self, converted: Converted) -> None:
        if converted.line <= self._before.line:
            self.tally.known += not (converted.bad or converted.skipped)
            return
        self._sent.append((converted.line, [self._publisher.deliver(record) for record in converted.records]))
        self._collect()
        self._confirm(down_to=IN_FLIGHT)
        if time.monotonic() - self._saved_at >= SAVE_EVERY_SECONDS:
            self._save(finished=False)

    def _collect(self) -> None:
        """Count the rows at the front that are confirmed; stop before the first that is not."""
        while self._sent:
            line, receipts = self._sent[0]
            if not all(receipt.done() and receipt.exception() is None for receipt in receipts):
                return
            self._sent.popleft()
            self.tally.line = line
            self.tally.records += len(receipts)

    def _confirm(self, *, down_to: int) -> None:
        """Wait until at most so many rows are unconfirmed; a failed delivery raises here."""
        while len(self._sent) > down_to:
            for receipt in self._sent[0][1]:
                try:
                    receipt.result(timeout=self._publisher.deadline_seconds)
                except FutureTimeoutError as exc:
                    raise RetryLaterError("the broker confirms nothing", code="not_delivered") from exc
            self._collect()

    def _save(self, *, finished: bool) -> None:
        self._saved_at = time.monotonic()
        tally = self.tally
        records = self._before.records + tally.records
        self._progress.write(
            Progress(file=self._file, line=tally.line, records=records, bad=tally.bad, finished=finished)
        )
