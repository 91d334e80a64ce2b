"""`creditbus open-data`: make a day's release, say which there are, and each figure by itself."""

import json
import sys
from datetime import date
from typing import Annotated

import typer

from deploy.cli.ask import Json
from deploy.cli.tables import open_console, print_table
from exchange.domain.calendar import to_date
from exchange.settings import read_settings

app = typer.Typer(help="Open data: daily releases and figures 开放数据.", no_args_is_help=True)
Day = Annotated[str, typer.Option("--day", help="The day, such as 2026-11-28; today by default 日期.")]


def _read_day(text: str) -> tuple[date, date]:
    from deploy.cli.policy import read_day

    return to_date(read_day(text)), to_date(read_day(""))


@app.command()
def release(day: Day = "", as_json: Json = False) -> None:
    """Make the release of a day: what the public may see as CSV, JSON lines and Parquet, figures, schemas, checksums 发布.

    Whole or not at all; again it changes nothing but what has changed. Only the newest release has rows: older ones keep their figures.
    For cron, a little after midnight and as often by day as repairs and withdrawals must be gone from it.
    """
    from consumers.open_data.run import make_release
    from deploy.local.connect import find_servers

    settings = read_settings()
    wanted, today = _read_day(day)
    made, missing = make_release(settings, find_servers(settings).redis, wanted, today)
    if as_json:
        facts = {"folder": str(made.folder), "rows": made.rows, "changed": made.is_new, "missing": missing}
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
        return
    for name, rows in made.rows.items():
        typer.echo(f"{rows:>12,}  {name}")
    typer.echo(f"{'released 已发布' if made.is_new else 'unchanged 无变化'}: {made.folder}")
    for code in missing:
        typer.echo(f"note: some figures are not in it ({code})", err=True)


@app.command("list")
def show(as_json: Json = False) -> None:
    """Which releases there are, the newest first 已发布列表."""
    from consumers.open_data.files import read_checksums
    from consumers.open_data.release import days_of
    from consumers.open_data.run import releases_folder

    folder = releases_folder(read_settings())
    found = {day: sorted(read_checksums(folder / day)) for day in days_of(folder)}
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return
    for day, names in found.items():
        typer.echo(f"{day}  {len(names):>3} files  {folder / day}")
    if not found:
        typer.echo("no release 尚未发布")


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="regions, trends, lists or league.")], day: Day = "", as_json: Json = False
) -> None:
    """A figure as the statistics page shows it; a count that is not shown is * (null in JSON) 统计数字."""
    from consumers.open_data.run import read_figure

    found = read_figure(read_settings(), name, _read_day(day)[0])
    if as_json:
        sys.stdout.write(json.dumps(found.content, ensure_ascii=False) + "\n")
        return
    columns = ["row", *found.content["columns"]]
    none = "*" if "least" in found.content else "—"  # not shown, or nothing to show
    rows = [{one: _shown(row.get(one), none) for one in columns} for row in found.content["rows"]]
    print_table(open_console(), f"{found.zh}  {found.en}", rows)
    typer.echo(f"{found.content['since']} – {found.content['day']}")


def _shown(value: object, none: str) -> str:
    return none if value is None else f"{value:,}" if isinstance(value, int) else str(value)
