"""`creditbus early-warning`: whether the windows of early warning are what departments published."""

from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(help="Early warning: what it has counted 监测预警.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Early warning: what it has counted 监测预警."""


class Source(StrEnum):
    """What is counted anew."""

    archive = "archive"
    topics = "topics"


@app.command()
def reconcile(
    source: Annotated[
        Source | None, typer.Option("--from", help="What to count; the archive where there is one 核对来源.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Count every closed window anew, from the archive or the topics, and compare; exit code 1 when a window differs 核对窗口计数."""
    from consumers.early_warning.reconcile import reconcile as compare
    from deploy.cli.servers import with_servers
    from exchange.clock import CHINA
    from exchange.settings import read_settings

    settings = with_servers(read_settings())
    found = compare(settings, settings.kafka, source.value if source else "")
    if json:
        from json import dumps

        typer.echo(dumps(asdict(found) | {"difference": found.total}, ensure_ascii=False))
    else:
        windows = "no window is closed yet 尚无已结束的窗口"
        if found.closed_until:
            until = datetime.fromtimestamp(found.closed_until / 1000, CHINA).isoformat(timespec="minutes")
            windows = f"{found.windows} windows until {until}"
        typer.echo(f"from the {found.source}: {found.records} records, {windows}: {found.total} differ 个窗口不符")
        if found.unarchived:
            typer.echo(f"  {found.unarchived} messages that are not archived yet came from the topics")
        for kind, number in found.by_kind().items():
            typer.echo(f"  {kind:10} {number}")
        for line in found.examples:
            typer.echo(f"  {line}")
    if found.total:
        raise typer.Exit(1)
