"""`creditbus endpoints`: where departments' notices are pushed to."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from exchange.endpoints import Endpoint, Payload, State
from exchange.errors import RequestError
from exchange.settings import read_settings

if TYPE_CHECKING:
    from exchange.signatures import SigningKeys

app = typer.Typer(help="Webhooks of departments 推送端点: add, verify, rotate, pause, recover.", no_args_is_help=True)
Department = Annotated[str, typer.Argument(help="Department, such as gd.fin 部门.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
MAX_CONCURRENCY, MAX_RATE = 256, 100_000


class _Bus:
    """What the commands work on."""

    def __init__(self) -> None:
        from deploy.local.connect import find_servers
        from exchange.endpoint_store import EndpointStore
        from exchange.signatures import load_signing_keys
        from exchange.store import connect

        self.settings = read_settings()
        self.store: EndpointStore = EndpointStore(connect(find_servers(self.settings).redis))
        self.keys: SigningKeys = load_signing_keys(self.settings, embedded=not self.settings.kafka)
        self.now = time.time_ns() // 1_000_000

    def known(self, department: str) -> Endpoint:
        """The endpoint of a department."""
        endpoint = self.store.find(department)
        if endpoint is None:
            raise RequestError(
                f"{department} has no endpoint", code="unknown_endpoint", remedy="add one: creditbus endpoints add"
            )
        return endpoint

    def facts(self, endpoint: Endpoint, *, with_keys: bool = False) -> dict[str, Any]:
        """What is shown of an endpoint."""
        found: dict[str, Any] = {
            "department": endpoint.department, "url": endpoint.url, "state": endpoint.state.value, "reason": endpoint.reason,
            "changed_at": _moment(endpoint.changed_at), "verified_at": _moment(endpoint.verified_at),
            "payload": endpoint.payload.value, "rate": endpoint.rate, "concurrency": endpoint.concurrency,
            "key_number": endpoint.key_number, "key_id": endpoint.key_id, "previous_until": _moment(endpoint.previous_until),
            "since": _moment(endpoint.since),
        }  # fmt: skip
        if with_keys:
            live = endpoint.live_keys(self.keys, self.now)
            found["public_keys"] = [key.public_text for key in live]
            found["secrets"] = [key.secret_text for key in live]
        return found

    def answer(self, endpoint: Endpoint, *, as_json: bool, with_keys: bool = False) -> None:
        """Print an endpoint."""
        facts = self.facts(endpoint, with_keys=with_keys)
        if as_json:
            sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
            return
        for name, value in facts.items():
            for one in value if isinstance(value, list) else [value]:
                if one not in ("", None):
                    typer.echo(f"{name:15} {one}")


@app.command()
def add(
    department: Department,
    url: Annotated[str, typer.Argument(help="Where its notices are pushed to 推送地址.")],
    payload: Annotated[Payload, typer.Option(help="The whole notice, or only which one it is.")] = Payload.FULL,
    rate: Annotated[int, typer.Option(min=1, max=MAX_RATE, help="Messages a second, at most.")] = 500,
    concurrency: Annotated[int, typer.Option(min=1, max=MAX_CONCURRENCY, help="Messages at once, at most.")] = 16,
    from_now: Annotated[bool, typer.Option("--from-now", help="Leave out what has been issued already.")] = False,
    as_json: Json = False,
) -> None:
    """Add or change a department's endpoint, and print the keys that it verifies with 添加端点.

    It gets notices once it has echoed a challenge. A new URL is verified anew; the same command again changes nothing.
    """
    from consumers.dispatcher.run import open_guard
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS

    bus = _Bus()
    if department not in load_catalogue(SCHEMAS).departments:
        raise RequestError(
            f"no department {department!r}", code="unknown_department", remedy="see `creditbus catalogue list`"
        )
    open_guard(bus.settings).check_url(url)
    wanted = {"payload": payload, "rate": rate, "concurrency": concurrency}
    since = bus.now if from_now else 0
    new = Endpoint(department=department, url=url, key_id=bus.keys.newest, changed_at=bus.now, since=since, **wanted)  # type: ignore[arg-type] # checked by typer
    if not bus.store.add(new):

        def change(one: Endpoint) -> Endpoint:
            import msgspec

            changed = msgspec.structs.replace(one, url=url, **wanted)
            return changed if one.url == url else changed.unverified("its URL has changed", bus.now)

        new = bus.store.change(department, change)
    bus.answer(new, as_json=as_json, with_keys=True)


@app.command("list")
def list_endpoints(as_json: Json = False) -> None:
    """List all endpoints and their states 列出端点."""
    bus = _Bus()
    found = sorted(bus.store.all().values(), key=lambda one: one.department)
    if as_json:
        for one in found:
            sys.stdout.write(json.dumps(bus.facts(one), ensure_ascii=False) + "\n")
        return
    table = Table("department", "state", "payload", "URL", "reason")
    for one in found:
        table.add_row(one.department, one.state.value, one.payload.value, one.url, one.reason)
    Console().print(table)


@app.command()
def show(department: Department, as_json: Json = False) -> None:
    """Show an endpoint with the keys that its receiver verifies with 查看端点."""
    bus = _Bus()
    bus.answer(bus.known(department), as_json=as_json, with_keys=True)


@app.command()
def verify(department: Department, as_json: Json = False) -> None:
    """Send the challenge now, from here, and say what came of it 验证端点."""
    bus = _Bus()
    endpoint = bus.known(department)
    why = asyncio.run(_challenge(bus, endpoint))

    def change(one: Endpoint) -> Endpoint:
        if one.url != endpoint.url or one.state in (State.PAUSED, State.GONE):
            return one
        return one.unverified(why, bus.now) if why else one.verified(bus.now)

    bus.answer(bus.store.change(department, change), as_json=as_json)
    if why:
        raise RequestError(why, code="not_verified", remedy="see docs/delivery.md, what a receiver must do")


@app.command()
def rotate(
    department: Department,
    keep_hours: Annotated[float, typer.Option(min=0, help="How long the present keys sign beside the new ones.")] = 72,
    as_json: Json = False,
) -> None:
    """Make new keys, derived from the newest master key; both sign for a while 轮换密钥."""
    bus = _Bus()
    keep = int(keep_hours * 3_600_000)
    _change(bus, department, lambda one: one.rotated(bus.keys.newest, bus.now, keep), as_json=as_json, with_keys=True)


@app.command()
def pause(
    department: Department,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks later.")] = "by an operator",
    as_json: Json = False,
) -> None:
    """Push nothing until it is resumed; notices wait 暂停推送."""
    bus = _Bus()
    _change(bus, department, lambda one: one.paused(reason, bus.now), as_json=as_json)


@app.command()
def resume(department: Department, as_json: Json = False) -> None:
    """Push again, and at once what waits; one that answered 410 is verified anew 恢复推送."""
    bus = _Bus()
    bus.known(department)
    bus.store.succeeded(department)  # the days of failure begin anew
    _change(bus, department, lambda one: one.resumed(bus.now), as_json=as_json)


@app.command()
def recover(
    department: Department,
    since: Annotated[str, typer.Option(help="ISO time with its zone, such as 2026-01-31T09:30:00+08:00.")],
    as_json: Json = False,
) -> None:
    """Push the newest notice of each subject since a time again, in order 补发."""
    bus = _Bus()
    try:
        at = datetime.fromisoformat(since)
    except ValueError as error:
        raise RequestError(f"{since!r} is no time", code="bad_time", remedy="2026-01-31T09:30:00+08:00") from error
    if at.tzinfo is None:
        raise RequestError(f"{since!r} has no zone", code="bad_time", remedy="2026-01-31T09:30:00+08:00")
    asked = int(at.timestamp() * 1000)
    _change(bus, department, lambda one: one.resumed(bus.now).recovering(asked, bus.now), as_json=as_json)


@app.command()
def remove(department: Department, as_json: Json = False) -> None:
    """Forget an endpoint; what waits stays for a later one 删除端点."""
    bus = _Bus()
    was_there = bus.store.remove(department)
    if as_json:
        sys.stdout.write(json.dumps({"department": department, "removed": was_there}) + "\n")
    else:
        typer.echo(f"{department} {'removed' if was_there else 'had no endpoint'}")


def _change(
    bus: _Bus, department: str, change: Callable[[Endpoint], Endpoint], *, as_json: bool, with_keys: bool = False
) -> None:
    bus.answer(bus.store.change(department, change), as_json=as_json, with_keys=with_keys)


async def _challenge(bus: _Bus, endpoint: Endpoint) -> str:
    from consumers.dispatcher.message import Envelope
    from consumers.dispatcher.post import open_session
    from consumers.dispatcher.run import open_guard
    from consumers.dispatcher.verification import challenge
    from exchange.codec import open_codec
    from exchange.paths import SCHEMAS
    from exchange.signatures import Signer

    settings, guard = bus.settings, open_guard(bus.settings)
    envelope = Envelope(open_codec(settings, SCHEMAS), f"/creditbus/{settings.topic_prefix}")
    signer = Signer(endpoint.live_keys(bus.keys, bus.now))
    async with open_session(guard, connections=1, timeout_seconds=settings.webhook_timeout_seconds) as session:
        return await challenge(endpoint, session, signer, envelope, guard, bus.now)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds") if at else ""
