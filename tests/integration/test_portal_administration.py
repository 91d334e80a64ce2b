"""The administrator's accounts and the auditor's access log over HTTP: what each form does, who may not, what is written down."""

import csv
import io
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from consumers.portal.run import Portal, bind_portal
from deploy.portal import portal_parts
from deploy.portal_administration import administration_rooms
from exchange.access_log import STREAM, Asked, append_command, waiting
from exchange.accounts import RedisAccounts, add
from exchange.clock import now_ms
from exchange.directory_memory import MemoryDirectory
from exchange.domain.access import Act, Role, Visitor
from exchange.domain.synthetic import synthetic_citizen_id
from exchange.kafka import open_admin
from exchange.known_as import load_portal_keys
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.topics import apply_topics
from tests.integration.access_app import CODEC, PEOPLE, PHRASE
from tests.portal import Nowhere
from tests.pulling import await_port
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
FIRM = "org:91440300PDY00001X3"
PERSON = "person:k1." + "ab" * 16
TODAY = datetime.now(timezone(timedelta(hours=8))).date()
ROUTES = {
    ("GET", "/accounts"): Role.ADMINISTRATOR, ("POST", "/accounts"): Role.ADMINISTRATOR, ("GET", "/accounts/li"): Role.ADMINISTRATOR,
    ("POST", "/accounts/li/role"): Role.ADMINISTRATOR, ("POST", "/accounts/li/password"): Role.ADMINISTRATOR,
    ("POST", "/accounts/li/disable"): Role.ADMINISTRATOR, ("POST", "/accounts/li/enable"): Role.ADMINISTRATOR,
    ("POST", "/accounts/li/unlock"): Role.ADMINISTRATOR, ("GET", "/access-log"): Role.AUDITOR, ("GET", "/access-log/entries.csv"): Role.AUDITOR,
}  # fmt: skip
"""Written a second time, by hand, so that a slip is seen."""


class Office:
    """The portal in a thread of this process, and somebody's browser."""

    def __init__(self, settings: Settings, browser: httpx2.Client, served: Portal) -> None:
        self.settings, self.browser, self.served = settings, browser, served
        self.redis = connect(settings.redis)

    def sign_in(self, name: str, password: str = PHRASE) -> int:
        self.browser.cookies.clear()
        form = {"name": name, "password": password, "csrf": self.csrf("/login")}
        return int(self.browser.post("/login", data=form).status_code)

    def csrf(self, path: str = "/account") -> str:
        found = re.search('name="csrf" value="([^"]+)"', self.browser.get(path).text)
        return found[1] if found else ""

    def post(self, path: str, **fields: str) -> Any:
        return self.browser.post(path, data=fields | {"csrf": self.csrf()})

    def log(self) -> list[dict[str, Any]]:
        found: Any = self.redis.xrange(STREAM)
        return [CODEC.decode(fields[b"v"])[1] for _, fields in found]

    def matters(self) -> list[str]:
        return [one["matter"] for one in self.log() if one["act"] == Act.ADMINISTER_ACCOUNTS and one["matter"]]


@pytest.fixture
def office(bus_settings: Settings) -> Iterator[Office]:
    settings = bus_settings.model_copy(update={"portal_port": 0, "portal_plain_http": True, "lockout_failures": 2})
    apply_topics(open_admin(settings.kafka), ["gd.fin"], settings)
    accounts = RedisAccounts(connect(settings.redis))
    for role, (name, department) in PEOPLE.items():
        add(accounts, name, PHRASE, role, department, datetime(2026, 5, 20, tzinfo=UTC))
    parts = portal_parts(settings, MemoryDirectory(), Nowhere(), embedded=True)
    served = Portal(settings, parts, bind_portal(settings), administration_rooms(settings, parts))
    served._drainer.stop()  # entries stay in Redis until a test moves them
    thread = threading.Thread(target=served.run, name="portal")
    thread.start()
    await_port(served.url)
    try:
        with httpx2.Client(base_url=served.url, timeout=30) as browser:
            yield Office(settings, browser, served)
    finally:
        served.stop()
        thread.join(20)
        assert not thread.is_alive(), "the portal does not end"


def shown_password(page: str) -> str:
    found = re.search("<code>([^<]+)</code>", page)
    assert found, page
    return found[1]


