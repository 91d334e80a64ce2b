"""`creditbus backup`: what only Redis has, as a file, and back."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.servers import with_servers
from exchange.errors import RequestError
from exchange.settings import read_settings

app = typer.Typer(help="Backup 备份: accounts, API keys, endpoints, corrections.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")]


@app.command()
def take(file: Annotated[Path, typer.Argument(help="The file to write 备份文件.")], as_json: Json = False) -> None:
    """Write what only Redis has into a file, readable by its owner alone 备份.

    Safe at any time. Standings, notices and deliveries are not in it: they follow from Kafka's topics.
    """
    from exchange import backup
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS
    from exchange.redis_client import connect

    settings = with_servers(read_settings())
    departments = load_catalogue(SCHEMAS).departments
    taken = backup.take(connect(settings.redis), departments, settings.topic_prefix, datetime.now(UTC))
    try:
        backup.write(taken, file)
    except OSError as error:
        raise RequestError(
            f"{file} cannot be written: {error.strerror}", code="cannot_write", remedy="check the folder and its room"
        ) from error
    if as_json:
        sys.stdout.write(json.dumps({"file": str(file), "fields": len(taken.kept)}) + "\n")
    else:
        typer.echo(f"已备份 {len(taken.kept):,} 项 fields in {file}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file of `creditbus backup take` 备份文件.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the file's value where Redis has another 覆盖不同的值.")
    ] = False,
    bus: Annotated[str, typer.Option(help="The bus that the backup is of, if it is another one's 备份所属总线.")] = "",
    as_json: Json = False,
) -> None:
    """Put back what Redis lacks 恢复; may be repeated. What Redis has otherwise stays, and is named, unless --replace."""
    from exchange import backup
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS
    from exchange.redis_client import connect

    settings = with_servers(read_settings())
    read = backup.read(file)
    departments = load_catalogue(SCHEMAS).departments
    done = backup.restore(connect(settings.redis), read, departments, bus or settings.topic_prefix, replace=replace)
    if as_json:
        sys.stdout.write(json.dumps(done._asdict(), ensure_ascii=False) + "\n")
        return
    fate = "已覆盖 replaced" if replace else "未改动 left as it is; --replace takes the file's"
    for one in done.differing:
        typer.echo(f"不同 differs: {one} ({fate})")
    typer.echo(f"已恢复 {done.written:,} 项 fields, {done.same:,} 项已存在 were there")
