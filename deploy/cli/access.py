"""`creditbus access`: who asked for what that is not public."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.servers import with_servers
from deploy.cli.tables import open_console, show_table
from exchange.errors import RequestError
from exchange.settings import read_settings

app = typer.Typer(help="Access log 访问日志: who asked for what.", no_args_is_help=True)


@app.callback()
def _access() -> None:
    """Who asked for what that is not public 访问日志."""


@app.command("list")
def list_reads(
    subject: Annotated[str, typer.Option(help="Only about this subject, by subject id or code 主体.")] = "",
    account: Annotated[str, typer.Option(help="Only by this account, client or API key 账号.")] = "",
    since: Annotated[str, typer.Option(help="From when on: 2026-05-20 or 2026-05-20T08:00+08:00 起始时间.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List reads, oldest first 访问清单."""
    from consumers.inbox_http.reader import open_consumer
    from consumers.portal.access.reads import reads
    from exchange.codec import open_codec
    from exchange.look_up import subject_of
    from exchange.paths import SCHEMAS
    from exchange.redis_client import connect

    settings = with_servers(read_settings())
    found = reads(
        open_consumer(settings.kafka), connect(settings.redis), open_codec(settings, SCHEMAS), settings,
        since_ms=_moment(since), subject=subject and subject_of(subject), account=account,
    )  # fmt: skip
    if as_json:
        for one in found:
            typer.echo(json.dumps(one | {"asked_at": one["asked_at"].isoformat()}, ensure_ascii=False))
        return
    table = Table(
        "asked 时间 (UTC)", "account 账号", "role 角色", "department 部门", "act 行为", "subject 主体", "matter 事由"
    )
    for one in found:
        words = (one["account"], one["role"], one["department"], one["act"], one["subject"], one["matter"])
        table.add_row(f"{one['asked_at']:%Y-%m-%d %H:%M:%S}", *map(escape, words))
    show_table(open_console(), table)


def _moment(text: str) -> int:
    """Milliseconds since 1970-01-01 UTC; without a zone it is UTC."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RequestError(
            f"--since={text!r} is no time",
            code="bad_time",
            remedy="write a day or a time with its zone, such as 2026-05-20 or 2026-05-20T08:00+08:00",
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
