"""A department's own endpoint, keys and deliveries in the workspace: each act, what is shown once, and nobody else's."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from consumers.dispatcher.attempt_log import Attempt, encode_attempt
from consumers.portal.access.build import build_door
from consumers.portal.app import build_app
from consumers.portal.workspace.routes import workspace_routes
from exchange.accounts import RedisAccounts, add
from exchange.api_keys import recognise
from exchange.delivery_store import DeliveryChange
from exchange.domain.access import Role, Visitor
from exchange.endpoints import Payload, State
from exchange.partitioner import partition_of
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.working import FIN, TAX, Workspace, officer, workspace_on
from tests.worlds import FIRM, OTHER

pytestmark = pytest.mark.servers
ROOM = f"/workspace/{FIN}"
ENDPOINT = f"{ROOM}/endpoint"
PASSWORD = "correct horse battery"  # noqa: S105 # of an account that exists in a test only
AUDITOR = Visitor(role=Role.AUDITOR, account="audit")


@pytest.fixture
def workspace(bus_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    settings = bus_settings.model_copy(update={"webhook_plain_http": True, "webhook_networks": "127.0.0.0/8"})
    with workspace_on(settings, tmp_path, officer(FIN)) as found:
        yield found


@contextmanager
def receiver(*, echoes: bool = True) -> Iterator[str]:
    """A department's receiver; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps({"challenge": body["data"]["challenge"] if echoes else "else"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            thread.join()


def added(workspace: Workspace, url: str, **changes: str) -> str:
    fields = {"act": "add", "url": url, "payload": "full", "rate": "500", "concurrency": "16"}
    return workspace.send(ENDPOINT, fields | changes)


def state(workspace: Workspace) -> State:
    return workspace.parts.endpoints.known(FIN).state


def test_an_endpoint_is_added_verified_paused_and_resumed(workspace: Workspace) -> None:
    assert "尚未设置端点" in workspace.page(ENDPOINT)
    with receiver() as url:
        page = added(workspace, url)
        assert "whsec_" in page
        assert "whpk_" in page
        assert "whsec_" not in workspace.page(ENDPOINT), "keys are shown where they are new or asked for"
        assert state(workspace) is State.UNVERIFIED
        workspace.send(ENDPOINT, {"act": "verify"})
        assert state(workspace) is State.ACTIVE
        workspace.send(ENDPOINT, {"act": "pause", "reason": "检修"})
        assert "检修" in workspace.page(ENDPOINT)
        workspace.send(ENDPOINT, {"act": "resume"})
        assert state(workspace) is State.ACTIVE
        before = set(re.findall(r"whsec_\S+?(?=<)", workspace.send(ENDPOINT, {"act": "keys"})))
        after = set(re.findall(r"whsec_\S+?(?=<)", workspace.send(ENDPOINT, {"act": "rotate"})))
        assert before < after, "both sign for a while"


def test_what_cannot_be_is_said_and_changes_nothing(workspace: Workspace) -> None:
    for url, changes in (
        ("https://10.0.0.1/hook", {}), ("ftp://example.com", {}), ("", {}), ("http://127.0.0.1/x", {"rate": "many"}),
        ("http://127.0.0.1/x", {"rate": "0"}), ("http://127.0.0.1/x", {"payload": "half"}),
    ):  # fmt: skip
        answer = workspace.client.post(
            ENDPOINT, data={"act": "add", "url": url, "payload": "full", "rate": "1", "concurrency": "1"} | changes
        )
        assert answer.status_code == 422, (url, changes)
        assert 'role="alert"' in answer.text
    assert workspace.parts.endpoints.store.all() == {}
    withheld = min(workspace.parts.portal.catalogue.thin_only())
    other = workspace.as_visitor(officer(withheld))
    fields = {"act": "add", "url": "http://127.0.0.1/x", "payload": "full", "rate": "1", "concurrency": "1"}
    assert "not shared with" in other.send(f"/workspace/{withheld}/endpoint", fields, 422)
    other.send(f"/workspace/{withheld}/endpoint", fields | {"payload": ""})
    assert other.parts.endpoints.known(withheld).payload is Payload.THIN
    other.as_visitor(officer(FIN))
    workspace.send(ENDPOINT, {"act": "explode"}, 422)
    workspace.send(ENDPOINT, {"act": "verify"}, 422)
    with receiver(echoes=False) as url:
        added(workspace, url)
        assert "the answer is not" in workspace.send(ENDPOINT, {"act": "verify"}, 422)


def test_a_key_is_shown_once_and_worth_nothing_once_revoked(workspace: Workspace) -> None:
    page = workspace.send(f"{ROOM}/keys", {"name": "办事大厅系统"})
    found = re.search(r"cbk_[\w-]+", page)
    assert found
    key = recognise(workspace.parts.keys, found[0])
    assert key is not None
    assert key.department == FIN
    page = workspace.page(f"{ROOM}/keys")
    assert "cbk_" not in page
    assert "办事大厅系统" in page
    workspace.as_visitor(officer(TAX)).send(f"/workspace/{TAX}/keys/{key.id}/revoke", {}, 400)
    assert recognise(workspace.parts.keys, found[0]), "another department cannot revoke it"
    assert "已吊销" in workspace.as_visitor(officer(FIN)).send(f"{ROOM}/keys/{key.id}/revoke", {})
    assert recognise(workspace.parts.keys, found[0]) is None
    workspace.send(f"{ROOM}/keys", {"name": " "}, 422)
    workspace.send(f"{ROOM}/keys", {"name": "x" * 81}, 422)


