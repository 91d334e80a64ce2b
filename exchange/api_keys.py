"""API keys: what a department without a Kafka client of its own shows at the bus's HTTP doors. One key, one department.

Only the SHA-256 of a key is kept. A key has 256 random bits, so that a plain hash is as good as a slow one.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec
import redis
from redis.exceptions import RedisError

from exchange.errors import RequestError, RetryLaterError

PREFIX = "cbk_"
"""Keys begin so, which lets scanners find one that has leaked."""
_SECRET_BYTES = 32
_ID_DIGITS = 12
API_KEYS = "api-keys"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key.

    Attributes:
        id: the first digits of its hash; people name it by them.
        digest: SHA-256 of the whole key, in hex.
        department: slug of the one department it speaks for.
        name: what people call it, such as the system that uses it.
        issued_at: when it was made.
        revoked_at: since when it is worth nothing; None while it is good.
    """

    id: str
    digest: str
    department: str
    name: str = ""
    issued_at: datetime
    revoked_at: datetime | None = None


class KeyStore(Protocol):
    """Where keys are kept."""

    def put(self, key: ApiKey) -> None:
        """Keep a key, in place of what had its id."""

    def get(self, key_id: str) -> ApiKey | None:
        """The key of an id."""

    def all(self) -> list[ApiKey]:
        """Every key, the revoked ones too."""


class MemoryKeys:
    """Keys in memory, for tests."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def put(self, key: ApiKey) -> None:
        """See `KeyStore`."""
        self._keys[key.id] = key

    def get(self, key_id: str) -> ApiKey | None:
        """See `KeyStore`."""
        return self._keys.get(key_id)

    def all(self) -> list[ApiKey]:
        """See `KeyStore`."""
        return list(self._keys.values())


class RedisKeys:
    """Keys in Redis, in one hash beside the standings.

    Args:
        client: of the bus's Redis.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def put(self, key: ApiKey) -> None:
        """See `KeyStore`; raises `RetryLaterError` when Redis is away."""
        _ask(lambda: self._client.hset(API_KEYS, key.id, msgspec.json.encode(key)))

    def get(self, key_id: str) -> ApiKey | None:
        """See `KeyStore`; raises `RetryLaterError` when Redis is away."""
        raw = _ask(lambda: self._client.hget(API_KEYS, key_id))
        return msgspec.json.decode(raw, type=ApiKey) if raw else None

    def all(self) -> list[ApiKey]:
        """See `KeyStore`; raises `RetryLaterError` when Redis is away."""
        return [msgspec.json.decode(raw, type=ApiKey) for raw in _ask(lambda: self._client.hvals(API_KEYS))]


def issue(store: KeyStore, department: str, name: str, now: datetime) -> tuple[str, ApiKey]:
    """Make a key.

    Returns:
        The key itself, which is nowhere else from now on, and what is kept of it.
    """
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    digest = _digest(secret)
    key = ApiKey(id=digest[:_ID_DIGITS], digest=digest, department=department, name=name, issued_at=now)
    store.put(key)
    return secret, key


def recognise(store: KeyStore, secret: str) -> ApiKey | None:
    """What is kept of a key that somebody shows; None when it is none of ours or revoked.

    Raises:
        RetryLaterError: the store is away.
    """
    if not secret.startswith(PREFIX):
        return None
    digest = _digest(secret)
    key = store.get(digest[:_ID_DIGITS])
    if key is None or key.revoked_at is not None or not hmac.compare_digest(key.digest, digest):
        return None
    return key


def keys_of(store: KeyStore, department: str = "") -> list[ApiKey]:
    """The keys of a department, or of all, by department and time of issue."""
    found = [key for key in store.all() if department in ("", key.department)]
    return sorted(found, key=lambda key: (key.department, key.issued_at))


def revoke(store: KeyStore, key_id: str, now: datetime, *, department: str = "") -> ApiKey:
    """End a key, at once; its trace is kept. Revoking again changes nothing.

    Args:
        store: where it is kept.
        key_id: the first digits of its hash.
        now: when it ends.
        department: whose key it must be; "" for whosever.

    Raises:
        RequestError: `unknown_key`.
    """
    key = store.get(key_id)
    if key is None or department not in ("", key.department):
        raise RequestError(f"no key {key_id!r}", code="unknown_key", remedy="see `creditbus keys list`")
    if key.revoked_at is None:
        key = msgspec.structs.replace(key, revoked_at=now)
        store.put(key)
    return key


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _ask(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except RedisError as error:
        raise RetryLaterError(
            f"the API keys cannot be read: {error}",
            code="redis_unavailable",
            remedy="see that Redis runs and try again",
        ) from error
