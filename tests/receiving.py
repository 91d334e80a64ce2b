"""What tests of pushed notices share: real HTTP endpoints that behave as told, and a bus whose notices a dispatcher pushes."""

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web
from confluent_kafka import Producer

from consumers.dispatcher.run import DispatcherProcess
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.kafka import LOSSLESS, open_admin
from exchange.metrics import DispatcherMetrics
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import SigningKeys, load_signing_keys, verify
from exchange.topics import Topics, apply_topics
from tests.producing import Departments

DEPARTMENTS = ("gd.fin", "gd.prtc", "gd.tax")
OPERATOR = "gd.data"
URGENT = "procurement_ban"
NOT_URGENT = "fiscal_funds_limit"


def subject(number: int) -> str:
    """The n-th synthetic firm."""
    return f"org:{synthetic_uscc(number + 1)}"


@dataclass(slots=True)
class Received:
    """One request that was taken."""

    headers: dict[str, str]
    event: dict[str, Any]
    body: bytes

    @property
    def sequence(self) -> tuple[int, int]:
        """Epoch and number of the notice."""
        return self.event["data"]["epoch"], self.event["data"]["n"]


Behaviour = Callable[[web.Request, bytes], "web.Response | None"]


@dataclass(slots=True)
class Desk:
    """One department's endpoint. It verifies, dedupes by id and sequence, and acts.

    Attributes:
        answer: what it answers notices with; None drops the connection.
        taken: every notice it answered 2xx, repeated ones too.
        acted: subject to the sequences acted upon.
    """

    keys: list[str] = field(default_factory=list)
    answer: Callable[[], tuple[int, dict[str, str]] | None] = lambda: (204, {})
    slow_seconds: float = 0.0
    echoes: bool = True
    seen: int = 0
    taken: list[Received] = field(default_factory=list)
    acted: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    stale: int = 0

    def act(self, one: Received) -> None:
        """As a receiver does that follows the specification: only what is newer than all before."""
        self.taken.append(one)
        done = self.acted[one.event["subject"]]
        if not done or one.sequence > done[-1]:
            done.append(one.sequence)
        elif one.sequence < done[-1]:
            self.stale += 1


class Desks:
    """Endpoints of departments on one local server, in a thread of its own."""

    def __init__(self) -> None:
        self.desks: dict[str, Desk] = defaultdict(Desk)
        self.port = 0
        self.moved_ms = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="desks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def url(self, department: str) -> str:
        """Where a department's desk is."""
        return f"http://127.0.0.1:{self.port}/{department}"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post("/{department}", self._take)
        runner = web.AppRunner(app, access_log=None)

        async def start() -> None:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            self._ready.set()

        self._loop.run_until_complete(start())
        self._loop.run_forever()
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        desk, body = self.desks[request.match_info["department"]], await request.read()
        verify(body, dict(request.headers), desk.keys, now=time.time() + self.moved_ms / 1000)
        event = json.loads(body)
        if event["type"] == "creditbus.endpoint.verification":
            return web.json_response({"challenge": event["data"]["challenge"] if desk.echoes else "?"})
        desk.seen += 1
        if desk.slow_seconds:
            await asyncio.sleep(desk.slow_seconds)
        answer = desk.answer()
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if 200 <= answer[0] < 300:
            desk.act(Received(dict(request.headers), event, body))
        return web.Response(status=answer[0], headers=answer[1])