def test_each_cell_of_the_matrix_of_these_rooms(office: Office) -> None:
    parts = portal_parts(office.settings, MemoryDirectory(), Nowhere(), embedded=True)
    rooms = administration_rooms(office.settings, parts)
    routes = [route for room in rooms for route in room.routes if isinstance(route, APIRoute)]
    there = {(method, route.path.replace("{name}", "li")) for route in routes for method in route.methods or ()}
    assert there == set(ROUTES)
    for role in Role:
        office.browser.cookies.clear()
        if role in PEOPLE:
            assert office.sign_in(PEOPLE[role][0]) == 303
        for (method, path), wanted in ROUTES.items():
            if role is wanted and method == "POST":
                continue  # what they do is tested below
            data = {"csrf": office.csrf("/login")} if method == "POST" else None
            status = office.browser.request(method, path, data=data).status_code
            assert status == (200 if role is wanted else 401 if role is Role.PUBLIC else 403), (role, method, path)


def test_forms_need_their_token(office: Office) -> None:
    office.sign_in("admin")
    for method, path in ROUTES:
        if method == "POST":
            assert office.browser.post(path, data={"name": "wang", "role": "auditor"}).status_code == 403, path
    assert len(RedisAccounts(office.redis).all()) == len(PEOPLE)


def test_an_account_from_its_making_to_its_end(office: Office) -> None:
    office.sign_in("admin")
    made = office.post("/accounts", name="Wang", role="officer", department="gd.tax")
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    password = shown_password(made.text)
    assert len(password) >= 20
    assert password not in office.browser.get("/accounts/wang").text, "shown once"
    assert "从未" in office.browser.get("/accounts/wang").text
    assert office.sign_in("wang", password) == 303
    wang = dict(office.browser.cookies)
    office.sign_in("admin")
    page = office.browser.get("/accounts/wang").text
    assert f"{datetime.now(timezone(timedelta(hours=8))):%Y-%m-%d}" in page.partition("最近登录")[2][:60]
    assert office.post("/accounts/wang/role", role="auditor", department="").status_code == 303
    assert RedisAccounts(office.redis).get("wang").visitor == Visitor(role=Role.AUDITOR, account="wang")  # type: ignore[union-attr]
    assert httpx2.get(f"{office.served.url}/account", cookies=wang).status_code == 401, "its sessions have ended"
    reset = shown_password(office.post("/accounts/wang/password").text)
    assert office.sign_in("wang", password) == 401
    assert office.sign_in("wang", reset) == 303
    office.sign_in("admin")
    assert office.post("/accounts/wang/disable").status_code == 303
    assert "已停用" in office.browser.get("/accounts").text
    assert office.sign_in("wang", reset) == 401
    office.sign_in("admin")
    assert office.post("/accounts/wang/enable").status_code == 303
    assert office.sign_in("wang", reset) == 303
    assert office.matters() == [
        "add wang officer gd.tax", "role wang auditor", "reset wang", "disable wang", "enable wang"
    ]  # fmt: skip
    assert not {password, reset} & {str(value) for entry in office.log() for value in entry.values()}


def test_what_is_wrong_with_a_new_account_is_said(office: Office) -> None:
    office.sign_in("admin")
    for fields, code in (
        ({"name": "li", "role": "auditor", "department": ""}, "account_exists"),
        ({"name": "x", "role": "auditor", "department": ""}, "account_name"),
        ({"name": "zhao", "role": "officer", "department": ""}, "account_department"),
        ({"name": "zhao", "role": "auditor", "department": "gd.fin"}, "account_department"),
        ({"name": "zhao", "role": "public", "department": ""}, "unknown_role"),
        ({"name": "zhao", "role": "officer", "department": "gd.nowhere"}, "unknown_department"),
    ):
        refused = office.post("/accounts", **fields)
        assert (refused.status_code, code in refused.text) == (422, True), (fields, refused.text)
    assert office.post("/accounts/li/role", role="officer", department="").status_code == 422
    assert len(RedisAccounts(office.redis).all()) == len(PEOPLE)
    assert office.browser.get("/accounts/nobody").status_code == 404
    assert office.post("/accounts/nobody/unlock").status_code == 404


def test_nobody_changes_his_own_account_here(office: Office) -> None:
    office.sign_in("admin")
    for path in ("role", "password", "disable"):
        refused = office.post(f"/accounts/admin/{path}", role="auditor")
        assert (refused.status_code, "own_account" in refused.text) == (409, True), path
    assert office.browser.get("/accounts").status_code == 200


