"""`creditbus up | down | status | reset`: the embedded servers, for people and for scripts."""

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.tables import open_console, show_table
from exchange.errors import RequestError

if TYPE_CHECKING:
    from deploy.local.folder import Folder
    from deploy.local.jars import Advance
    from deploy.local.status import StackStatus
    from exchange.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")]


def up(
    foreground: Annotated[
        bool, typer.Option("--foreground", "-f", help="Stay here and end the servers with Ctrl-C 前台运行.")
    ] = False,
    secured: Annotated[
        bool,
        typer.Option(
            "--secured",
            help="As in production: TLS, passwords, certificates, access control lists; a home stays so 安全模式.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Start Kafka and Valkey, or find them running 启动本机服务器."""
    import time

    from deploy.local.progress import showing_progress
    from deploy.local.servers import without_password
    from deploy.local.stack import Stack
    from exchange.settings import read_settings

    settings = read_settings()
    stack = Stack(settings)
    began = time.monotonic()
    with showing_progress() as advance:
        servers = stack.up(advance, attached=foreground, secured=secured)
        principals = _provision(settings, stack.folder, advance)
    redis, seconds = without_password(servers.redis), round(time.monotonic() - began, 1)
    try:
        if json:
            told = {"kafka": str(servers.kafka), "redis": redis, "home": str(stack.folder.root), "seconds": seconds}
            _print_json(told | ({"principals": principals} if principals else {}))
        else:
            typer.echo(f"Kafka  {servers.kafka}{_whose(str(settings.kafka))}")
            typer.echo(f"Redis  {redis}{_whose(settings.redis)}")
            if principals:
                typer.echo(f"secured 安全模式: each principal's variables are in {principals}/<name>/creditbus.env")
            typer.echo(f"ready after {seconds} s 已就绪")
        if foreground:
            stack.wait()
    except KeyboardInterrupt:
        typer.echo("ending", err=True)
    finally:
        if foreground:
            stack.down()


def _provision(settings: "Settings", folder: "Folder", advance: "Advance") -> str:
    """Where the principals of a secured stack are, once its servers know them; empty for an open one."""
    from deploy.local.secured import Secured

    secured = Secured(folder=folder.security)
    if settings.kafka or settings.redis or not secured.is_there:
        return ""
    from deploy.local.principals import provision

    advance("giving the servers their principals", 0, 1)
    provision(settings)
    return str(secured.principals)


def down() -> None:
    """End the embedded servers; their data stays 停止本机服务器."""
    from deploy.local.stack import Stack
    from exchange.settings import read_settings

    ended = Stack(read_settings()).down()
    typer.echo("ended" if ended else "nothing was running")


def status(json: Json = False) -> None:
    """Show whether the servers answer, and what they take; exit code 1 when one does not answer 查看服务器状态."""
    from dataclasses import asdict

    from deploy.local.status import read_status
    from exchange.settings import read_settings

    found = read_status(read_settings())
    if json:
        _print_json(asdict(found))
    else:
        _print_table(found)
    if not found.running:
        raise typer.Exit(1)


def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask 不再确认.")] = False,
) -> None:
    """End the embedded servers and delete all their data 清空本机数据."""
    from deploy.local.stack import Stack
    from exchange.settings import read_settings

    stack = Stack(read_settings())
    if not yes and not typer.confirm(f"Delete every record, standing and notice in {stack.folder.data}?"):
        raise RequestError("nothing was deleted", code="not_confirmed", remedy="answer y, or give --yes")
    stack.reset()
    typer.echo(f"deleted {stack.folder.data}")


def _print_table(found: "StackStatus") -> None:
    from rich.table import Column, Table

    table = Table(
        "server\n服务器", Column("address\n地址", no_wrap=True), "state\n状态", "pid", "memory\n内存", "data\n数据"
    )
    for one in (found.kafka, found.redis):
        state = "answers" if one.answers else "down" if one.exit_code is None else f"ended: {one.exit_code}"
        sizes = ("", "") if one.external else (_mebibytes(one.memory_bytes), _mebibytes(one.data_bytes))
        table.add_row(f"{one.name} {one.version}", one.address, state, str(one.pid or ""), *sizes)
    console = open_console()
    show_table(console, table)
    console.print(f"home {found.home}", soft_wrap=True)


def _whose(external: str) -> str:
    return "  (external, by the settings)" if external else ""


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _print_json(value: object) -> None:
    from json import dumps

    typer.echo(dumps(value, ensure_ascii=False))
