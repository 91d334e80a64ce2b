"""`creditbus archive`: compare the archive with the topics, look after its files, ask it in SQL."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.cli.ask import Json
from deploy.cli.tables import open_console, print_table
from exchange.archive_questions import Answer
from exchange.errors import RequestError
from exchange.json_form import to_json
from exchange.settings import read_settings

app = typer.Typer(help="The archive: Delta Lake tables of everything 归档.", no_args_is_help=True)


def show(answer: Answer, title: str, *, as_json: bool) -> None:
    """Print an answer as a table, or each row as an object."""
    if as_json:
        sys.stdout.write(json.dumps([to_json(row) for row in answer.as_json()], ensure_ascii=False, default=str) + "\n")
        return
    rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in answer.as_json()]
    print_table(open_console(), title, rows)
    if not rows:
        typer.echo("nothing 无")


@app.command()
def verify(as_json: Json = False) -> None:
    """Make every row from the topics once more and compare with the tables, by count and checksum 校验. Exit code 1 when they differ.

    It may be run at any time: what is not archived yet is left out. The archive's process shows the result among its metrics.
    """
    from consumers.archive.run import build_verifier
    from deploy.local.connect import find_servers
    from exchange.archive_tables import archive_folder

    settings = read_settings()
    kafka = find_servers(settings).kafka
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,} messages"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        verifier = build_verifier(settings, kafka, progress=lambda count: bar.advance(task, count))
        verdict = verifier.verify()
    verdict.keep(archive_folder(settings))
    if as_json:
        sys.stdout.write(json.dumps(verdict.as_json(), ensure_ascii=False) + "\n")
    else:
        word = "[green]agrees 一致[/]" if verdict.is_good else "[red]differs 不一致[/]"
        open_console().print(
            f"{word}: {verdict.messages:,} messages, {verdict.rows:,} rows, {verdict.refused:,} refused"
            f" ({verdict.refused_otherwise:,} otherwise than the standing processor)"
        )
        for one in verdict.differing:
            open_console().print(f"  {one.line()}", markup=False)
    raise typer.Exit(0 if verdict.is_good else 1)


@app.command()
def compact(
    month: Annotated[
        str, typer.Option(help="A month that is over, such as 2026-10, to be sorted by subject as well 月份.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make small files into large ones now, as the archive's process does when there are many 合并文件. It must not run meanwhile."""
    from consumers.archive.run import looking_after

    with looking_after(read_settings()) as (upkeep, tables):
        removed = upkeep.look(tables)
        ordered = sum(upkeep.sort(name, month) for name in tables) if month else 0
    if as_json:
        sys.stdout.write(json.dumps({"files_fewer": removed, "files_sorted": ordered}) + "\n")
    else:
        typer.echo(f"{removed} files fewer, {ordered} files sorted by subject 减少文件、按主体排序")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A statement over the tables, DuckDB's SQL.")], as_json: Json = False
) -> None:
    """Ask the archive in SQL 查询; `SHOW TABLES` tells what there is."""
    import duckdb

    from exchange.archive_questions import prepare
    from exchange.archive_tables import open_archive

    archive = open_archive(read_settings())
    prepare(archive)
    try:
        cursor = archive.execute(sql)
        columns = tuple(one[0] for one in cursor.description or ())
        answer = Answer(columns=columns, rows=tuple(cursor.fetchall()))
    except duckdb.Error as error:
        raise RequestError(
            " ".join(str(error).split())[:500], code="bad_query", remedy="see docs/archive.md for tables and columns"
        ) from error
    show(answer, "", as_json=as_json)
