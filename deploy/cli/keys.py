"""`creditbus keys`: the API keys of departments that reach the bus by HTTP."""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.departments import known_department
from deploy.cli.servers import with_servers
from deploy.cli.tables import open_console, show_table
from exchange.settings import read_settings

if TYPE_CHECKING:
    from exchange.api_keys import ApiKey, RedisKeys

app = typer.Typer(help="API keys of departments 接口密钥: issue, list, revoke.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Department = Annotated[str, typer.Option("--department", "-d", help="Whose key, such as gd.fin 部门.")]


def _keys() -> "RedisKeys":
    from exchange.api_keys import RedisKeys
    from exchange.redis_client import connect

    return RedisKeys(connect(with_servers(read_settings()).redis))


def _flat(key: "ApiKey") -> dict[str, Any]:
    return {
        "id": key.id, "department": key.department, "name": key.name, "issued_at": key.issued_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }  # fmt: skip


@app.command()
def issue(
    department: Department,
    name: Annotated[str, typer.Option(help="What uses it, such as a system's name 用途.")] = "",
    as_json: Json = False,
) -> None:
    """Issue a key for one department; it is shown this once 签发密钥."""
    from exchange.api_keys import issue as make

    secret, key = make(_keys(), known_department(department), name, datetime.now(UTC))
    if as_json:
        sys.stdout.write(json.dumps({"key": secret, **_flat(key)}, ensure_ascii=False) + "\n")
        return
    sys.stdout.write(f"{secret}\n")
    Console(stderr=True).print(f"密钥 {key.id} 仅显示这一次，请妥善保管 key of {department}; it is not shown again")


@app.command("list")
def list_keys(
    department: Annotated[str, typer.Option("--department", "-d", help="Only of one department 部门.")] = "",
    as_json: Json = False,
) -> None:
    """List keys, the revoked ones too; never the keys themselves 密钥清单."""
    from exchange.api_keys import keys_of

    if department:
        known_department(department)
    found = keys_of(_keys(), department)
    if as_json:
        sys.stdout.write(json.dumps([_flat(key) for key in found], ensure_ascii=False) + "\n")
        return
    table = Table("id 编号", "department 部门", "name 用途", "issued 签发 (UTC)", "revoked 吊销 (UTC)")
    for key in found:
        ended = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        table.add_row(key.id, key.department, escape(key.name), f"{key.issued_at:%Y-%m-%d %H:%M}", ended)
    show_table(open_console(), table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Id of the key 密钥编号.")], as_json: Json = False) -> None:
    """Revoke a key; it is worth nothing within a second 吊销密钥."""
    from exchange.api_keys import revoke as end

    key = end(_keys(), key_id, datetime.now(UTC))
    if as_json:
        sys.stdout.write(json.dumps(_flat(key), ensure_ascii=False) + "\n")
    else:
        typer.echo(f"密钥 {key.id} ({key.department}) 已吊销 revoked")
