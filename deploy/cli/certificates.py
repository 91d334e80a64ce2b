"""`creditbus certificates` and `creditbus secrets`: what doors and containers need, by an authority of a folder's own."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(file_okay=False, help="Where they lie, such as deploy/secrets 目录.")]
Host = Annotated[
    list[str] | None, typer.Option(help="Name or address that clients come by; may be given again 主机名或地址.")
]
Days = Annotated[int, typer.Option(min=1, max=825, help="That certificates are good for 有效天数.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def certificates(folder: Folder, host: Host = None, days: Days = 365, as_json: Json = False) -> None:
    """Issue portal, gateway and inbox certificates; again renews them, and running doors take them 签发或更换证书.

    For a bus without an authority; where there is one, its certificates go into the same files.
    """
    from deploy.local.door_certificates import write_door_certificates

    written = write_door_certificates(folder, host or (), days=days)
    if as_json:
        _tell(folder, certificates=written)
        return
    for path in written:
        typer.echo(f"{path} {path.with_name('key.pem')}")
    _tell_authority(folder)


def secrets(folder: Folder, host: Host = None, days: Days = 365, as_json: Json = False) -> None:
    """Make what a bus in containers keeps secret, a folder for each container 生成容器部署所需的密钥与证书.

    Again it keeps every key and password that is there, renews all certificates, and adds what a new catalogue asks for. No secret is shown.
    """
    from deploy.local.container_secrets import write_container_secrets
    from exchange.catalogue import load_catalogue
    from exchange.grants import grants_of
    from exchange.paths import SCHEMAS
    from exchange.settings import read_settings

    grants = grants_of(read_settings(), load_catalogue(SCHEMAS).departments)
    written = write_container_secrets(folder, grants, host or (), days=days)
    if as_json:
        _tell(folder, secrets=written)
        return
    for path in written:
        typer.echo(path)
    _tell_authority(folder)


def _tell(folder: Path, **written: list[Path]) -> None:
    told: dict[str, object] = {name: [str(one) for one in paths] for name, paths in written.items()}
    sys.stdout.write(json.dumps({"authority": str(folder / "ca.pem"), **told}, ensure_ascii=False) + "\n")


def _tell_authority(folder: Path) -> None:
    typer.echo(f"客户端须信任 clients must trust: {folder / 'ca.pem'}", err=True)
