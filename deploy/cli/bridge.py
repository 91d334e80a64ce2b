"""`creditbus bridge`: what joins the bus to departments whose Kafka is a neighbouring region's (docs/regions.md)."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchange.bridge import Bridge
    from exchange.bridge_topics import BridgeApplied
    from exchange.kafka_acl import AclsApplied
    from exchange.settings import Settings

app = typer.Typer(help="Bridge to a neighbouring region, by MirrorMaker 2 跨区域桥接.", no_args_is_help=True)

Name = Annotated[str, typer.Option(help="The neighbour, such as gx 相邻区域.")]
Away = Annotated[
    list[str] | None,
    typer.Option(
        help="Only this department, such as gd.customs; else CREDITBUS_AWAY_DEPARTMENTS; may be repeated 部门."
    ),
]


@app.callback()
def _group() -> None:
    """Bridge to a neighbouring region, by MirrorMaker 2. The neighbour's Kafka is CREDITBUS_AWAY_KAFKA 跨区域桥接."""


@app.command()
def topics(
    name: Name,
    away: Away = None,
    acls: Annotated[
        bool, typer.Option("--acls", help="The away cluster's access control lists too, of this bus 访问控制.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Make the bridge's topics in both clusters, before MirrorMaker starts; may be run again at any time 建立主题."""
    from deploy.local.connect import find_servers
    from exchange.away import away_kafka
    from exchange.bridge_topics import apply_bridge
    from exchange.grants import away_grants
    from exchange.kafka import open_admin
    from exchange.kafka_acl import apply_acls
    from exchange.kafka_entry import check_entry
    from exchange.settings import read_settings

    settings = read_settings()
    bridge, neighbour = _bridge(settings, name, away), away_kafka()
    own = settings.kafka or find_servers(settings).kafka  # a bridge needs no Redis
    check_entry(own)
    check_entry(neighbour)
    applied = apply_bridge(bridge, own, neighbour, settings)
    lists = None
    if acls:
        granted = away_grants(bridge.prefix, bridge.away)
        lists = apply_acls(open_admin(neighbour), bridge.prefix, granted, dry_run=False)
    if json:
        from json import dumps

        typer.echo(dumps(asdict(applied) | ({"acls": asdict(lists)} if lists else {}), ensure_ascii=False))
        return
    for line in _told(applied, lists):
        typer.echo(line)


@app.command()
def write(
    name: Name,
    away: Away = None,
    out: Annotated[Path | None, typer.Option(help="File to write; else it is printed 输出文件.")] = None,
    listener: Annotated[
        str, typer.Option(help="Where workers of this bridge reach each other, such as http://10.1.2.3:8083 监听地址.")
    ] = "http://127.0.0.1:0",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")] = False,
) -> None:
    """Write MirrorMaker's properties. No secret is in them: they name the files and variables where it finds them 生成配置."""
    from deploy.local.connect import find_servers
    from exchange.away import AWAY_PREFIX, away_kafka
    from exchange.bridge import Side
    from exchange.java_client import java_client
    from exchange.server_settings import PREFIX
    from exchange.settings import read_settings
    from exchange.whole_file import write_whole

    settings = read_settings()
    bridge, neighbour = _bridge(settings, name, away), away_kafka()
    own = settings.kafka or find_servers(settings).kafka
    home = Side(client=java_client(own, _Pointer(PREFIX)), replication=settings.replication)
    there = Side(client=java_client(neighbour, _Pointer(AWAY_PREFIX)), replication=settings.away_replication)
    text = bridge.properties(home, there, listener=listener)
    if out:
        write_whole(out, text.encode("ascii"))
    if json:
        from json import dumps

        copied = {"to_away": bridge.to_away(), "to_home": bridge.to_home()}
        typer.echo(dumps(copied | ({"file": str(out)} if out else {"properties": text})))
    elif out:
        typer.echo(f"{out}: {len(bridge.to_away())} topics to {name}, {len(bridge.to_home())} from it")
    else:
        typer.echo(text, nl=False)


class _Pointer:
    """Where MirrorMaker finds a secret that this process was given."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __call__(self, setting: str) -> str:
        from exchange.java_client import file_text, variable_text

        variable = f"{self._prefix}{setting.upper()}"
        path = os.environ.get(f"{variable}_FILE", "")
        return file_text(Path(path)) if path else variable_text(variable)


def _bridge(settings: "Settings", name: str, away: list[str] | None) -> "Bridge":
    from exchange.bridge import Bridge
    from exchange.catalogue import load_catalogue
    from exchange.grants import away_departments
    from exchange.paths import SCHEMAS

    chosen = tuple(away or away_departments(settings))
    load_catalogue(SCHEMAS).demand(*chosen)
    return Bridge(prefix=settings.topic_prefix, name=name, away=chosen)


def _told(applied: "BridgeApplied", lists: "AclsApplied | None") -> "Iterator[str]":
    for side, one in (("home", applied.home), ("away", applied.away)):
        for topic in one.created:
            yield f"{side}  created  {topic}"
        for topic, entries in one.changed.items():
            yield f"{side}  changed  {topic}  {' '.join(entries)}"
        yield f"{side}  {len(one.created)} created, {len(one.changed)} changed, {len(one.unchanged)} as they were"
    if lists:
        for entry in (*lists.added, *lists.removed):
            yield f"away  {'allowed' if entry in lists.added else 'removed'}  {entry}"
        yield f"away  {len(lists.added)} allowed, {len(lists.removed)} removed, {lists.unchanged} as they were"
