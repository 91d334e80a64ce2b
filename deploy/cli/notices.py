"""`creditbus notices`: a department's notices of a day as a file, for departments that take nothing else."""

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.servers import with_servers
from exchange.clock import today
from exchange.errors import RequestError
from exchange.settings import read_settings

if TYPE_CHECKING:
    from deploy.notice_files import NoticeFile

app = typer.Typer(help="Notices as files 通知批量文件.", no_args_is_help=True)


@app.callback()
def notices() -> None:
    """Notices as files 通知批量文件."""


@app.command("file")
def write_file(
    department: Annotated[str, typer.Option("--department", "-d", help="Whose notices, such as gd.fin 部门.")] = "",
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of issue in China; yesterday when left out 签发日期."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file, .csv or .xlsx 文件.")] = None,
    all_departments: Annotated[
        bool, typer.Option("--all-departments", help="A file for each department, in --folder 全部部门.")
    ] = False,
    folder: Annotated[Path | None, typer.Option(help="Folder of the files of all departments 文件夹.")] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="csv or xlsx, in a folder 格式.")] = "xlsx",
    receipts: Annotated[
        bool, typer.Option("--receipts", help="Give receipts once the file is on disk 写盘后提交回执.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file 输出 JSON.")] = False,
) -> None:
    """Write the notices of a day, a row for each measure, with columns to fill in and send back 按日导出通知.

    The file comes back with `creditbus publish FILE --department D --format feedback`. Written again, it has the same rows.
    """
    from deploy.cli.departments import known_department
    from deploy.notice_files import open_notice_files
    from deploy.outbound import Publishers

    _check_places(department, out, folder, all_departments=all_departments)
    the_day = day.date() if day else today() - timedelta(days=1)
    settings = with_servers(read_settings())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as stack:
        files = stack.enter_context(open_notice_files(settings))
        publishers = stack.enter_context(Publishers(settings)) if receipts else None
        slugs = files.departments(the_day) if all_departments else [known_department(department)]
        bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        task = bar.add_task(the_day.isoformat(), total=len(slugs))
        for slug in slugs:
            path = out or (folder or Path()) / f"{slug}-{the_day}.{format_}"
            _show(files.write(slug, the_day, path, receipts=publishers), as_json=as_json)
            bar.advance(task)


def _check_places(department: str, out: Path | None, folder: Path | None, *, all_departments: bool) -> None:
    one = bool(department) and out is not None and folder is None and not all_departments
    every = all_departments and folder is not None and out is None and not department
    if not one and not every:
        raise RequestError(
            "which department, and where to?", code="bad_options",
            remedy="give --department and --out, or --all-departments and --folder",
        )  # fmt: skip


def _show(written: "NoticeFile", *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(asdict(written), ensure_ascii=False) + "\n")
        return
    given = f", {written.receipts:,} receipts 回执" if written.receipts else ""
    typer.echo(
        f"{written.file}: {written.notices:,} notices 通知, {written.rows:,} rows 行{given}, sha256 {written.sha256[:16]}…"
    )
