"""What people and programs type is never taken for anything else: script, SQL, templates, formulas, headers, paths, hidden characters.

The fields are found, not listed: of every route of the whole portal its path, query and form parameters; of pages the inputs of their
forms; of JSON the properties of the OpenAPI documents; of records every text of every contract, through the gateway. A new field is
attacked from its first day. What was stored on the way is shown again at the end.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.testclient import TestClient

from consumers.portal.access.build import build_door
from consumers.portal.access.door import Door
from consumers.portal.access.sessions import Session
from consumers.portal.app import build_app
from consumers.portal.operations.room import open_operations
from consumers.portal.operations.routes import operations_routes
from consumers.portal.workspace.routes import workspace_routes
from deploy.outbound import Publishers
from deploy.portal import portal_parts
from deploy.portal_administration import administration_rooms
from deploy.portal_workspace import open_workspace
from exchange.catalogue import RECORD_TYPES
from exchange.directory import Intake
from exchange.directory_keeper import SqliteKeeper
from exchange.directory_sqlite import SqliteDirectory
from exchange.domain.access import MATRIX, Act, Role, Visitor
from exchange.fed_folder import Bus
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.checking import firm, listing, put_standings, registration
from tests.producing import Departments
from tests.submitting import examples, serving

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]
FIN, FIRM = "gd.fin", firm(1)
SUM = "62615533"
"""What a template would make of 7919 times 7907."""
ATTACKS = {
    "script": "\"'><script>alert(1)</script><img src=x onerror=alert(1)>",
    "sql": "x' OR '1'='1'; DROP TABLE names; --",
    "template": "{{ 7919 * 7907 }}${7919*7907}{% print(7919*7907) %}#{7919*7907}",
    "formula": "=cmd|'/c calc'!A1",
    "header": "x\r\nX-Injected: 1\r\nSet-Cookie: injected=1",
    "path": "../../../../../../etc/passwd",
    "encoded path": "..%2f..%2f..%2fetc%2fpasswd\x00.csv",
    "hidden": "公\u202e司\u200b有\u2066限\ufeff\u0085",
    "surrogates and length": "\U0001f980" * 3000,
    "redis": "x\r\nFLUSHALL\r\n*1\r\n$8\r\nFLUSHALL",
}
GOOD = {
    "department": FIN, "subject": FIRM, "code": FIRM[4:], "uscc": FIRM[4:], "matter": "bidding", "q": "合成", "name": "li", "page": "1",
    "number": "0123456789ab", "detail": "认定的事实与实际不符，请予核查。", "title": "拖欠货款", "decision": "refused", "document": "1号",
    "officer": "1", "role": "auditor", "operation": "resume", "kind": "csv", "form": "csv", "place": "penalties", "about": FIRM[4:], "day": "2026-05-20",
}  # fmt: skip
"""Values of fields beside the one that is attacked, so that it is reached."""
_TRACES = ("Traceback", "sqlite3", "OperationalError", "root:x:0", "jinja2", "redis.exceptions")


class Target(NamedTuple):
    """A field: of which request, and where in it."""

    method: str
    path: str
    place: str
    field: str


class Fields(HTMLParser):
    """The forms of a page: (method, action, fields)."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("method", "get").upper(), given.get("action", ""), {}))
        elif self.forms and tag in ("input", "select", "textarea", "button") and given.get("name"):
            self.forms[-1][2].setdefault(given["name"], given.get("value", ""))


class EverybodysDoor(Door):
    """The real door, but whoever comes may do what he does; forms still bring their token."""

    async def admit(self, request: Request, act: Act, *, log: bool) -> Visitor:
        role = next(
            one for one in (Role.OFFICER, Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR) if one in MATRIX[act].roles
        )
        self.visitor = Visitor(role=role, department=FIN if role is Role.OFFICER else "", account="wang")
        return await super().admit(request, act, log=log)

    async def _recognise(self, request: Request, *, prolong: bool = True) -> tuple[Visitor, Session | None]:
        return self.visitor, None


