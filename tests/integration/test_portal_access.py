"""The portal's door over HTTP: every cell of the matrix, sessions, forged forms, lockout, limits, the log of reads."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis.asyncio

from consumers.portal.access.limits import Limits
from consumers.portal.access.sessions import Sessions
from exchange.accounts import RedisAccounts, disable
from exchange.api_keys import RedisKeys, issue, revoke
from exchange.domain.access import MATRIX, Act, Role, Visitor
from exchange.settings import Settings
from tests.integration.access_app import PEOPLE, Portal, portal
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
PERSON = "person:k1." + "ab" * 16
HTML = {"accept": "text/html"}


@pytest.fixture
def settings(bus_settings: Settings) -> Settings:
    return bus_settings.model_copy(
        update={
            "portal_plain_http": True,
            "lockout_failures": 3,
            "person_lookups_per_hour": 4,
            "searches_per_minute": 100,
        }
    )


@pytest.fixture
def door(settings: Settings) -> Iterator[Portal]:
    with portal(settings) as found:
        yield found


@pytest.mark.parametrize("role", Role)
def test_each_cell_of_the_matrix_over_http(door: Portal, role: Role) -> None:
    if role in PEOPLE:
        assert door.sign_in(PEOPLE[role][0]).status_code == 303
    for act in Act:
        answer = door.client.get(f"/acts/{act}")
        if role in MATRIX[act].roles:
            assert answer.status_code == 200, act
            assert answer.json()["role"] == role
        else:
            assert answer.status_code == (401 if role is Role.PUBLIC else 403), act
    written = {one["act"] for one in door.log()}
    shown = {act for act in Act if role in MATRIX[act].roles and MATRIX[act].logged and role is not Role.PUBLIC}
    assert written == shown
    assert all((one["role"], one["account"]) == (role, PEOPLE[role][0]) for one in door.log())


def test_who_is_not_signed_in_is_led_to_the_form_and_back(door: Portal) -> None:
    page = door.client.get("/acts/read_inbox?page=2", headers=HTML, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/acts/read_inbox%3Fpage%3D2")
    assert 'value="/acts/read_inbox?page=2"' in door.client.get(page.headers["location"]).text
    assert (
        door.client.get("/acts/read_inbox", headers={"hx-request": "true"}).headers["hx-redirect"].startswith("/login")
    )
    assert door.sign_in("li", next="/acts/read_inbox?page=2").headers["location"] == "/acts/read_inbox?page=2"
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)"):
        assert door.sign_in("li", next=elsewhere).headers["location"] == "/"


def test_department_scope_over_http(door: Portal) -> None:
    door.sign_in("li")
    assert door.client.get("/acts/read_inbox?department=gd.fin").status_code == 200
    other = door.client.get("/acts/read_inbox?department=gd.tax")
    assert other.status_code == 403
    assert "other_department" in other.text


def test_a_session_begins_anew_and_ends_at_sign_out(door: Portal) -> None:
    door.come_with("planted-by-somebody-else")
    door.sign_in("li")
    first = door.client.cookies["session"]
    assert first != "planted-by-somebody-else"
    door.sign_in("li")
    second = door.client.cookies["session"]
    assert second != first
    door.come_with(first)
    assert door.client.get("/acts/own_account").status_code == 401, "the id of before is worth nothing"
    door.come_with(second)
    page = door.client.get("/account").text
    token = re.search('name="csrf" value="([^"]+)"', page)
    assert token
    assert door.client.post("/logout").status_code == 403, "nobody is signed out by another site"
    assert door.client.post("/logout", data={"csrf": token[1]}, follow_redirects=False).status_code == 303
    door.come_with(second)
    assert door.client.get("/acts/own_account").status_code == 401
    assert not [key for key in door.store.keys("session:*") if second.encode() in key], "Redis does not have the id"


def test_a_disabled_account_and_a_new_password_end_sessions(door: Portal) -> None:
    door.sign_in("li")
    page = door.client.get("/account?lang=en").text
    assert "My account" in page
    token = re.search('name="csrf" value="([^"]+)"', page)
    assert token
    before = door.client.cookies["session"]
    form = {"csrf": token[1], "password": "correct horse battery", "new_password": "short"}
    assert door.client.post("/account/password", data=form).status_code == 422
    changed = door.client.post(
        "/account/password", data=form | {"new_password": "another long password"}, follow_redirects=False
    )
    assert changed.headers["location"] == "/account?changed=1"
    assert door.client.get("/account").status_code == 200
    now = door.client.cookies["session"]
    door.come_with(before)
    assert door.client.get("/acts/own_account").status_code == 401
    door.come_with(now)
    disable(RedisAccounts(door.store), "li", datetime.now(UTC))
    assert door.client.get("/acts/own_account").status_code == 401
    assert door.sign_in("li", "another long password").status_code == 401


def test_sessions_end_by_idleness_and_by_age(settings: Settings) -> None:
    async def run() -> None:
        client = redis.asyncio.Redis.from_url(settings.redis, protocol=3)
        now = [1_779_242_400_000]
        sessions = Sessions(client, settings, lambda: now[0])
        secret, session = await sessions.begin(Visitor(role=Role.AUDITOR, account="audit"), local=False)
        assert await sessions.of(secret) == session
        (key,) = await client.keys("session:*")
        assert 0 < await client.ttl(key) <= 1800, "half an hour without a request"
        now[0] += 8 * 3_600_000 - 1
        assert await sessions.of(secret) == session
        now[0] += 1
        assert await sessions.of(secret) is None
        assert await client.exists(key) == 0
        await client.aclose()

    asyncio.run(run())


def test_forms_need_their_token(door: Portal) -> None:
    form = {"text": "不服"}
    assert door.client.post("/objections", data=form).status_code == 403
    token = door.csrf()
    assert door.client.post("/objections", data=form | {"csrf": token}).json() == form
    assert door.client.post("/objections", data=form, headers={"x-csrf-token": token}).json() == form
    assert door.client.post("/objections", data=form | {"csrf": token + "x"}).status_code == 403
    door.client.cookies.clear()
    refused = door.client.post("/objections", data=form | {"csrf": token})
    assert (refused.status_code, "forged_form" in refused.text) == (403, True)
    assert door.client.post("/objections", data=form | {"csrf": ""}).status_code == 403
    door.client.get("/login")
    other = door.client.cookies["csrf"]
    door.sign_in("li")
    assert door.client.post("/objections", data=form | {"csrf": other}).status_code == 403, "the session has its own"


def test_sign_in_without_the_forms_token_is_refused(door: Portal) -> None:
    assert door.client.post("/login", data={"name": "li", "password": "correct horse battery"}).status_code == 403


def test_an_unknown_name_is_answered_like_a_wrong_password(door: Portal) -> None:
    wrong, unknown = door.sign_in("li", "wrong password!"), door.sign_in("nobody", "wrong password!")
    assert wrong.status_code == unknown.status_code == 401
    first, second = (re.sub('value="[^"]*"', "", one.text) for one in (wrong, unknown))
    assert first == second


def test_lockout_grows_and_ends_with_the_right_password(door: Portal) -> None:
    for _ in range(3):
        assert door.sign_in("li", "wrong password!").status_code == 401
    locked = door.sign_in("li")
    assert locked.status_code == 429, "even the right one"
    assert 0 < int(locked.headers["retry-after"]) <= 30
    assert door.sign_in("audit").status_code == 303, "others are not concerned"
    (wait,) = (key for key in door.store.keys("limit:account:*:wait"))
    door.store.delete(wait)
    assert door.sign_in("li", "wrong password!").status_code == 401
    assert 30 < int(door.sign_in("li").headers["retry-after"]) <= 60, "twice as long"
    door.store.delete(wait)
    assert door.sign_in("li").status_code == 303
    assert door.sign_in("li", "wrong password!").status_code == 401, "counted from the beginning"


def test_of_many_tries_at_once_few_get_through(settings: Settings) -> None:
    async def run() -> None:
        client = redis.asyncio.Redis.from_url(settings.redis, protocol=3)
        limits = Limits(client, settings)
        waits = await asyncio.gather(*(limits.try_sign_in("li", f"10.0.0.{n}") for n in range(60)))
        assert waits.count(0) <= settings.lockout_failures
        spread = await asyncio.gather(*(limits.try_sign_in(f"a{n}", "10.1.1.1") for n in range(100)))
        assert spread.count(0) <= settings.lockout_failures * 10, "many accounts from one address"
        await client.aclose()

    asyncio.run(run())


def test_enumeration_of_persons_is_stopped_and_written_down(door: Portal, caplog: pytest.LogCaptureFixture) -> None:
    door.sign_in("li")
    officer = Visitor(role=Role.OFFICER, department="gd.fin")
    persons = [f"person:k1.{number:032x}" for number in range(6)]
    known = [door.door.portal_keys.known_as(one, officer) for one in persons]
    answers = [door.client.get(f"/subjects/{one}") for one in known]
    assert [one.status_code for one in answers] == [200] * 4 + [429] * 2
    assert answers[0].json() == {"subject": persons[0]}
    assert door.client.get(f"/subjects/{known[0]}").status_code == 200, "one whom he knows already is not another"
    assert [one["subject"] for one in door.log()] == [*persons, persons[0]]
    assert "too many requests" in caplog.text
    assert persons[5] not in caplog.text


def test_a_pseudonym_of_another_department_names_nobody(door: Portal) -> None:
    tax = door.door.portal_keys.known_as(PERSON, Visitor(role=Role.OFFICER, department="gd.tax"))
    door.sign_in("li")
    assert door.client.get(f"/subjects/{tax}").json() == {"subject": tax}, "not read back"
    door.client.cookies.clear()
    assert door.client.get(f"/subjects/{PERSON}").status_code == 401
    door.sign_in("ops")
    assert door.client.get(f"/subjects/{PERSON}").status_code == 403


@pytest.mark.parametrize("role", [Role.OFFICER, Role.AUDITOR])
def test_the_bus_own_pseudonym_names_nobody_at_the_door(door: Portal, role: Role) -> None:
    door.sign_in(PEOPLE[role][0])
    for path in (f"/subjects/{PERSON}", f"/acts/search?subject={PERSON}", f"/v1/acts/picture?subject={PERSON}"):
        refused = door.client.get(path)
        assert (refused.status_code, "unknown_subject" in refused.text, PERSON in refused.text) == (404, True, False)
    assert not [one for one in door.log() if one["subject"] == PERSON], "nobody was asked about"


def test_a_program_without_a_key_is_told_so(door: Portal) -> None:
    for headers in ({}, HTML, {"hx-request": "true"}, {"content-type": "application/json"}):
        refused = door.client.post("/v1/acts/check", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_required")
        assert refused.headers["www-authenticate"] == "Bearer"
    assert door.client.get("/v1/acts/check", headers=HTML, follow_redirects=False).status_code == 401
    door.sign_in("li")
    forged = door.client.post("/v1/acts/check")
    assert (forged.status_code, forged.json()["code"]) == (403, "forged_form"), (
        "a browser's cookie still needs the token"
    )


def test_what_nobody_expected_is_answered_with_every_header(door: Portal) -> None:
    door.csrf()
    usual = set(door.client.get("/acts/read_disclosure").headers)
    for path in ("/broken", "/v1/broken"):
        page = door.client.get(path)
        assert page.status_code == 500
        assert usual <= set(page.headers)
        assert "secret detail" not in page.text
        assert "internal" in page.text
    assert "内部错误" in door.client.get("/broken").text


def test_searches_have_a_limit(settings: Settings) -> None:
    with portal(settings.model_copy(update={"searches_per_minute": 3})) as door:
        statuses = [door.client.get("/acts/search").status_code for _ in range(8)]
        assert statuses[:3] == [200] * 3
        assert 429 in statuses, "within a minute, or at the turn of one the next three"


def test_what_cannot_be_written_down_is_not_answered(door: Portal) -> None:
    door.sign_in("audit")
    assert door.client.get("/acts/read_inbox").status_code == 200
    door.store.set("access-log", "no stream")
    door.store.delete("access-log")
    door.store.lpush("access-log", "a list, so that XADD fails")
    refused = door.client.get("/acts/read_inbox")
    assert refused.status_code in (500, 503)
    assert "role" not in refused.text or "auditor" not in refused.text
    assert door.client.get("/acts/read_disclosure").status_code == 200, "what is public goes on"


def test_without_redis_nobody_is_admitted_to_what_is_not_public(settings: Settings) -> None:
    with portal(settings, redis_url="redis://127.0.0.1:1/0") as door:
        assert door.client.get("/acts/read_disclosure").status_code == 200
        door.come_with("some-session")
        assert door.client.get("/acts/read_inbox").status_code == 503
        bearer = {"authorization": "Bearer cbk_" + "A" * 43}
        assert door.client.get("/v1/acts/check", headers=bearer).status_code == 503


def test_api_keys_are_officers_of_their_department(door: Portal) -> None:
    keys = RedisKeys(door.store)
    secret, key = issue(keys, "gd.fin", "采购系统", datetime.now(UTC))
    bearer = {"authorization": f"Bearer {secret}"}
    assert door.client.get("/v1/acts/check", headers=bearer).json() == {
        "role": "officer", "department": "gd.fin", "account": key.id
    }  # fmt: skip
    assert door.client.post("/objections", data={"text": "x"}, headers=bearer).status_code == 200, (
        "no cookie, no forgery"
    )
    assert door.client.get("/v1/acts/operate", headers=bearer).status_code == 403
    for wrong in ("Bearer cbk_wrong", "Basic eDp5", "Bearer ", "Bearer eyJhbGciOiJub25lIn0.e30."):
        refused = door.client.get("/v1/acts/check", headers={"authorization": wrong})
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    revoke(keys, key.id, datetime.now(UTC))
    wait_until(
        lambda: door.client.get("/v1/acts/check", headers=bearer).status_code == 401,
        "the key is forgotten",
        within_seconds=5,
    )


def test_headers_and_cookies(settings: Settings) -> None:
    with portal(settings.model_copy(update={"portal_plain_http": False}), "https://localhost") as door:
        page = door.client.get("/login")
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["strict-transport-security"]
        assert "style=" not in page.text
        assert "onclick" not in page.text
        cookie = door.sign_in("li").headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        request_id = door.client.get("/acts/read_inbox").headers["x-request-id"]
        assert door.log()[-1]["request_id"] == request_id
