"""`creditbus schemas`: the contracts, checked offline, listed, and registered with a registry server."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.tables import open_console, show_table
from exchange.contract_check import check_contracts, golden_bytes
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.registry import load_contracts
from exchange.settings import Settings

app = typer.Typer(help="Contracts: check, list, push 数据契约.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")]
Folder = Annotated[Path, typer.Option("--schemas", help="Folder with records/ and registry.json 契约目录.")]


@app.callback()
def _schemas() -> None:
    """Contracts of all records 数据契约."""


@app.command()
def check(schemas: Folder = SCHEMAS, as_json: Json = False) -> None:
    """Check offline: files as pinned, versions compatible (FULL_TRANSITIVE), documented, examples good 离线检查."""
    contracts, faults = check_contracts(schemas)
    if as_json:
        shown = {"ok": not faults, "record_types": len(contracts.latest), "problems": [asdict(one) for one in faults]}
        typer.echo(json.dumps(shown, ensure_ascii=False))
    else:
        for fault in faults:
            typer.echo(fault.text())
        versions = f"{len(contracts.latest)} record types, {len(contracts.all)} versions"
        typer.echo(f"{len(faults)} problems 个问题 in {versions}" if faults else f"ok: {versions}, FULL_TRANSITIVE")
    if faults:
        raise typer.Exit(1)


@app.command("list")
def show(schemas: Folder = SCHEMAS, as_json: Json = False) -> None:
    """Show every record type with its versions and pinned ids 查看契约."""
    contracts = load_contracts(schemas)
    rows = [
        {
            "record_type": one.record_type,
            "subject": one.subject,
            "version": one.version,
            "id": one.id,
            "fields": len(one.schema["fields"]),
            "name_zh": one.schema["doc"].partition(":")[0].partition(" (")[0],
        }
        for one in contracts.all
    ]
    if as_json:
        typer.echo(json.dumps({"contracts": rows}, ensure_ascii=False))
        return
    table = Table("record type 类型", "名称", "version 版本", "id", "fields 字段")
    for row in rows:
        cells = (row["record_type"], row["name_zh"], row["version"], row["id"], row["fields"])
        table.add_row(*map(str, cells))
    show_table(open_console(), table)


@app.command()
def push(
    url: Annotated[str, typer.Option("--url", help="Registry; by default CREDITBUS_REGISTRY_URL 注册中心地址.")] = "",
    schemas: Folder = SCHEMAS,
    as_json: Json = False,
) -> None:
    """Register the reviewed schemas with a registry server; may be run again at any time 注册契约."""
    from exchange.schema_server import SchemaServer

    url = url or Settings().registry_url
    if not url:
        raise RequestError(
            "no registry is set", code="no_registry", remedy="set CREDITBUS_REGISTRY_URL or give --url"
        )  # fmt: skip
    contracts, faults = check_contracts(schemas)
    if faults:
        raise RequestError(
            f"the contracts have {len(faults)} problems, the first: {faults[0].text()}",
            code="contracts_wrong",
            remedy="run creditbus schemas check, and push when it says ok",
        )
    rows = [
        {
            "subject": one.contract.subject,
            "version": one.contract.version,
            "id": one.id,
            "registered": one.registered,
        }
        for one in SchemaServer(url).push(contracts)
    ]
    if as_json:
        typer.echo(json.dumps({"pushed": rows}, ensure_ascii=False))
        return
    for row in rows:
        done = "registered 已注册" if row["registered"] else "there already 已存在"
        typer.echo(f"{row['subject']} version {row['version']}: id {row['id']}, {done}")


@app.command()
def golden(schemas: Folder = SCHEMAS) -> None:
    """Write the bytes of each example beside it, for a new example or a new version 写入样例字节."""
    for path, raw in golden_bytes(schemas):
        text = raw.hex() + "\n"
        if not path.exists() or path.read_text("ascii") != text:
            path.write_text(text, "ascii")
            typer.echo(f"wrote {path}")
