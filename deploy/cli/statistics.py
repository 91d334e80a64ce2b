"""`creditbus statistics`: ready questions to the archive."""

from datetime import datetime
from typing import Annotated

import typer

from deploy.cli.ask import Json
from exchange.settings import read_settings


def statistics(
    name: Annotated[str, typer.Argument(help="Which question; without one, what there is.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day 起.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day 止.")] = None,
    list_code: Annotated[
        str, typer.Option("--list", help="Code of a list, such as TAX, where the question is about one 名单.")
    ] = "",
    measure: Annotated[str, typer.Option(help="A measure, such as procurement_ban, instead of a list 措施.")] = "",
    as_json: Json = False,
) -> None:
    """Ready questions to the archive: regions, industries, kinds, lists, measures, departments, entry and exit, policy effect 统计报告."""
    from deploy.cli.archive import show
    from exchange.archive_questions import ALWAYS, Answer, ask, questions
    from exchange.archive_tables import open_archive

    if not name:
        rows = tuple((one.name, one.zh, one.en) for one in questions().values())
        show(Answer(columns=("name", "zh", "en"), rows=rows), "statistics 统计报告", as_json=as_json)
        return
    answer = ask(
        open_archive(read_settings()),
        name,
        since=since.date() if since else ALWAYS,
        until=until.date() if until else None,
        code=list_code or measure,
    )
    found = questions()[name]
    show(answer, f"{found.zh}  {found.en}", as_json=as_json)
