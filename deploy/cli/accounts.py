"""`creditbus accounts`: local accounts of people, where no identity provider has them."""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from deploy.cli.servers import with_servers
from deploy.cli.tables import open_console, show_table
from exchange.domain.access import Role
from exchange.settings import read_settings

if TYPE_CHECKING:
    from exchange.accounts import Account, RedisAccounts

app = typer.Typer(help="Local accounts of the portal 门户账号: add, list, disable, password.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str, typer.Argument(help="What one signs in with 账号.")]


def _accounts() -> "RedisAccounts":
    from exchange.accounts import RedisAccounts
    from exchange.redis_client import connect

    return RedisAccounts(connect(with_servers(read_settings()).redis))


def _flat(account: "Account") -> dict[str, Any]:
    return {
        "name": account.name, "role": account.role, "department": account.department, "made_at": account.made_at.isoformat(),
        "disabled_at": account.disabled_at.isoformat() if account.disabled_at else None,
    }  # fmt: skip


def _password() -> str:
    """From the terminal, twice and hidden; from a pipe its first line. Never an argument, which others on this machine would see."""
    if sys.stdin.isatty():
        return str(typer.prompt("密码 password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _tell(account: "Account", what: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_flat(account), ensure_ascii=False))
    else:
        typer.echo(
            f"账号 {account.name} ({account.role}{' ' + account.department if account.department else ''}) {what}"
        )


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What he is: officer, auditor, operator, administrator 角色.")],
    department: Annotated[str, typer.Option("--department", "-d", help="Of an officer, such as gd.fin 部门.")] = "",
    as_json: Json = False,
) -> None:
    """Make an account; the password is asked for, or read from standard input 开设账号."""
    from deploy.cli.departments import known_department
    from exchange.accounts import add as make

    if department:
        known_department(department)
    account = make(_accounts(), name, _password(), role, department, datetime.now(UTC))
    _tell(account, "已开设 made", as_json=as_json)


@app.command("list")
def list_accounts(as_json: Json = False) -> None:
    """List accounts, the disabled ones too 账号清单."""
    found = sorted(_accounts().all(), key=lambda account: account.name)
    if as_json:
        typer.echo(json.dumps([_flat(account) for account in found], ensure_ascii=False))
        return
    table = Table("name 账号", "role 角色", "department 部门", "made 开设 (UTC)", "disabled 停用 (UTC)")
    for one in found:
        ended = f"{one.disabled_at:%Y-%m-%d %H:%M}" if one.disabled_at else ""
        table.add_row(one.name, one.role, one.department, f"{one.made_at:%Y-%m-%d %H:%M}", ended)
    show_table(open_console(), table)


@app.command()
def disable(name: Name, as_json: Json = False) -> None:
    """End an account and its sessions, at once; its trace stays 停用账号."""
    from exchange.accounts import disable as end

    _tell(end(_accounts(), name, datetime.now(UTC)), "已停用 disabled", as_json=as_json)


@app.command()
def password(name: Name, as_json: Json = False) -> None:
    """Give an account another password; its sessions end 重设密码."""
    from exchange.accounts import set_password

    _tell(set_password(_accounts(), name, _password(), datetime.now(UTC)), "密码已重设 password set", as_json=as_json)
