"""`creditbus topics`: the topics of the bus, made and kept as the design says."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from exchange.kafka_acl import AclsApplied
    from exchange.topics import Applied

app = typer.Typer(help="Topics of the bus 总线主题.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Topics of the bus 总线主题."""


@app.command()
def apply(
    department: Annotated[
        list[str] | None, typer.Option(help="Only this department, such as gd.tax; may be repeated 部门.")
    ] = None,
    acls: Annotated[
        bool, typer.Option("--acls", help="Kafka's access control lists too, as the catalogue means them 访问控制.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --acls: change nothing, say what differs 试运行.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Make the topics that are missing and set what differs, for every department of the catalogue 建立主题."""
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.errors import RequestError
    from exchange.grants import grants_of
    from exchange.kafka import open_admin
    from exchange.kafka_acl import apply_acls
    from exchange.paths import SCHEMAS
    from exchange.settings import read_settings
    from exchange.topics import apply_topics

    settings = read_settings()
    catalogue = load_catalogue(SCHEMAS)
    catalogue.demand(*department or ())
    if (acls and department) or (dry_run and not acls):
        raise RequestError(
            "--acls is for all departments at once, and --dry-run for --acls", code="bad_options", remedy="see --help"
        )
    admin = open_admin(find_servers(settings).kafka)
    applied = None if dry_run else apply_topics(admin, department or catalogue.departments, settings)
    granted = grants_of(settings, catalogue.departments)
    lists = apply_acls(admin, settings.topic_prefix, granted, dry_run=dry_run) if acls else None
    if json:
        from json import dumps

        told = (asdict(applied) if applied else {}) | ({"acls": asdict(lists)} if lists else {})
        typer.echo(dumps(told, ensure_ascii=False))
        return
    if applied:
        _print_topics(applied)
    if lists:
        _print_lists(lists, dry_run=dry_run)


def _print_lists(lists: "AclsApplied", *, dry_run: bool) -> None:
    for one in lists.added:
        typer.echo(f"allowed  {one}")
    for one in lists.removed:
        typer.echo(f"removed  {one}")
    tail = "; nothing was changed (--dry-run)" if dry_run else ""
    typer.echo(f"{len(lists.added)} allowed, {len(lists.removed)} removed, {lists.unchanged} as they were{tail}")


def _print_topics(applied: "Applied") -> None:
    for topic in applied.created:
        typer.echo(f"created  {topic}")
    for topic, entries in applied.changed.items():
        typer.echo(f"changed  {topic}  {' '.join(entries)}")
    typer.echo(f"{len(applied.created)} created, {len(applied.changed)} changed, {len(applied.unchanged)} as they were")