def test_a_locked_account_is_unlocked(office: Office) -> None:
    for _ in range(2):
        office.sign_in("li", "wrong wrong wrong")
    assert office.sign_in("li") == 429
    office.sign_in("admin")
    assert "登录失败锁定" in office.browser.get("/accounts/li").text
    assert office.post("/accounts/li/unlock").status_code == 303
    assert "登录失败锁定" not in office.browser.get("/accounts/li").text
    assert office.sign_in("li") == 303


def write_down(office: Office, days_ago: int = 0, **fields: str) -> None:
    at = now_ms() - days_ago * 86_400_000
    visitor = Visitor(role=Role.OFFICER, department="gd.fin", account=fields.pop("account", "li"))
    office.redis.execute_command(*append_command(CODEC, Asked(visitor=visitor, act=Act.CHECK, **fields), at))  # type: ignore[no-untyped-call] # redis leaves it untyped


def test_the_access_log_by_account_subject_and_day(office: Office) -> None:
    write_down(office, subject=FIRM, matter="bidding")
    write_down(office, subject=PERSON, matter="loan")
    write_down(office, account="=cmd|'/c calc'!A1", matter="@SUM(1)")
    write_down(office, days_ago=1, subject=FIRM, matter="yesterday")
    assert waiting(office.redis) == 4
    office.sign_in("audit")
    page = office.browser.get("/access-log").text
    assert "bidding" in page
    assert "yesterday" not in page
    assert PERSON not in page, "a person has the auditors' pseudonym"
    known = load_portal_keys(office.settings, embedded=True).known_as(PERSON, Visitor(role=Role.AUDITOR))
    assert known in page
    only = office.browser.get("/access-log", params={"about": known}).text
    assert "loan" in only
    assert "bidding" not in only
    only = office.browser.get("/access-log", params={"about": FIRM[4:].lower()}).text
    assert "bidding" in only
    assert "loan" not in only
    before = (TODAY - timedelta(days=1)).isoformat()
    assert "yesterday" in office.browser.get("/access-log", params={"day": before, "account": "li"}).text
    assert "yesterday" not in office.browser.get("/access-log", params={"day": before, "account": "wang"}).text
    entries = [one for one in office.log() if one["act"] == Act.READ_ACCESS_LOG]
    assert [(one["subject"], one["matter"]) for one in entries] == [
        ("", TODAY.isoformat()), (PERSON, TODAY.isoformat()), (FIRM, TODAY.isoformat()), ("", f"{before} li"), ("", f"{before} wang"),
    ], "who reads the log is in it"  # fmt: skip


def test_the_access_log_as_a_file(office: Office) -> None:
    write_down(office, subject=PERSON, matter="loan")
    write_down(office, account="=cmd|'/c calc'!A1", matter="@SUM(1)")
    office.sign_in("audit")
    answer = office.browser.get("/access-log/entries.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 1 + 2 + 1, "the export itself is in it"
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert PERSON not in answer.text
    assert office.log()[-1]["matter"].startswith("export ")


def test_what_is_wrong_is_said_and_no_citizen_id_is_repeated(office: Office) -> None:
    office.sign_in("audit")
    citizen = synthetic_citizen_id(7)
    for params in (
        {"about": citizen},
        {"about": PERSON},
        {"about": "nobody"},
        {"day": "2026-13-01"},
        {"day": "x" * 50},
    ):
        for path in ("/access-log", "/access-log/entries.csv"):
            refused = office.browser.get(path, params=params)
            assert refused.status_code == 422, (path, params)
            assert citizen not in refused.text
            assert PERSON not in refused.text
    assert not [one for one in office.log() if one["act"] == Act.READ_ACCESS_LOG], "nothing was read"


def test_an_entry_in_kafka_is_found_and_counted_once(office: Office) -> None:
    write_down(office, subject=FIRM, matter="bidding")
    raw: Any = office.redis.xrange(STREAM)
    moved = threading.Thread(target=office.served._drainer.drain)
    moved.start()
    moved.join(30)
    wait_until(lambda: waiting(office.redis) == 0, "the entry is in Kafka")
    for _, fields in raw:  # as if it had died before it was taken from Redis
        office.redis.xadd(STREAM, fields)
    office.sign_in("audit")
    page = office.browser.get("/access-log", params={"account": "li"}).text
    assert page.count("bidding") == 1