class Pushed:
    """A bus of a test: notices are put on topics, dispatchers push them to desks."""

    def __init__(self, settings: Settings, desks: Desks) -> None:
        self.settings = settings.model_copy(
            update={
                "instance_id": "one",
                "webhook_networks": "127.0.0.0/8",
                "webhook_plain_http": True,
                "webhook_timeout_seconds": 3.0,
            }
        )
        self.desks = desks
        self.codec = Codec.from_files(SCHEMAS)
        self.topics = Topics(settings.topic_prefix)
        self.keys: SigningKeys = load_signing_keys(self.settings, embedded=True)
        self.endpoints = EndpointStore(connect(settings.redis))
        self.metrics = DispatcherMetrics()
        self.newest: dict[tuple[str, str], tuple[int, int]] = {}
        self.ids: dict[tuple[tuple[str, str], tuple[int, int]], str] = {}
        self._producer = Producer({**settings.kafka.config()} | LOSSLESS)
        self._running: list[tuple[DispatcherProcess, threading.Thread]] = []
        self.failures: list[BaseException] = []
        apply_topics(open_admin(settings.kafka), departments_of_catalogue(), self.settings)

    def add(self, department: str, **changes: Any) -> Endpoint:
        """Give a department an endpoint at its desk."""
        endpoint = Endpoint(department=department, url=self.desks.url(department), key_id=self.keys.newest, **changes)
        key = self.keys.endpoint_key(department, 1)
        self.desks.desks[department].keys = [key.public_text]
        assert self.endpoints.add(endpoint)
        return endpoint

    def put(self, department: str, number: int, n: int, *, epoch: int = 0, measure: str = URGENT) -> str:
        """Put a notice on a department's topic; its id."""
        now, firm = datetime.now(UTC), subject(number)
        value = {
            "id": f"{department}-{number}-{epoch}-{n}", "subject": firm, "department": department, "epoch": epoch, "n": n,
            "issued_at": now, "published_at": now, "received_at": now, "changes": [{"measure": measure, "action": "IMPOSED"}],
            "measures": [{"measure": measure, "listings": [], "respond_by": None, "basis": "law"}], "policy_version": "test",
        }  # fmt: skip
        self._producer.produce(self.topics.out_of(department), self.codec.encode("notice", value), firm.encode())
        key = (department, firm)
        self.ids[key, (epoch, n)] = str(value["id"])
        self.newest[key] = max(self.newest.get(key, (0, 0)), (epoch, n))
        return str(value["id"])

    def flush(self) -> None:
        """Wait until everything that was put is on its topic."""
        assert self._producer.flush(60) == 0

    def start(self, **options: Any) -> DispatcherProcess:
        """Run a dispatcher in a thread."""
        process = DispatcherProcess(
            self.settings, self.settings.kafka, self.settings.redis, self.keys,
            metrics=self.metrics, now=self._clock, **options,
        )  # fmt: skip

        def run() -> None:
            try:
                process.run()
            except BaseException as error:  # noqa: BLE001 # shown by the test that waits
                self.failures.append(error)

        thread = threading.Thread(target=run, name="dispatcher", daemon=True)
        thread.start()
        self._running.append((process, thread))
        return process

    def move(self, seconds: float) -> None:
        """Let time pass, for the dispatcher and for the desks."""
        self.desks.moved_ms += int(seconds * 1000)

    def _clock(self) -> int:
        return time.time_ns() // 1_000_000 + self.desks.moved_ms

    def stop(self) -> None:
        """End every dispatcher in good order."""
        for process, _ in self._running:
            process.stop()
        for _, thread in self._running:
            thread.join(40)
            assert not thread.is_alive()
        self._running.clear()
        assert not self.failures, self.failures

    def wait(self, is_so: Callable[[], bool], within: float = 40.0) -> None:
        """Until something is so."""
        until = time.monotonic() + within
        while not is_so():
            assert not self.failures, self.failures
            assert time.monotonic() < until, self.missing()
            time.sleep(0.02)

    def missing(self) -> list[tuple[str, str, tuple[int, int], list[tuple[int, int]]]]:
        """Newest notices that their desks have not acted upon."""
        found = []
        for (department, firm), newest in self.newest.items():
            acted = self.desks.desks[department].acted[firm]
            if not acted or acted[-1] != newest:
                found.append((department, firm, newest, acted[-3:]))
        return found

    def all_arrived(self, within: float = 40.0) -> None:
        """Until every subject's newest notice has arrived; nothing stale came behind a newer one."""
        self.wait(lambda: not self.missing(), within)
        assert {name: desk.stale for name, desk in self.desks.desks.items() if desk.stale} == {}

    def receipts(self) -> dict[str, list[dict[str, Any]]]:
        """Receipts on the operator's topic, by document."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        departments = Departments(self.settings, [OPERATOR])
        for _, record, _, _ in departments.published(OPERATOR):
            found[record["document"]].append(record)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        for process, _ in self._running:
            process.stop()
        for _, thread in self._running:
            thread.join(40)


def departments_of_catalogue() -> list[str]:
    """Every department of the catalogue."""
    from exchange.catalogue import load_catalogue

    return sorted(load_catalogue(SCHEMAS).departments)
