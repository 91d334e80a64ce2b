"""Gives the portal the importer of producers: what a file's rows become, told row by row."""

import threading
from collections.abc import Callable
from pathlib import Path

from consumers.portal.workspace.uploads import RowFinding, RowReport, Totals
from exchange.settings import Settings
from producers.importer.convert import Converted
from producers.importer.job import Job, open_job


class FileImport:
    """One uploaded file; an `ImportJob`.

    Args:
        job: of the importer.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    @property
    def layout(self) -> str:
        """See `ImportJob`."""
        return f"{self._job.header.layout.name_zh} {self._job.header.layout.name}"

    @property
    def lines(self) -> int:
        """See `ImportJob`."""
        return self._job.table.lines

    def run(self, stop: threading.Event, on_row: Callable[[RowReport], None]) -> Totals:
        """See `ImportJob`."""

        def tell(converted: Converted) -> None:
            on_row(_report(converted))

        found = self._job.send(stop, tell)
        if found.already:  # the portal may have died before the report was whole
            seen = self._job.check(tell)
            known = seen.rows - seen.bad - seen.skipped
            return Totals(seen.rows, seen.bad, seen.skipped, known, 0, stopped=False, already=True)
        return Totals(found.rows, found.bad, found.skipped, found.known, found.records, found.stopped, found.already)


class FileImporter:
    """Opens uploaded files; an `OpenImport`.

    Args:
        settings: of the bus, with the servers' addresses.
        embedded: whether the bus is the embedded stack.
    """

    def __init__(self, settings: Settings, *, embedded: bool) -> None:
        self._settings = settings
        self._embedded = embedded

    def __call__(self, file: Path, department: str) -> FileImport:
        """See `OpenImport`."""
        return FileImport(open_job(self._settings, file, department, embedded=self._embedded))


def _report(row: Converted) -> RowReport:
    result = "bad" if row.bad else "skipped" if row.skipped else "good"
    findings = tuple(RowFinding(one.column, one.title, one.value, one.code, one.rule) for one in row.findings)
    return RowReport(row.line, result, tuple(record.document for record in row.records), findings)
