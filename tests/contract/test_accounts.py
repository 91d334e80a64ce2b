"""One suite for accounts in Redis and for their in-memory twin, and the command that keeps them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from exchange import accounts
from exchange.accounts import (
    AccountStore,
    MemoryAccounts,
    RedisAccounts,
    add,
    disable,
    enable,
    set_password,
    set_role,
    sign_in,
)
from exchange.domain.access import Role, Visitor
from exchange.errors import RejectedError, RequestError, RetryLaterError
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.conftest import environment_of

NOW = datetime(2026, 5, 20, 2, tzinfo=UTC)
LATER = datetime(2026, 5, 21, 2, tzinfo=UTC)
GOOD = "correct horse battery"


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest) -> Iterator[AccountStore]:
    if request.param == "memory":
        yield MemoryAccounts()
    else:
        client = connect(request.getfixturevalue("bus_settings").redis)
        yield RedisAccounts(client)
        client.close()


def test_an_account_is_signed_in_with_its_password_alone(store: AccountStore) -> None:
    made = add(store, "li", GOOD, Role.OFFICER, "gd.fin", NOW)
    assert made.password.startswith("$argon2id$")
    assert GOOD not in repr(store.all())
    assert sign_in(store, "li", GOOD) == made
    assert made.visitor == Visitor(role=Role.OFFICER, department="gd.fin", account="li")
    assert sign_in(store, "li", GOOD + "x") is None
    assert sign_in(store, "wang", GOOD) is None
    assert sign_in(store, "", "") is None
    with pytest.raises(RequestError, match="exists"):
        add(store, "li", GOOD, Role.AUDITOR, "", NOW)


def test_another_role_and_back_from_disabled(store: AccountStore) -> None:
    add(store, "li", GOOD, Role.OFFICER, "gd.fin", NOW)
    changed = set_role(store, "li", Role.AUDITOR, "", LATER)
    assert (changed.visitor, changed.changed_at) == (Visitor(role=Role.AUDITOR, account="li"), LATER)
    for role, department in ((Role.OFFICER, ""), (Role.AUDITOR, "gd.fin"), (Role.PUBLIC, "")):
        with pytest.raises(RejectedError):
            set_role(store, "li", role, department, LATER)
    disable(store, "li", LATER)
    assert enable(store, "li", LATER).disabled_at is None
    assert sign_in(store, "li", GOOD)
    with pytest.raises(RequestError, match="no account"):
        enable(store, "wang", NOW)
    with pytest.raises(RequestError, match="no account"):
        set_role(store, "wang", Role.AUDITOR, "", NOW)


def test_the_last_sign_in_is_kept_beside_the_account(store: AccountStore) -> None:
    made = add(store, "li", GOOD, Role.AUDITOR, "", NOW)
    assert store.sign_ins() == {}
    store.note_sign_in("li", NOW)
    store.note_sign_in("li", LATER)
    assert store.sign_ins() == {"li": LATER}
    assert store.get("li") == made


def test_a_disabled_account_stays_listed_and_is_worth_nothing(store: AccountStore) -> None:
    add(store, "li", GOOD, Role.AUDITOR, "", NOW)
    ended = disable(store, "li", LATER)
    assert sign_in(store, "li", GOOD) is None
    assert store.all() == [ended] == [disable(store, "li", NOW)], "the first time counts"
    assert (ended.disabled_at, ended.changed_at) == (LATER, LATER)


def test_another_password(store: AccountStore) -> None:
    add(store, "li", GOOD, Role.AUDITOR, "", NOW)
    assert set_password(store, "li", "another long one", LATER).changed_at == LATER
    assert sign_in(store, "li", GOOD) is None
    assert sign_in(store, "li", "another long one")
    with pytest.raises(RequestError, match="no account 'wang'"):
        set_password(store, "wang", GOOD, NOW)


@pytest.mark.parametrize(
    ("name", "password", "role", "department", "code"),
    [
        ("li", "short", Role.AUDITOR, "", "password_length"),
        ("li", "x" * 129, Role.AUDITOR, "", "password_length"),
        ("li", "a" * 20, Role.AUDITOR, "", "password_guessable"),
        ("window", "My-Window-2026!", Role.AUDITOR, "", "password_guessable"),
        ("Li Lei", GOOD, Role.AUDITOR, "", "account_name"),
        ("li", GOOD, Role.PUBLIC, "", "account_role"),
        ("li", GOOD, Role.OFFICER, "", "account_department"),
        ("li", GOOD, Role.AUDITOR, "gd.fin", "account_department"),
    ],
)
def test_what_does_not_do_is_refused(name: str, password: str, role: Role, department: str, code: str) -> None:
    store = MemoryAccounts()
    with pytest.raises(RejectedError) as caught:
        add(store, name, password, role, department, NOW)
    assert [reason.code for reason in caught.value.reasons] == [code]
    assert password not in str(caught.value)
    assert store.all() == []


def test_somebody_unknown_costs_as_much_as_a_wrong_password() -> None:
    assert not PasswordHasher().check_needs_rehash(accounts._NOBODY)


def test_without_redis_nobody_signs_in() -> None:
    with pytest.raises(RetryLaterError):
        sign_in(RedisAccounts(connect("redis://127.0.0.1:1/0", timeout=0.2)), "li", GOOD)


@pytest.mark.servers
def test_the_command(bus_settings: Settings) -> None:
    def run(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy.cli", "accounts", *arguments]
        environment = environment_of(bus_settings)
        return subprocess.run(
            command, env=environment, input=given, capture_output=True, text=True, timeout=60, check=False
        )

    made = run("add", "li", "--role", "officer", "-d", "gd.fin", "--json", given=f"{GOOD}\n")
    assert json.loads(made.stdout)["department"] == "gd.fin", made.stderr
    assert run("add", "wang", "--role", "officer", "-d", "gd.nobody", given=f"{GOOD}\n").returncode == 1
    weak = run("password", "li", given="short\n")
    assert (weak.returncode, "password_length" in weak.stderr) == (1, True)
    assert run("disable", "li").stdout == "账号 li (officer gd.fin) 已停用 disabled\n"
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["disabled_at"]
