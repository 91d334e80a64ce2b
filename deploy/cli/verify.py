"""`creditbus verify`: recompute everything from the topics and compare."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.cli.tables import open_console
from exchange.settings import read_settings


def verify(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Recompute every standing and measure from the topics, and compare them with Redis and with what was told 校验.

    Exit code 0 when everything agrees. Run it when nothing is under way; records not yet taken in are counted, not compared.
    """
    from consumers.standing.run import build_verifier
    from deploy.local.connect import find_servers

    settings = read_settings()
    servers = find_servers(settings)
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,} messages"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        verifier = build_verifier(
            settings, servers.kafka, servers.redis, progress=lambda count: bar.advance(task, count)
        )
        verdict = verifier.verify()
    if as_json:
        sys.stdout.write(json.dumps({**asdict(verdict), "good": verdict.is_good}, ensure_ascii=False) + "\n")
    else:
        word = "[green]agrees 一致[/]" if verdict.is_good else "[red]differs 不一致[/]"
        open_console().print(
            f"{word}: {verdict.records:,} records, {verdict.rejected:,} rejected, {verdict.subjects:,} subjects, "
            f"{verdict.measures:,} measures in force, {verdict.notices:,} notices; {verdict.waiting:,} records not yet taken in"
        )
        for kind, count in verdict.problems.items():
            open_console().print(f"  {kind}: {count}")
        for example in verdict.examples:
            open_console().print(f"  {example}", markup=False)
    raise typer.Exit(0 if verdict.is_good else 1)
