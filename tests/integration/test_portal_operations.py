"""The operator page on real servers: a real processor's metrics, live; each operation does what it says and is written down."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from consumers.portal.operations.facts import FactReader
from consumers.portal.operations.room import OperationsRoom, open_operations
from consumers.portal.operations.routes import operations_routes
from consumers.portal.run import Portal, bind_portal
from deploy.portal import portal_parts
from exchange.access_log import STREAM
from exchange.accounts import RedisAccounts, add
from exchange.directory_memory import MemoryDirectory
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint, State
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.standing_store import NEVER, Commit
from exchange.store import Store
from tests.conftest import environment_of
from tests.faults.bus import BusUnderFault
from tests.faults.records import province
from tests.integration.access_app import CATALOGUE, CODEC, PEOPLE, PHRASE
from tests.portal import Nowhere
from tests.pulling import await_port
from tests.waiting import wait_until

pytestmark = pytest.mark.servers


class OperatorPortal:
    """The portal in a thread of this process, and somebody's browser."""

    def __init__(
        self, settings: Settings, served: Portal, room: OperationsRoom, thread: threading.Thread, browser: httpx2.Client
    ) -> None:
        self.settings, self.served, self.room, self.thread = settings, served, room, thread
        self.redis = connect(settings.redis)
        self.store, self.endpoints = Store(self.redis), EndpointStore(self.redis)
        self.browser = browser

    def sign_in(self, name: str) -> None:
        form = {"name": name, "password": PHRASE, "csrf": self._csrf("/login")}
        assert self.browser.post("/login", data=form).status_code == 303

    def sign_out(self) -> None:
        assert self.browser.post("/logout", data={"csrf": self._csrf("/account")}).status_code == 303

    def _csrf(self, path: str) -> str:
        found = re.search('name="csrf" value="([^"]+)"', self.browser.get(path).text)
        assert found
        return found[1]

    def do(self, path: str) -> Any:
        """Confirm an operation."""
        return self.browser.post(path, data={"csrf": self._csrf(path)})

    def log(self) -> list[dict[str, Any]]:
        """The access log, as far as it is still in Redis."""
        found: Any = self.redis.xrange(STREAM)
        return [CODEC.decode(fields[b"v"])[1] for _, fields in found]

    @contextmanager
    def stream(self) -> Iterator[Iterator[tuple[str, Any]]]:
        """Events of the live page until it ends."""
        with self.browser.stream("GET", "/operations/stream") as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@contextmanager
def serving(settings: Settings, *targets: str) -> Iterator[OperatorPortal]:
    settings = settings.model_copy(
        update={
            "portal_port": 0, "portal_plain_http": True, "operations_targets": ",".join(targets),
            "operations_every_seconds": 0.3,
        }
    )  # fmt: skip
    accounts = RedisAccounts(connect(settings.redis))
    for role, (name, department) in PEOPLE.items():
        add(accounts, name, PHRASE, role, department, datetime(2026, 5, 20, tzinfo=UTC))
    parts = portal_parts(settings, MemoryDirectory(), Nowhere(), embedded=True)
    room = open_operations(settings, parts.pages, parts.catalogue)
    served = Portal(settings, parts, bind_portal(settings), [operations_routes(room)], room.watch.end)
    served._drainer.stop()  # entries stay in Redis, where the tests read them
    thread = threading.Thread(target=served.run, name="portal")
    thread.start()
    await_port(served.url)
    try:
        with httpx2.Client(base_url=served.url, timeout=30) as browser:
            yield OperatorPortal(settings, served, room, thread, browser)
    finally:
        served.stop()
        thread.join(20)
        assert not thread.is_alive(), "the portal does not end"


@pytest.fixture
def operator(bus_settings: Settings) -> Iterator[OperatorPortal]:
    with serving(bus_settings) as found:
        found.sign_in("ops")
        yield found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def test_a_real_processors_metrics_are_shown_live(bus_settings: Settings) -> None:
    bus, port = BusUnderFault(bus_settings), free_port()
    environment = environment_of(bus_settings) | {"CREDITBUS_METRICS_PORT": str(port)}
    processor = subprocess.Popen([sys.executable, "-m", "deploy.cli", "run", "standing"], env=environment)
    try:
        with serving(bus_settings, f"127.0.0.1:{port}") as found:
            found.sign_in("ops")
            wait_until(lambda: "运行" in found.browser.get("/operations").text, "the processor shows its metrics")
            with found.stream() as events:
                bus.feed(province(seed=7, count=300))
                assert next(events)[0] == "history"
                until = time.monotonic() + 60
                for name, data in events:
                    assert name == "health"
                    _, records, _, half, _ = data["point"]
                    if records and half:
                        break
                    assert time.monotonic() < until, "no record is seen"
            assert "org:" not in data["health"]
            assert not re.search("PDY|person", data["health"])
            wait_until(lambda: found.room.watch.viewers == 0, "who has gone is forgotten")
            page = found.browser.get("/operations").text
            assert "信用状态处理器" in page
            processor.terminate()
            assert processor.wait(30) == 0
            wait_until(lambda: "不应答" in found.browser.get("/operations").text, "it is shown as down")
            assert "信用状态处理器" in found.browser.get("/operations").text, "by its name"
    finally:
        processor.kill()
        processor.wait()