def logged(workspace: Workspace, department: str, subject: str, notice: str) -> None:
    """An attempt in the delivery log."""
    attempt = Attempt(
        at=1_780_000_000_000, department=department, subject=subject, notice=notice, epoch=0, n=1, number=1, outcome="delivered",
        status=204, error="", milliseconds=12, digest="", next_at=0,
    )  # fmt: skip
    number = partition_of(subject, workspace.parts.partitions)
    store = workspace.parts.deliveries
    token = store.cursor(number).get("token", "")
    change = DeliveryChange(
        partition=number,
        expected=token,
        token=f"{token}x",
        log=[(department, subject, notice, encode_attempt(attempt))],
    )
    assert store.commit([change]) == [None]


def test_deliveries_are_filtered_and_replayed(workspace: Workspace) -> None:
    logged(workspace, FIN, FIRM, "aaaaaaaa01")
    logged(workspace, FIN, OTHER, "bbbbbbbb01")
    logged(workspace, TAX, FIRM, "cccccccc01")
    page = workspace.page(f"{ROOM}/deliveries")
    assert "aaaaaaaa" in page
    assert "bbbbbbbb" in page
    assert "cccccccc" not in page
    page = workspace.page(f"{ROOM}/deliveries?subject={FIRM.removeprefix('org:')}")
    assert "aaaaaaaa" in page
    assert "bbbbbbbb" not in page
    assert "bbbbbbbb" in workspace.page(f"{ROOM}/deliveries?notice=bbbbbbbb01")
    assert "没有记录" in workspace.page(f"{ROOM}/deliveries?notice=cccccccc01"), "another department's"
    workspace.page(f"{ROOM}/deliveries?subject=nonsense", 422)
    workspace.send(f"{ROOM}/deliveries", {"since": "2026-05-20T10:00"}, 422)
    with receiver() as url:
        added(workspace, url)
    assert "已安排重新送达" in workspace.send(f"{ROOM}/deliveries", {"since": "2026-05-20T10:00"})
    assert workspace.parts.endpoints.known(FIN).recover_since == 1_779_242_400_000
    workspace.send(f"{ROOM}/deliveries", {"since": "yesterday"}, 422)


@pytest.mark.parametrize("room", ["endpoint", "keys", "deliveries"])
def test_nobody_elses_and_auditors_change_nothing(workspace: Workspace, room: str) -> None:
    for visitor in (officer(TAX), Visitor(), Visitor(role=Role.OPERATOR, account="op")):
        workspace.as_visitor(visitor).page(f"{ROOM}/{room}", 403)
        workspace.send(f"{ROOM}/{room}", {"name": "x", "act": "rotate", "since": "2026-05-20T10:00"}, 403)
    page = workspace.as_visitor(AUDITOR).page(f"{ROOM}/{room}")
    assert 'method="post"' not in page
    workspace.send(f"{ROOM}/{room}", {"name": "x"}, 403)


def test_the_way_in(workspace: Workspace) -> None:
    answer = workspace.client.get("/workspace", follow_redirects=False)
    assert answer.headers["location"] == f"{ROOM}/inbox"
    assert f'href="{ROOM}/inbox"' in workspace.as_visitor(AUDITOR).page("/workspace")
    assert "没有此部门" in workspace.page("/workspace/gd.none/keys", 404)


def test_through_the_real_door(bus_settings: Settings, tmp_path: Path) -> None:
    """Signed in, with the token of one's session in every form, files too; without it, and elsewhere, nothing."""
    settings = bus_settings.model_copy(update={"portal_plain_http": True})
    with workspace_on(settings, tmp_path, officer(FIN)) as workspace:
        parts = workspace.parts.portal
        add(RedisAccounts(connect(settings.redis)), "li", PASSWORD, Role.OFFICER, FIN, datetime.now(UTC))
        door = build_door(settings, parts.codec, parts.catalogue, parts.keys)
        app = build_app(parts, door, [workspace_routes(workspace.parts)])
        browser = {"accept": "text/html"}
        with TestClient(app, "http://localhost", raise_server_exceptions=False, headers=browser) as client:
            assert "/login" in client.get(f"{ROOM}/keys", follow_redirects=False).headers["location"]
            client.post(
                "/login", data={"name": "li", "password": PASSWORD, "csrf": token_in(client.get("/login").text)}
            )
            token = token_in(client.get(f"{ROOM}/keys").text)
            assert client.post(f"{ROOM}/keys", data={"name": "大厅"}).status_code == 403
            assert "cbk_" in client.post(f"{ROOM}/keys", data={"name": "大厅", "csrf": token}).text
            assert client.get(f"/workspace/{TAX}/keys").status_code == 403
            file = {"file": ("a.csv", b"one,two\n")}
            assert client.post(f"{ROOM}/uploads", files=file).status_code == 403
            taken = client.post(f"{ROOM}/uploads", files=file, data={"csrf": token}, follow_redirects=False)
            assert taken.status_code == 303
            assert client.portal is not None
            client.portal.call(door.close)


def token_in(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]
