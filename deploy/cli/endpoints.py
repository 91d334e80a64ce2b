"""`creditbus endpoints`: where departments' notices are pushed to."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.cli.tables import open_console, show_table
from exchange.endpoints import Endpoint, Payload
from exchange.errors import RequestError
from exchange.settings import read_settings

if TYPE_CHECKING:
    from consumers.dispatcher.endpoint_desk import EndpointDesk

app = typer.Typer(help="Webhooks of departments 推送端点: add, verify, rotate, pause, recover.", no_args_is_help=True)
Department = Annotated[str, typer.Argument(help="Department, such as gd.fin 部门.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def _open() -> "EndpointDesk":
    from deploy.endpoint_desk import open_endpoint_desk

    settings = read_settings()
    return open_endpoint_desk(settings, embedded=not settings.kafka)


def _answer(desk: "EndpointDesk", endpoint: Endpoint, *, as_json: bool, with_keys: bool = False) -> None:
    """Print an endpoint."""
    facts = desk.facts(endpoint, with_keys=with_keys)
    if as_json:
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
        return
    for name, value in facts.items():
        for one in value if isinstance(value, list) else [value]:
            if one not in ("", None):
                typer.echo(f"{name:15} {one}")


@app.command()
def add(
    department: Department,
    url: Annotated[str, typer.Argument(help="Where its notices are pushed to 推送地址.")],
    payload: Annotated[
        Payload | None, typer.Option(help="The whole notice, or only which one it is; all that the catalogue grants.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, help="Messages a second, at most.")] = 500,
    concurrency: Annotated[int, typer.Option(min=1, help="Messages at once, at most.")] = 16,
    from_now: Annotated[bool, typer.Option("--from-now", help="Leave out what has been issued already.")] = False,
    as_json: Json = False,
) -> None:
    """Add or change a department's endpoint, and print the keys that it verifies with 添加端点.

    It gets notices once it has echoed a challenge. A new URL is verified anew; the same command again changes nothing.
    """
    desk = _open()
    added = desk.add(department, url, payload=payload, rate=rate, concurrency=concurrency, from_now=from_now)
    _answer(desk, added, as_json=as_json, with_keys=True)


@app.command("list")
def list_endpoints(as_json: Json = False) -> None:
    """List all endpoints and their states 列出端点."""
    desk = _open()
    found = sorted(desk.store.all().values(), key=lambda one: one.department)
    if as_json:
        for one in found:
            sys.stdout.write(json.dumps(desk.facts(one), ensure_ascii=False) + "\n")
        return
    table = Table("department", "state", "payload", "URL", "reason")
    for one in found:
        table.add_row(one.department, one.state.value, desk.pushed(one).value, one.url, one.reason)
    show_table(open_console(), table)


@app.command()
def show(department: Department, as_json: Json = False) -> None:
    """Show an endpoint with the keys that its receiver verifies with 查看端点."""
    desk = _open()
    _answer(desk, desk.known(department), as_json=as_json, with_keys=True)


@app.command()
def verify(department: Department, as_json: Json = False) -> None:
    """Send the challenge now, from here, and say what came of it 验证端点."""
    desk = _open()
    endpoint, why = asyncio.run(desk.verify(department))
    _answer(desk, endpoint, as_json=as_json)
    if why:
        raise RequestError(why, code="not_verified", remedy="see docs/delivery.md, what a receiver must do")


@app.command()
def rotate(
    department: Department,
    keep_hours: Annotated[float, typer.Option(min=0, help="How long the present keys sign beside the new ones.")] = 72,
    as_json: Json = False,
) -> None:
    """Make new keys, derived from the newest master key; both sign for a while 轮换密钥."""
    desk = _open()
    _answer(desk, desk.rotate(department, keep_hours), as_json=as_json, with_keys=True)


@app.command()
def pause(
    department: Department,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks later.")] = "by an operator",
    as_json: Json = False,
) -> None:
    """Push nothing until it is resumed; notices wait 暂停推送."""
    desk = _open()
    _answer(desk, desk.pause(department, reason), as_json=as_json)


@app.command()
def resume(department: Department, as_json: Json = False) -> None:
    """Push again, and at once what waits; one that answered 410 is verified anew 恢复推送."""
    desk = _open()
    _answer(desk, desk.resume(department), as_json=as_json)


@app.command()
def recover(
    department: Department,
    since: Annotated[str, typer.Option(help="ISO time with its zone, such as 2026-01-31T09:30:00+08:00.")],
    as_json: Json = False,
) -> None:
    """Push the newest notice of each subject since a time again, in order 补发."""
    from consumers.dispatcher.endpoint_desk import read_time

    desk = _open()
    _answer(desk, desk.recover(department, read_time(since)), as_json=as_json)


@app.command()
def remove(department: Department, as_json: Json = False) -> None:
    """Forget an endpoint; what waits stays for a later one 删除端点."""
    was_there = _open().store.remove(department)
    if as_json:
        sys.stdout.write(json.dumps({"department": department, "removed": was_there}) + "\n")
    else:
        typer.echo(f"{department} {'removed' if was_there else 'had no endpoint'}")
