"""`creditbus publish`: a department's CSV or XLSX file goes onto the bus, with a report of every bad row."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cli.servers import with_servers
from deploy.cli.tables import open_console, show_table
from exchange.settings import read_settings

if TYPE_CHECKING:
    from producers.importer.job import Job, Outcome
    from producers.importer.report import Finding
    from producers.importer.run import OnRow

SHOWN = 20
"""Findings that the table shows; the report has all."""


def publish(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030) or XLSX file 文件.")],
    department: Annotated[str, typer.Option("--department", "-d", help="Who publishes, such as gd.tax 报送部门.")],
    format_: Annotated[
        str,
        typer.Option("--format", "-f", help="Layout, such as penalty-2018; found by the header when left out 版式."),
    ] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of a spreadsheet; the first with rows when left out 工作表.")] = "",
    revision_from: Annotated[str, typer.Option(help="Column whose time is the revision, such as SJC 修订时间列.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing if any row is bad 有错不报.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check only, send nothing; needs no servers 只检查.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Send a file again that was sent already 重新报送.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write every finding to this CSV file 错误清单.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Publish a file of records; go on where a killed run was; report every bad row 报送文件.

    Exit code 0 when every row is on the bus (or good, with --dry-run), 1 when a row was refused or it stopped before the end.
    """
    from deploy.cli.stopping import stopped_by_signal
    from producers.importer.job import RefusedError, open_job

    settings = read_settings()
    job = open_job(
        settings if dry_run else with_servers(settings), file, department,
        embedded=not settings.kafka, layout=format_, sheet=sheet, revision_from=revision_from,
    )  # fmt: skip
    refused: RefusedError | None = None
    try:
        with stopped_by_signal() as stop, _progress_bar(job) as on_row:
            outcome = job.check(on_row) if dry_run else job.send(stop, on_row, strict=strict, again=again)
    except RefusedError as error:
        refused, outcome = error, error.outcome
    if report is not None:
        from producers.importer.report import write_report

        write_report(report, outcome.findings)
    if as_json:
        sys.stdout.write(json.dumps(_flat(job, outcome), ensure_ascii=False) + "\n")
    else:
        _show(job, outcome, sent=not dry_run and refused is None, report=report)
    if refused is not None:
        raise refused
    if outcome.bad or outcome.stopped:
        raise typer.Exit(1)


@contextmanager
def _progress_bar(job: "Job") -> Iterator["OnRow"]:
    """A bar on stderr, when people look; by lines of the file."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(job.table.path.name, total=job.table.lines)
        yield lambda converted: bar.update(task, completed=converted.line)


def _flat(job: "Job", outcome: "Outcome") -> dict[str, Any]:
    return {
        "file": str(job.table.path),
        "format": job.header.layout.name,
        "encoding": job.table.encoding or "xlsx",
        "department": job.department,
        **asdict(outcome),
        "ignored_columns": list(job.header.unknown),
    }


def _show(job: "Job", outcome: "Outcome", *, sent: bool, report: Path | None) -> None:
    from producers.importer.report import count_rules

    console = open_console()
    layout = job.header.layout
    console.print(f"{job.table.path.name}: {layout.name} {layout.name_zh}, {job.table.encoding or 'spreadsheet'}")
    if job.header.unknown:
        console.print(f"columns not known to the layout, left out 未识别的列: {', '.join(job.header.unknown)}")
    if outcome.already:
        console.print(f"already on the bus up to line {outcome.line} 已报送; --again sends it again")
        return
    if outcome.findings:
        show_table(console, _table(outcome.findings[:SHOWN]))
        for (verdict, code), count in count_rules(outcome.findings).most_common():
            console.print(f"  {count:,} {verdict} {code}")
        if len(outcome.findings) > SHOWN and report is None:
            console.print(f"  {len(outcome.findings) - SHOWN:,} more; --report FILE.csv writes all")
    good = outcome.rows - outcome.bad - outcome.skipped
    skipped = f", {outcome.skipped:,} not filled in 未填" if outcome.skipped else ""
    console.print(
        f"{outcome.rows:,} rows 行, {good:,} good 合格, {outcome.bad:,} bad 不合格{skipped}, in {outcome.seconds:.1f} s"
    )
    if sent:
        known = f", {outcome.known:,} rows were there before" if outcome.known else ""
        console.print(f"{outcome.records:,} records confirmed by the bus 已确认{known}")
    if outcome.stopped:
        console.print(f"stopped after line {outcome.line}; the same command goes on there 已停止，可续报")


def _table(findings: "Sequence[Finding]") -> Table:
    table = Table("line 行", "column 列", "value 值", "rule 规则", title="findings 问题", title_justify="left")
    for finding in findings:
        colour = "red" if finding.verdict == "bad" else "yellow"
        name = f"{finding.column} {finding.title}" if finding.title != finding.column else finding.column
        table.add_row(
            str(finding.line), escape(name.strip()), escape(finding.value[:60]),
            f"[{colour}]{finding.code}[/] {escape(finding.rule)}",
        )  # fmt: skip
    return table
