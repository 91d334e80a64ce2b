"""Accounts of people who sign in with a password, where there is no identity provider. Passwords are kept as Argon2id hashes.

Whether somebody who is not known or a wrong password is at fault cannot be told from the answer, nor from the time it takes.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec
import redis
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from redis.exceptions import RedisError

from exchange.domain.access import Role, Visitor
from exchange.errors import Reason, RejectedError, RequestError
from exchange.redis_errors import translate_redis

ACCOUNTS = "accounts"
SIGNED_IN = "accounts:signed-in"
_NAME = r"[a-z0-9][a-z0-9._-]{1,39}"
_SHORTEST, _LONGEST, _DIFFERENT = 12, 128, 5
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Osb4YdUw+r61UxlQETm+0Q$LbdIYrUxK4vRyZ+yBTrU7euKYY5EHEynt+MDSLmSM6M"
"""A hash to compare with where there is no account, so that this takes as long; its password was thrown away."""
_hasher = PasswordHasher()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an account.

    Attributes:
        name: what he signs in with.
        password: Argon2id hash with its parameters.
        role: what he is to the bus.
        department: slug; of officers alone.
        made_at: when it was made.
        disabled_at: since when nobody signs in with it; None while it is good.
        changed_at: when password, role or state were last set; sessions from before are worth nothing.
    """

    name: str
    password: str
    role: Role
    department: str = ""
    made_at: datetime
    changed_at: datetime
    disabled_at: datetime | None = None

    @property
    def visitor(self) -> Visitor:
        """Who signs in with it."""
        return Visitor(role=self.role, department=self.department, account=self.name)


class AccountStore(Protocol):
    """Where accounts are kept."""

    def put(self, account: Account) -> None:
        """Keep an account, in place of what had its name."""

    def get(self, name: str) -> Account | None:
        """The account of a name."""

    def all(self) -> list[Account]:
        """Every account, the disabled ones too."""

    def note_sign_in(self, name: str, now: datetime) -> None:
        """Keep when somebody last signed in with it; apart from the account, which somebody may be changing."""

    def sign_ins(self) -> dict[str, datetime]:
        """When each account was last signed in with; those that never were are not in it."""


class MemoryAccounts:
    """Accounts in memory, for tests."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sign_ins: dict[str, datetime] = {}

    def put(self, account: Account) -> None:
        """See `AccountStore`."""
        self._accounts[account.name] = account

    def get(self, name: str) -> Account | None:
        """See `AccountStore`."""
        return self._accounts.get(name)

    def all(self) -> list[Account]:
        """See `AccountStore`."""
        return list(self._accounts.values())

    def note_sign_in(self, name: str, now: datetime) -> None:
        """See `AccountStore`."""
        self._sign_ins[name] = now

    def sign_ins(self) -> dict[str, datetime]:
        """See `AccountStore`."""
        return dict(self._sign_ins)


class RedisAccounts:
    """Accounts in Redis, in one hash beside the standings.

    Args:
        client: of the bus's Redis.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def put(self, account: Account) -> None:
        """See `AccountStore`; raises `RetryLaterError` when Redis is away."""
        _ask(lambda: self._client.hset(ACCOUNTS, account.name, msgspec.json.encode(account)))

    def get(self, name: str) -> Account | None:
        """See `AccountStore`; raises `RetryLaterError` when Redis is away."""
        raw = _ask(lambda: self._client.hget(ACCOUNTS, name))
        return msgspec.json.decode(raw, type=Account) if raw else None

    def all(self) -> list[Account]:
        """See `AccountStore`; raises `RetryLaterError` when Redis is away."""
        return [msgspec.json.decode(raw, type=Account) for raw in _ask(lambda: self._client.hvals(ACCOUNTS))]

    def note_sign_in(self, name: str, now: datetime) -> None:
        """See `AccountStore`; raises `RetryLaterError` when Redis is away."""
        _ask(lambda: self._client.hset(SIGNED_IN, name, now.isoformat()))

    def sign_ins(self) -> dict[str, datetime]:
        """See `AccountStore`; raises `RetryLaterError` when Redis is away."""
        found = _ask(lambda: self._client.hgetall(SIGNED_IN))
        return {name.decode(): datetime.fromisoformat(at.decode()) for name, at in found.items()}


