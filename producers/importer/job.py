"""Puts an import together: the file, its layout, the department's rules and keys, the publisher, the progress kept."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from exchange.answers import seconds_now
from exchange.catalogue import Catalogue, load_catalogue
from exchange.codec import Codec, open_codec
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.pseudonym import PersonKeys, load_person_keys, person_subject
from exchange.settings import Settings
from exchange.tables import Table, open_table
from exchange.topics import Topics
from producers.importer.convert import Converted, Converter
from producers.importer.layouts import Header, load_layouts
from producers.importer.progress import ProgressFile
from producers.importer.report import Finding
from producers.importer.run import Import, OnRow, check_rows, read_header
from producers.prepare import Preparer
from producers.publisher import Publisher

IMPORTS = "imports"
"""Folder of progress files, in the home of the bus."""


class Parts(NamedTuple):
    """What an import is checked and encoded with."""

    codec: Codec
    catalogue: Catalogue
    keys: PersonKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an import went; every figure counts rows except `records`.

    Attributes:
        rows: read, the header and empty ones not counted.
        bad: refused.
        skipped: rows that say nothing, as lines of a file for feedback that are not filled in.
        known: good ones that an earlier run had confirmed.
        records: confirmed by the broker in this run.
        line: the last line up to which everything is confirmed.
        stopped: asked to stop before the end.
        already: the whole file was on the bus before; nothing was done.
        findings: everything wrong or doubtful, in order of lines.
        seconds: it took so long.
    """

    rows: int
    bad: int
    skipped: int = 0
    known: int = 0
    records: int = 0
    line: int = 0
    stopped: bool = False
    already: bool = False
    findings: tuple[Finding, ...] = field(repr=False)
    seconds: float


class RefusedError(RequestError):
    """A strict import of a file with bad rows; nothing was sent. `outcome` has the findings."""

    code = "bad_rows"
    remedy = "mend the rows, or publish the good ones without --strict"

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.bad} of {outcome.rows} rows are bad, nothing was sent")
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file on its way from one department onto the bus; made by `open_job`."""

    settings: Settings
    table: Table
    header: Header
    department: str
    revision_from: str
    parts: Parts

    def check(self, on_row: OnRow) -> Outcome:
        """Read and check every row; send nothing."""
        started = time.monotonic()
        rows = bad = skipped = 0
        findings: list[Finding] = []
        for converted in self._convert():
            rows += 1
            bad += converted.bad
            skipped += converted.skipped
            findings.extend(converted.findings)
            on_row(converted)
        return Outcome(
            rows=rows, bad=bad, skipped=skipped, findings=tuple(findings), seconds=time.monotonic() - started
        )

    def send(self, stop: threading.Event, on_row: OnRow, *, strict: bool = False, again: bool = False) -> Outcome:
        """Send every good row that is not on the bus yet, and wait until the broker has confirmed it.

        Args:
            stop: ends the import after the row at hand; what was sent is still confirmed and remembered.
            on_row: told of every row.
            strict: send nothing if any row is bad.
            again: forget what an earlier run has sent.

        Raises:
            RefusedError: strict, and a row is bad.
            RequestError: `unknown_topic`, `not_allowed`.
            RetryLaterError: the bus is away; what is confirmed is remembered.
        """
        started = time.monotonic()
        with Publisher(self.settings, self.department, self.parts.codec, self.parts.catalogue) as publisher:
            progress = self._progress_file(publisher.check_topic())
            if again:
                progress.forget()
            before = progress.read()
            if before is not None and before.finished:
                return Outcome(
                    rows=0,
                    bad=before.bad,
                    line=before.line,
                    already=True,
                    findings=(),
                    seconds=time.monotonic() - started,
                )
            if strict:
                checked = self.check(lambda _: None)
                if checked.bad:
                    raise RefusedError(checked)
            findings: list[Finding] = []

            def observe(converted: Converted) -> None:
                findings.extend(converted.findings)
                on_row(converted)

            tally = Import(publisher, progress, self.table.path.name, stop).run(self._convert(), observe)
        return Outcome(
            rows=tally.rows, bad=tally.bad, skipped=tally.skipped, known=tally.known, records=tally.records, line=tally.line,
            stopped=tally.stopped, findings=tuple(findings), seconds=time.monotonic() - started,
        )  # fmt: skip

    def _convert(self) -> Iterator[Converted]:
        preparer = Preparer(self.department, self.parts.codec, self.parts.catalogue)
        keys = self.parts.keys
        converter = Converter(
            self.header, preparer, lambda citizen_id: person_subject(citizen_id, keys),
            revision_from=self.revision_from, started_at=seconds_now(),
        )  # fmt: skip
        return check_rows(self.table, self.header, converter)

    def _progress_file(self, cluster: str) -> ProgressFile:
        identity = (self.table.digest, self.table.sheet, self.header.layout.name, self.revision_from)
        topic = Topics(self.settings.topic_prefix).into(self.department)
        return ProgressFile(self.settings.home / IMPORTS, *identity, topic, cluster)


def open_job(
    settings: Settings,
    file: Path,
    department: str,
    *,
    embedded: bool,
    layout: str = "",
    sheet: str = "",
    revision_from: str = "",
) -> Job:
    """Open a file and find out how it is laid out; nothing is sent yet.

    Args:
        settings: of the bus.
        file: CSV or XLSX.
        department: slug of who publishes.
        embedded: whether the bus is the embedded stack (see `load_person_keys`).
        layout: name of a layout, or "" to find it by the header.
        sheet: of a spreadsheet, or "".
        revision_from: name or field code of the column whose time is the revision, or "".

    Raises:
        RequestError: the department, the file or its header is not right; says what to do.
        FatalError: the catalogue, the schemas or the keys are not right.
    """
    catalogue = load_catalogue(SCHEMAS)
    catalogue.demand(department)
    table = open_table(file, sheet=sheet)
    header = read_header(table, load_layouts(), layout)
    record_type = header.layout.record_type
    if record_type not in catalogue.grants(department):
        raise RequestError(
            f"{department} may not publish {record_type} ({header.layout.name_zh})",
            code="type_not_granted",
            remedy="see schemas/catalogue/resources.toml for who may",
        )
    needs_keys = header.layout.has_citizen_ids
    keys = load_person_keys(settings, embedded=embedded) if needs_keys else PersonKeys(keys=())
    parts = Parts(open_codec(settings, SCHEMAS), catalogue, keys)
    code = header.find(revision_from) if revision_from else ""
    return Job(
        settings=settings, table=table, header=header, department=department, revision_from=code, parts=parts
    )  # fmt: skip