def test_the_stream_ends_at_sign_out_and_with_the_server(operator: OperatorPortal) -> None:
    operator.sign_in("audit")
    with operator.stream() as events:
        assert next(events) == ("history", [])
        assert next(events)[0] == "health"
        operator.sign_out()
        assert [name for name, _ in events][-1] == "ended"
    operator.sign_in("ops")
    with operator.stream() as events:
        assert next(events)[0] == "history"
        operator.served.stop()
        list(events)  # ends, and is not cut
    operator.thread.join(20)
    assert not operator.thread.is_alive()


def test_a_live_page_does_not_keep_a_session_from_becoming_idle(operator: OperatorPortal) -> None:
    with operator.stream() as events:
        (key,) = operator.redis.keys("session:*")
        operator.redis.expire(key, 100)
        for _ in range(3):
            next(events)
        assert operator.redis.ttl(key) <= 100


def test_resync_makes_everybody_due(operator: OperatorPortal, caplog: pytest.LogCaptureFixture) -> None:
    commit = Commit(partition=1, expected="", token="t1", timers=[("org:a", NEVER), ("org:b", 99_999)])
    assert operator.store.commit([commit]) == [None]
    answer = operator.do("/operations/resync")
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations?done=resync&count=2")
    assert sorted(operator.store.look([1], 0, 10)[0].due) == ["org:a", "org:b"]
    assert "将重新评判的主体：2" in operator.browser.get(answer.headers["location"]).text
    written = [(one["act"], one["account"], one["matter"]) for one in operator.log() if one["act"] == "operate"]
    assert written == [("operate", "ops", "resync")]
    assert "operation matter='resync' account='ops' count=2" in caplog.text


def test_release_lets_a_held_topic_go_on(operator: OperatorPortal) -> None:
    topic, limit = f"{operator.settings.topic_prefix}.in.gd.tax", operator.settings.quarantine_run
    operator.store.commit([Commit(partition=2, expected="", token="t1", cursor={f"h:{topic}": limit})])
    page = operator.browser.get("/operations").text
    assert "连续退回" in page
    assert 'href="/operations/release/gd.tax"' in page
    assert operator.do("/operations/release/gd.tax").headers["location"].endswith("count=1")
    assert operator.store.cursor(2).held == {}
    assert "/operations/release/" not in operator.browser.get("/operations").text
    assert [one["matter"] for one in operator.log() if one["act"] == "operate"] == ["release gd.tax"]


def test_resume_pushes_to_a_paused_endpoint_again(operator: OperatorPortal) -> None:
    paused = Endpoint(department="gd.fin", url="https://x", key_id="k", verified_at=1).paused("five days", 1)
    operator.endpoints.add(paused)
    operator.endpoints.failing("gd.fin", 5)
    assert 'href="/operations/resume/gd.fin"' in operator.browser.get("/operations").text
    assert operator.do("/operations/resume/gd.fin").status_code == 303
    found = operator.endpoints.find("gd.fin")
    assert found is not None
    assert found.state is State.ACTIVE
    assert operator.endpoints.failing("gd.fin", 9) == 9, "the days of failure begin anew"
    refused = operator.do("/operations/resume/gd.fin")
    assert (refused.status_code, "not_paused" in refused.text) == (400, True)
    assert operator.do("/operations/resume/gd.tax").status_code == 400, "it has none"


def test_without_the_forms_token_nothing_is_done(operator: OperatorPortal) -> None:
    assert operator.browser.post("/operations/resync").status_code == 403
    assert not [one for one in operator.log() if one["act"] == "operate"]


def test_overdue_responses_and_redis_away_are_facts(bus_settings: Settings) -> None:
    away = FactReader(
        bus_settings,
        Store(connect("redis://127.0.0.1:1")),
        EndpointStore(connect("redis://127.0.0.1:1")),
        CATALOGUE,
    )
    assert away.read().away == "redis_away"
    client = connect(bus_settings.redis)
    client.zadd("{3}:overdue:gd.tax", {"a": 1, "b": 2})
    assert FactReader(bus_settings, Store(client), EndpointStore(client), CATALOGUE).read().overdue == (("gd.tax", 2),)