def add(store: AccountStore, name: str, password: str, role: Role, department: str, now: datetime) -> Account:
    """Make an account.

    Raises:
        RejectedError: with every reason: name, password, role or department do not do.
        RequestError: `account_exists`.
    """
    reasons = list(_faults_of_password(password, name))
    if not re.fullmatch(_NAME, name):
        reasons.append(Reason(code="account_name", field="name", value=name[:200], rule=f"matches {_NAME}"))
    reasons += _faults_of_scope(role, department)
    if reasons:
        raise RejectedError(tuple(reasons))
    if store.get(name) is not None:
        raise RequestError(f"account {name!r} exists", code="account_exists", remedy="see `creditbus accounts list`")
    account = Account(
        name=name, password=_hasher.hash(password), role=role, department=department, made_at=now, changed_at=now
    )
    store.put(account)
    return account


def disable(store: AccountStore, name: str, now: datetime) -> Account:
    """End an account; its trace is kept, its sessions end. Raises `RequestError`: `unknown_account`."""
    account = _known(store, name)
    if account.disabled_at is None:
        account = msgspec.structs.replace(account, disabled_at=now, changed_at=now)
        store.put(account)
    return account


def enable(store: AccountStore, name: str, now: datetime) -> Account:
    """Let an account that was disabled be used again. Raises `RequestError`: `unknown_account`."""
    account = _known(store, name)
    if account.disabled_at is not None:
        account = msgspec.structs.replace(account, disabled_at=None, changed_at=now)
        store.put(account)
    return account


def set_role(store: AccountStore, name: str, role: Role, department: str, now: datetime) -> Account:
    """Give an account another role or department; its sessions end.

    Raises:
        RejectedError: role or department do not do.
        RequestError: `unknown_account`.
    """
    account = _known(store, name)
    if reasons := tuple(_faults_of_scope(role, department)):
        raise RejectedError(reasons)
    account = msgspec.structs.replace(account, role=role, department=department, changed_at=now)
    store.put(account)
    return account


def set_password(store: AccountStore, name: str, password: str, now: datetime) -> Account:
    """Give an account another password; its sessions end.

    Raises:
        RejectedError: the password does not do.
        RequestError: `unknown_account`.
    """
    account = _known(store, name)
    if reasons := tuple(_faults_of_password(password, name)):
        raise RejectedError(reasons)
    account = msgspec.structs.replace(account, password=_hasher.hash(password), changed_at=now)
    store.put(account)
    return account


def sign_in(store: AccountStore, name: str, password: str) -> Account | None:
    """The account of a name and its password; None for an unknown name, a wrong password or a disabled account alike.

    Takes as long as one Argon2id hash whatever the answer, some 50 ms of one core: call it in a thread, behind the lockout.
    """
    account = store.get(name)
    try:
        _hasher.verify(account.password if account else _NOBODY, password[: _LONGEST + 1])
    except (VerifyMismatchError, InvalidHashError):
        return None
    if account is None or account.disabled_at is not None:
        return None
    return account


def _known(store: AccountStore, name: str) -> Account:
    account = store.get(name)
    if account is None:
        raise RequestError(f"no account {name!r}", code="unknown_account", remedy="see `creditbus accounts list`")
    return account


def _faults_of_scope(role: Role, department: str) -> list[Reason]:
    """What is wrong with a role and a department together."""
    reasons = []
    if role is Role.PUBLIC:
        rule = "公众没有账号 the public has no accounts"
        reasons.append(Reason(code="account_role", field="role", value=role, rule=rule))
    if (role is Role.OFFICER) != bool(department):
        rule = "经办人须有部门，其他角色没有 an officer has a department, and nobody else"
        reasons.append(Reason(code="account_department", field="department", value=department, rule=rule))
    return reasons


def _faults_of_password(password: str, name: str) -> list[Reason]:
    """What is wrong with a password (NIST SP 800-63B: length counts, not kinds of characters); it is not repeated."""
    if not _SHORTEST <= len(password) <= _LONGEST:
        return [Reason(code="password_length", field="password", rule=f"has {_SHORTEST} to {_LONGEST} characters")]
    if len(set(password)) < _DIFFERENT or (name and name in password.lower()):
        return [
            Reason(
                code="password_guessable",
                field="password",
                rule=f"has {_DIFFERENT} different characters and not the name in it",
            )
        ]
    return []


def _ask(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except RedisError as error:
        raise translate_redis(error) from error
