"""`creditbus demo`: the bus at work on this machine, live, with the proof at the end."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.settings import read_settings

if TYPE_CHECKING:
    from deploy.demo.run import Demonstration, Show, Summary
    from deploy.demo.seen import Seen

SHOWN = 12
"""Departments named in the summary."""
LINE_SECONDS = 2.0
"""Where no terminal is, a line of totals so often."""


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself 自动结束.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, help="Records a second of the synthetic province 每秒条数.")] = 40.0,
    seed: Annotated[int, typer.Option(help="Seed of the province; a new one each time when left out 随机种子.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end 输出 JSON.")] = False,
) -> None:
    """Show the bus at work 演示: servers, departments, standings, notices, and at the end the proof.

    Starts the embedded servers if they do not run (and ends them again; the data stays), publishes the sample files and a
    synthetic province, and verifies everything. Without --once it goes on until Ctrl-C. Exit code 0 when verify agrees.
    """
    from deploy.cli.stopping import stopped_by_signal
    from deploy.demo.run import Demonstration, stack_up
    from deploy.local.progress import showing_progress

    settings = read_settings()
    with stopped_by_signal() as stop, showing_progress() as advance, stack_up(settings, advance) as servers:
        demonstration = Demonstration(settings, servers, rate=rate, seed=seed or int(time.time()))
        with _showing(demonstration, live=not as_json and sys.stdout.isatty(), to_stderr=as_json) as show:
            summary = demonstration.run(stop, show, once=once)
    if as_json:
        sys.stdout.write(json.dumps(summary.flat(), ensure_ascii=False) + "\n")
    else:
        _print_summary(summary, demonstration)
    raise typer.Exit(0 if summary.verdict.is_good and summary.ledger_good and summary.archive_good else 1)


@contextmanager
def _showing(demonstration: "Demonstration", *, live: bool, to_stderr: bool) -> "Iterator[Show]":
    """A live screen on a terminal, else plain lines."""
    if not live:
        yield _Lines(Console(stderr=to_stderr, soft_wrap=True, highlight=False)).show
        return
    from rich.live import Live

    from deploy.demo.screen import draw

    console = Console()
    with Live(draw(demonstration.seen, *console.size), console=console, screen=True, auto_refresh=False) as screen:
        yield lambda seen: screen.update(draw(seen, *console.size), refresh=True)


class _Lines:
    """A line for each new thing that is done, and totals with the newest notice now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._doing = ""
        self._portal = ""
        self._next = 0.0

    def show(self, seen: "Seen") -> None:
        if seen.doing != self._doing:
            self._doing = seen.doing
            self._console.print(f"[bold]{seen.doing}[/]")
        if seen.portal != self._portal:
            self._portal = seen.portal
            if seen.portal:
                self._console.print(f"[bold]portal 信用门户[/] {seen.portal}")
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_SECONDS
        with seen.lock:
            last = seen.notice_lines[-1] if seen.notice_lines else None
        self._console.print(
            f"  {seen.total():,} records, {sum(seen.bad_rows.values()):,} bad rows, {sum(seen.rejected.values()):,} rejected, "
            f"{len(seen.changed):,} standings changed, {sum(seen.notices.values()):,} notices, {seen.delivered:,} delivered, "
            f"{sum(seen.feedback.values()):,} fed back"
        )
        if last:
            self._console.print(
                f"  {seen.words.department(last.department)} <- {last.name or last.subject}: {last.changes[0]}; {last.because[0]}",
                markup=False,
            )


def _print_summary(summary: "Summary", demonstration: "Demonstration") -> None:
    from producers.samples.people import firm

    console = Console()
    words = demonstration.seen.words
    facts = Table("", "", show_header=False, box=None)
    facts.add_row("records 报送", f"{summary.records:,}: {summary.accepted:,} accepted, {summary.rejected:,} rejected")
    facts.add_row("", _counted(summary.rejected_reasons))
    facts.add_row("bad rows 坏行", f"{summary.bad_rows:,} refused before they were sent")
    facts.add_row("", _counted(summary.bad_row_reasons))
    facts.add_row("standings 主体", f"{summary.standings_changed:,} changed")
    told = f": measures {_counted(summary.changes)}" if summary.changes else ", nobody had to be told anything new"
    facts.add_row("notices 通知", f"{summary.notices:,}{told}")
    if summary.p50_ms is not None:
        facts.add_row(
            "latency 时延", f"publish to readable notice p50 {summary.p50_ms:g} ms, p99 {summary.p99_ms:g} ms"
        )
    facts.add_row(
        "delivery 送达", f"{summary.delivered:,} notices pushed to gd.amr, each with a receipt; gd.prtc reads Kafka"
    )
    facts.add_row("feedback 反馈", _counted(summary.feedback) or "none")
    if summary.executed_after_s is not None:
        facts.add_row(
            "the loop 闭环",
            f"{summary.subject}: listed, both departments had executed after {summary.executed_after_s:g} s; repaired, both lifts "
            f"were confirmed after {summary.lift_confirmed_after_s:g} s",
        )
    if summary.warned_after_s is not None:
        facts.add_row(
            "warning 预警",
            f"{summary.warned:,} subjects warned about; of a firm penalised again and again its department knew after "
            f"{summary.warned_after_s:g} s (portal: /warnings)",
        )
    whole = "whole 完整" if summary.ledger_good else "[red]broken 有误[/]"
    facts.add_row("ledger 存证", f"{summary.ledger_entries:,} entries, hash-chained and signed: {whole}")
    agrees = "agrees 一致" if summary.archive_good else "[red]differs 不一致[/]"
    facts.add_row("archive 归档", f"{summary.archive_rows:,} rows in Delta tables, compared with the topics: {agrees}")
    console.print(facts)
    by = Table("department 部门", "notices 通知", title="told 已通知", title_justify="left")
    for department, count in list(summary.notices_by_department.items())[:SHOWN]:
        by.add_row(words.department(department), f"{count:,}")
    if (more := len(summary.notices_by_department) - SHOWN) > 0:
        by.add_row(f"and {more} more", "")
    if summary.notices:
        console.print(by)
    verdict = summary.verdict
    word = "[green]verify agrees 校验一致[/]" if verdict.is_good else "[red]verify differs 校验不一致[/]"
    console.print(
        f"{word}: {verdict.records:,} records and {verdict.rejected:,} rejected since this bus began, {verdict.subjects:,} "
        f"subjects, {verdict.measures:,} measures in force, {verdict.notices:,} notices, none twice"
    )
    for example in verdict.examples:
        console.print(f"  {example}", markup=False)
    known = firm(1).uscc
    console.print(
        f"look further 再看: `creditbus up`, then `creditbus show {known}`, `creditbus check {known} --matter bidding`, "
        f"`creditbus policy explain {known}`, `creditbus responses {summary.subject or known}`, `creditbus rejected list`", soft_wrap=True,
    )  # fmt: skip


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name.lower()}" for name, count in counts.items())
