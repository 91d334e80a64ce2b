"""`creditbus deliveries`: the log of attempts, and what waits."""

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from deploy.cli.departments import known_department
from deploy.cli.tables import open_console, print_table
from exchange.errors import RequestError
from exchange.settings import read_settings

app = typer.Typer(help="Deliveries of notices 通知送达: attempts, what waits.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Entries at most 条数.")]


@app.command("list")
def list_deliveries(
    department: Annotated[str, typer.Option(help="Department, such as gd.fin 部门.")] = "",
    subject: Annotated[str, typer.Option(help="Subject id or bare USCC, with --department 信用主体.")] = "",
    notice: Annotated[str, typer.Option(help="Id of a notice 通知编号.")] = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List attempts, the newest first: of a department, of a subject, or of one notice 推送记录."""
    from consumers.dispatcher.delivery_log import find_attempts
    from exchange.look_up import subject_of

    if not department and not notice:
        raise RequestError("which deliveries?", code="bad_request", remedy="give --department or --notice")
    if department:
        known_department(department)
    about = subject_of(subject) if subject else ""
    settings, store = _open()
    found = find_attempts(store, settings.partitions, department, subject=about, notice=notice, limit=limit)
    _print([one.shown() for one in found], _attempt, as_json=as_json)


@app.command()
def pending(
    department: Annotated[str, typer.Option(help="Department, such as gd.fin 部门.")],
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what waits for a department: attempts so far, the next one, and what it supersedes 待推送."""
    from consumers.dispatcher.attempt_log import moment
    from consumers.dispatcher.delivery_log import find_waiting

    settings, store = _open()
    rows = [
        {
            "subject": one.subject, "notice": one.notice, "epoch": one.epoch, "n": one.n, "attempts": one.attempts,
            "next_at": moment(one.next_at) if one.next_at else "", "issued_at": moment(one.issued_at),
            "urgent": one.urgent, "superseded": one.skipped_count,
        }
        for one in find_waiting(store, settings.partitions, known_department(department), limit)
    ]  # fmt: skip
    _print(rows, _waiting, as_json=as_json)
    if not as_json:
        total = max(len(rows), store.pending_counts([department], settings.partitions)[department])  # counted later
        typer.echo(f"{total:,} subjects have a notice waiting, {len(rows)} are shown")


def _open() -> Any:
    from consumers.dispatcher.run import open_delivery_store
    from deploy.local.connect import find_servers

    settings = read_settings()
    return settings, open_delivery_store(settings, find_servers(settings).redis)


def _attempt(row: dict[str, Any]) -> dict[str, str]:
    """An attempt for people: a table as wide as a terminal."""
    answer = " ".join(filter(None, (row["outcome"], str(row["status"] or ""), row["error"])))
    return {
        "when 时间": row["at"].replace("T", " "), "to 部门": row["department"],
        "about 主体, notice 通知": f"{row['subject']}\n{row['notice']}\n{row['epoch']}.{row['n']}, attempt 第 {row['number']} 次",
        "answer 答复, next 下次": f"{answer}, {row['milliseconds']} ms\n{row['digest'][:16]}\n{row['next_at']}".rstrip(),
    }  # fmt: skip


def _waiting(row: dict[str, Any]) -> dict[str, str]:
    """What waits, for people."""
    return {
        "about 主体, notice 通知": f"{row['subject']}\n{row['notice']}\n{row['epoch']}.{row['n']}"
        f"{', urgent 紧急' if row['urgent'] else ''}",
        "issued 签发": row["issued_at"], "attempts 已试": str(row["attempts"]), "next 下次": row["next_at"],
        "replaced 已合并": str(row["superseded"]),
    }  # fmt: skip


def _print(rows: list[dict[str, Any]], shown: Callable[[dict[str, Any]], dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    elif rows:
        print_table(open_console(), "", [shown(row) for row in rows])
    else:
        typer.echo("nothing 无记录")
