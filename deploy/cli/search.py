"""`creditbus search`: organisations by name, pinyin initials or code."""

import json
from contextlib import closing
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.tables import open_console, show_table
from exchange.errors import RequestError
from exchange.records.words import SubjectKind
from exchange.settings import read_settings


def search(
    text: Annotated[
        str, typer.Argument(help="Part of a name, pinyin initials, or the beginning of a code 名称、拼音首字母或代码.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most 条数.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="Skip so many 跳过.")] = 0,
    division: Annotated[str, typer.Option(help="Only in this division, such as 440300 行政区划.")] = "",
    kind: Annotated[SubjectKind | None, typer.Option(help="Only this kind of subject 主体类型.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Search the directory for organisations 查找主体. Exit code 1 when nothing is found."""
    from consumers.directory.run import open_directory
    from exchange.domain.codes import is_division

    if division and not is_division(division):
        raise RequestError(
            f"--division {division!r} is no division", code="bad_division", remedy="give six digits of GB/T 2260"
        )
    with closing(open_directory(read_settings())) as directory:
        page = directory.search(text, limit=limit, offset=offset, division=division or None, kind=kind)
    if as_json:
        typer.echo(
            json.dumps(
                {"total_at_least": page.total_at_least, "hits": [hit._asdict() for hit in page.hits]},
                ensure_ascii=False,
            )
        )
    else:
        table = Table()
        for heading in ("主体 subject", "名称 name", "区划 division", "类型 kind", "状态 status"):
            table.add_column(heading)
        for hit in page.hits:
            table.add_row(*hit)
        if page.hits:
            show_table(open_console(), table)
        else:
            typer.echo("没有找到 nothing found")
        if page.total_at_least > offset + len(page.hits):
            typer.echo(f"还有更多 there are more: --offset {offset + len(page.hits)}")
    raise typer.Exit(0 if page.hits else 1)