class Everything:
    """The whole portal in this process, on real servers."""

    def __init__(self, client: TestClient, routes: list[APIRoute], schema: dict[str, Any]) -> None:
        self.client, self.routes, self.schema = client, routes, schema
        client.cookies.set("csrf", "token", domain="localhost.local")

    def targets(self) -> Iterator[Target]:
        """Every parameter of every route, and every input of every form that a page shows."""
        for route in self.routes:
            for method in route.methods or ():
                yield from (Target(method, route.path, place, name) for place, name in parameters(route.dependant))
                if method == "GET" and not route.path.endswith("/stream"):
                    yield from self._inputs(route.path)
        for path, methods in self.schema["paths"].items():
            for method, one in methods.items():
                content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
                yield from (
                    Target(method.upper(), path, "json", name)
                    for name in content.get("schema", {}).get("properties", {})
                )

    def _inputs(self, path: str) -> Iterator[Target]:
        page = self.client.get(filled(path, {}), params={"subject": FIRM})
        if not page.headers.get("content-type", "").startswith("text/html"):
            return
        found = Fields()
        found.feed(page.text)
        for method, action, names in found.forms:
            if action.startswith("/"):
                yield from (
                    Target(method, action, "body" if method == "POST" else "query", name)
                    for name in names
                    if name != "csrf"
                )

    def attack(self, target: Target, text: str, together: dict[str, str]) -> Any:
        """Send a request with the text in the field; what else it needs is good."""
        given = GOOD | together | {target.field: text}
        path = filled(target.path, {target.field: text} if target.place == "path" else {})
        names = set(together) | {target.field}
        headers = {"X-CSRF-Token": "token", "Accept": "text/html"}
        if target.place == "json":
            body = {name: given[name] for name in names if name in given}
            return self.client.request(target.method, path, json=body, headers=headers | {"Accept": "application/json"})
        if target.method == "GET":
            shown = {name: given[name] for name in names} if target.place == "query" else {}
            return self.client.get(f"{path}?{urlencode(shown, errors='replace')}" if shown else path, headers=headers)
        sent = {name: given.get(name, "1") for name in names} if target.place == "body" else {}
        files = (
            {"file": (text.replace("\x00", ""), f"统一社会信用代码\n{text}\n".encode(errors="replace"), "text/csv")}
            if "file" in sent
            else None
        )
        sent.pop("file", None)
        return self.client.request(target.method, path, data=sent, files=files, headers=headers)


