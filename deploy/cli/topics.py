"""`creditbus topics`: the topics of the bus, made and kept as the design says."""

from dataclasses import asdict
from typing import Annotated

import typer

app = typer.Typer(help="Topics of the bus 总线主题.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Topics of the bus 总线主题."""


@app.command()
def apply(
    department: Annotated[
        list[str] | None, typer.Option(help="Only this department, such as gd.tax; may be repeated 部门.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Make the topics that are missing and set what differs, for every department of the catalogue 建立主题."""
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.errors import RequestError
    from exchange.kafka import open_admin
    from exchange.paths import SCHEMAS
    from exchange.settings import read_settings
    from exchange.topics import apply_topics

    settings = read_settings()
    known = load_catalogue(SCHEMAS).departments
    unknown = [one for one in department or [] if one not in known]
    if unknown:
        raise RequestError(
            f"no department {', '.join(unknown)} in the catalogue",
            code="unknown_department",
            remedy="take a slug from schemas/catalogue",
        )
    applied = apply_topics(open_admin(find_servers(settings).kafka), department or known, settings)
    if json:
        from json import dumps

        typer.echo(dumps(asdict(applied), ensure_ascii=False))
        return
    for topic in applied.created:
        typer.echo(f"created  {topic}")
    for topic, entries in applied.changed.items():
        typer.echo(f"changed  {topic}  {' '.join(entries)}")
    typer.echo(f"{len(applied.created)} created, {len(applied.changed)} changed, {len(applied.unchanged)} as they were")
