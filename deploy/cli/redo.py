"""`creditbus resync` and `rebuild`: have the running processors judge everything again, or work everything out again."""

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, track

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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask 不再确认.")] = False,
    partitions: Annotated[
        int,
        typer.Option(min=0, max=1024, help="Copy the bus to a new one of so many partitions, with --prefix 分区数."),
    ] = 0,
    prefix: Annotated[str, typer.Option(help="First part of the new bus's topic names 新主题前缀.")] = "",
    seal: Annotated[
        bool, typer.Option("--seal", help="The copy is whole: the new bus begins where this one ended 封接.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Empty Redis and have the processors replay everything from Kafka, telling nobody what he knows already 重建.

    Safe while processors run: each partition goes in one step, its processor is fenced, attaches again and replays from
    the beginning in silence; at the end departments get only the differences. Until then checks find less than there is.

    With --partitions and --prefix Redis is left alone, and the topics are copied to those of a new bus; once more with --seal
    when every process of this bus has ended (docs/operations.md). Safe to repeat.
    """
    settings = read_settings()
    if partitions or prefix or seal:
        _repartition(settings, partitions, prefix, seal=seal, as_json=as_json)
        return
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


def _repartition(settings: Settings, partitions: int, prefix: str, *, seal: bool, as_json: bool) -> None:
    from deploy.cli.servers import with_servers
    from deploy.repartition import begin_copy

    if not partitions or not prefix or prefix == settings.topic_prefix:
        raise RequestError(
            "another number of partitions needs another bus", code="bad_repartition",
            remedy=f"give --partitions and a --prefix other than {settings.topic_prefix!r}",
        )  # fmt: skip
    repartition = begin_copy(with_servers(settings), partitions, prefix)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("复制 copying", total=None)
        copied = repartition.copier.copy(lambda done, total: bar.update(task, completed=done, total=total))
    epoch = repartition.sealer.seal() if seal else None
    if as_json:
        sys.stdout.write(
            json.dumps(
                {
                    "prefix": prefix, "partitions": partitions, "copied": copied.messages,
                    "left_behind": dict(sorted(copied.left_behind.items())), "epoch": epoch,
                }
            )
            + "\n"
        )  # fmt: skip
        return
    typer.echo(f"{copied.messages:,} messages copied to {prefix}.*")
    for topic, count in sorted(copied.left_behind.items()):
        typer.echo(f"{count:,} left behind in {topic}: they lie in another partition than their key's and were refused")
    if seal:
        typer.echo(
            f"start the processes with CREDITBUS_TOPIC_PREFIX={prefix} CREDITBUS_PARTITIONS={partitions} and an empty Redis"
        )
    else:
        typer.echo("end every process of this bus, then say the same with --seal")


def _open_store(settings: Settings) -> "Store":
    from deploy.local.connect import find_servers
    from exchange.redis_client import connect
    from exchange.store import Store

    return Store(connect(find_servers(settings).redis, timeout=120.0))


def _partitions(settings: Settings, doing: str) -> Iterable[int]:
    return track(range(settings.partitions), doing, console=Console(stderr=True), transient=True)


def _answer(facts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
