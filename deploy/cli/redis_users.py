"""`creditbus redis`: the users of Redis, one for each process, with the keys that it needs and no others."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from exchange.grants import Grant
    from exchange.settings import Settings

app = typer.Typer(help="Users of Redis, as the catalogue means them Redis 用户.", no_args_is_help=True)
Passwords = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False,
        help="Folder with a file for each user, named as the user: one password a line, two while one is replaced 口令目录.",
    ),
]  # fmt: skip


@app.callback()
def _group() -> None:
    """Users of Redis, as the catalogue means them Redis 用户."""


@app.command("list")
def list_users(passwords: Passwords = None) -> None:
    """Print every user as a line of Redis' `aclfile`; passwords as hashes 列出用户."""
    from exchange.redis_acl import password_rules, users

    _, grants = _grants()
    known = _read(passwords, grants)
    for name, rules in users(grants).items():
        sys.stdout.write(" ".join(["user", name, "on", *password_rules(known.get(name, ())), *rules]) + "\n")


@app.command()
def apply(
    passwords: Passwords = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Give every process its user in the Redis of CREDITBUS_REDIS; without passwords each keeps those it has 应用用户."""
    from deploy.cli.servers import with_servers
    from exchange.redis_client import connect
    from exchange.redis_users import apply_users

    settings, grants = _grants()
    client = connect(with_servers(settings).redis)
    applied = apply_users(client, settings.topic_prefix, grants, _read(passwords, grants))
    if json:
        from json import dumps

        typer.echo(dumps(asdict(applied), ensure_ascii=False))
        return
    for word, names in (("added", applied.added), ("changed", applied.changed), ("removed", applied.removed)):
        for name in names:
            typer.echo(f"{word}  {name}")
    kept = "" if applied.saved else "; Redis has no aclfile, so they last until it restarts"
    typer.echo(f"{len(applied.unchanged)} as they were{kept}")


def _grants() -> "tuple[Settings, Mapping[str, Grant]]":
    from exchange.catalogue import load_catalogue
    from exchange.grants import grants_of
    from exchange.paths import SCHEMAS
    from exchange.settings import read_settings

    settings = read_settings()
    return settings, grants_of(settings, load_catalogue(SCHEMAS).departments)


def _read(folder: Path | None, grants: "Mapping[str, Grant]") -> dict[str, tuple[str, ...]]:
    """The passwords of a folder, by user."""
    found = ((name, folder / name) for name in grants) if folder else ()
    return {name: tuple(path.read_text().split()) for name, path in found if path.is_file()}
