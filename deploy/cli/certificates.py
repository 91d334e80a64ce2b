"""`creditbus certificates`: certificates of portal, gateway and inbox by an authority of a folder's own."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def certificates(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where they lie, such as deploy/secrets 目录.")],
    host: Annotated[
        list[str] | None, typer.Option(help="Name or address that clients come by; may be given again 主机名或地址.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="That they are good for 有效天数.")] = 365,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Issue portal, gateway and inbox certificates; again renews them, and running doors take them 签发或更换证书.

    For a bus without an authority; where there is one, its certificates go into the same files.
    """
    from deploy.local.door_certificates import write_door_certificates

    written = write_door_certificates(folder, host or (), days=days)
    if as_json:
        told = {"authority": str(folder / "ca.pem"), "certificates": [str(one) for one in written]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    for path in written:
        typer.echo(f"{path} {path.with_name('key.pem')}")
    typer.echo(f"客户端须信任 clients must trust: {folder / 'ca.pem'}", err=True)
