"""`creditbus resync` and `rebuild`: have the running processors judge everything again, or work everything out again."""

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from exchange.errors import RequestError
from exchange.settings import Settings, read_settings

if TYPE_CHECKING:
    from exchange.store import Store

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")]


def resync(as_json: Json = False) -> None:
    """Judge every subject again that owes or was told something 重新评判.

    Departments are told only what differs from what they were told. For after a change of the code or of a clock; a
    changed policy does the same by itself when a processor starts with it.
    """
    settings = read_settings()
    store = _open_store(settings)
    subjects = sum(store.resync(number) for number in _partitions(settings, "asking 重新评判"))
    _answer({"partitions": settings.partitions, "subjects": subjects}, as_json=as_json)
    if not as_json:
        typer.echo(f"{subjects:,} subjects will be judged again by the running processors")


def rebuild(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask 不再确认.")] = False, as_json: Json = False
) -> None:
    """Empty Redis and have the processors replay everything from Kafka, telling nobody what he knows already 重建.

    Safe while processors run: each partition goes in one step, its processor is fenced, attaches again and replays from
    the beginning in silence; at the end departments get only the differences. Until then checks find less than there is.
    """
    settings = read_settings()
    store = _open_store(settings)
    if not yes and not typer.confirm(
        f"Empty the standings of all {settings.partitions} partitions? Checks are incomplete until they are replayed."
    ):
        raise RequestError("nothing was emptied", code="not_confirmed", remedy="answer y, or give --yes")
    keys = sum(store.forget(number) for number in _partitions(settings, "emptying 清空"))
    _answer({"partitions": settings.partitions, "keys": keys}, as_json=as_json)
    if not as_json:
        typer.echo(
            f"{keys:,} keys emptied; processors replay now (`creditbus run standing` if none runs), `creditbus verify` shows when it is whole"
        )


def _open_store(settings: Settings) -> "Store":
    from deploy.local.connect import find_servers
    from exchange.store import Store, connect

    return Store(connect(find_servers(settings).redis, timeout=120.0))


def _partitions(settings: Settings, doing: str) -> Iterable[int]:
    return track(range(settings.partitions), doing, console=Console(stderr=True), transient=True)


def _answer(facts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