def filled(path: str, given: dict[str, str]) -> str:
    """The path with its parameters."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: quote(given.get(one[1], GOOD.get(one[1], "1")), safe=""), path)


def parameters(dependant: Dependant) -> Iterator[tuple[str, str]]:
    """Place and name of every parameter, those of what it depends on too."""
    for place, found in (
        ("path", dependant.path_params), ("query", dependant.query_params), ("body", dependant.body_params)
    ):  # fmt: skip
        yield from ((place, one.alias) for one in found)
    for one in dependant.dependencies:
        yield from parameters(one)


def walk(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes)


class Kept:
    """Keeps what would have gone onto the bus, checked as it would be."""

    def __init__(self, publishers: Publishers) -> None:
        self._publishers = publishers
        self.records: list[dict[str, Any]] = []

    def publish(self, department: str, record: Any, record_type: str) -> Future[Any]:
        sent = self._publishers.publish(department, record, record_type)
        self.records.append(dict(record))
        return sent


@pytest.fixture(scope="module")
def portal(new_bus: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    folder = tmp_path_factory.mktemp("injection")
    settings = new_bus().model_copy(
        update={
            "home": folder, "portal_plain_http": True, "searches_per_minute": 10**6, "filings_per_hour": 10**6, "lockout_failures": 10**6,
            "person_lookups_per_hour": 10**6,
        }
    )  # fmt: skip
    Departments(settings, (FIN, "gd.tax", "gd.amr", "gd.data"))
    put_standings(settings, [registration(FIRM), listing(FIRM, 3)])
    with closing(SqliteKeeper(folder / "directory", Bus(settings.topic_prefix, settings.partitions, "c"))) as keeper:
        keeper.keep(Intake())
    with ExitStack() as stack:
        outbound = Kept(stack.enter_context(Publishers(settings)))
        parts = portal_parts(settings, SqliteDirectory(folder / "directory"), outbound, embedded=True)
        workspace = stack.enter_context(open_workspace(settings, parts, outbound, embedded=True))
        rooms = [
            workspace_routes(workspace), operations_routes(open_operations(settings, parts.pages, parts.catalogue)),
            *administration_rooms(settings, parts),
        ]  # fmt: skip
        door = build_door(settings, parts.codec, parts.catalogue, parts.keys)
        door.__class__ = EverybodysDoor
        app = build_app(parts, door, rooms)
        client = stack.enter_context(TestClient(app, "http://localhost", raise_server_exceptions=False))
        yield Everything(client, list(walk(app.routes)), app.openapi())
        assert client.portal is not None
        client.portal.call(door.close)
        client.portal.call(parts.redis.aclose)
    connect(settings.redis).flushdb()


@pytest.fixture(scope="module")
def targets(portal: Everything) -> list[Target]:
    found = sorted(set(portal.targets()))
    assert len(found) > 90, "the walk over the routes finds nothing any more"
    return found


def faults_of(answer: Any, what: object) -> Iterator[str]:
    """What an answer must not show."""
    text, kind = answer.text, answer.headers.get("content-type", "")
    if answer.status_code >= 500 and answer.status_code != 503:
        yield f"{what}: {answer.status_code} {text[:200]}"
    if "x-injected" in answer.headers or "injected" in answer.headers.get("set-cookie", ""):
        yield f"{what}: a header was injected"
    if answer.headers.get("x-content-type-options") != "nosniff":
        yield f"{what}: the security headers are missing"
    yield from (f"{what}: shows {one}" for one in _TRACES if one in text)
    if kind.startswith("text/html") and ("<script>alert" in text or "<img src=x" in text):
        yield f"{what}: the page carries the script"
    if SUM in text:
        yield f"{what}: it was taken for a template"
    if kind.startswith("text/csv"):
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
            yield from (
                f"{what}: a formula {cell!r}" for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            )
    for one in answer.history:
        if not one.headers.get("location", "/").startswith(("/", "http://localhost/")) or one.headers[
            "location"
        ].startswith("//"):
            yield f"{what}: leads to {one.headers['location']}"


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_field_of_the_portal(portal: Everything, targets: list[Target], attack: str) -> None:
    faults: list[str] = []
    for target in targets:
        beside = {one.field: GOOD.get(one.field, "1") for one in targets if one[:3] == target[:3]}
        faults += faults_of(portal.attack(target, ATTACKS[attack], beside), target)
    assert not faults, "\n".join(faults[:30])


def test_what_was_stored_is_harmless_when_it_is_shown(portal: Everything) -> None:
    faults: list[str] = []
    for route in portal.routes:
        if "GET" in (route.methods or ()) and not route.path.endswith("/stream"):
            faults += faults_of(portal.client.get(filled(route.path, {})), route.path)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_text_of_every_record_through_the_gateway(bus_settings: Settings, attack: str) -> None:
    departments = {one.record["department"] for one in examples(RECORD_TYPES)}
    Departments(bus_settings, departments)
    faults: list[str] = []
    with serving(bus_settings) as server:
        for department in sorted(departments):
            rows = [
                {"type": one.record_type} | one.record | {field: ATTACKS[attack]}
                for one in examples(RECORD_TYPES) if one.record["department"] == department
                for field, value in one.record.items() if isinstance(value, str) and field not in ("department", "published_at")
            ]  # fmt: skip
            answer = server.client(department).submit(rows)
            assert answer.status in (200, 207, 422), answer.body
            assert "x-injected" not in answer.headers
            assert SUM not in json.dumps(answer.body)
            for row, result in zip(rows, answer.body["results"], strict=True):
                hidden = attack in ("hidden", "header", "redis", "encoded path")
                named = row["document"] == ATTACKS[attack] or row.get("subject_name") == ATTACKS[attack]
                if hidden and named and result["status"] == "accepted":
                    faults.append(f"{row['type']}: hidden characters in a number or name are accepted")
    assert not faults, "\n".join(faults)
