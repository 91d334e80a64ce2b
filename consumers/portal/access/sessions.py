"""Sessions of people who have signed in: kept in Redis, known to the browser by a random id alone, ended by idleness, age or sign-out.

Redis has the SHA-256 of the id, so that who reads Redis cannot take a session over.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from exchange.clock import now_ms
from exchange.domain.access import Role, Visitor
from exchange.redis_errors import translate_redis
from exchange.settings import Settings


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has signed in.

    Attributes:
        csrf: what every form of his must bring.
        began_at: milliseconds since 1970-01-01 UTC.
        local: whether it is a local account, whose state is looked at in each request.
    """

    account: str
    role: Role
    department: str
    csrf: str
    began_at: int
    local: bool

    @property
    def visitor(self) -> Visitor:
        """Who he is."""
        return Visitor(role=self.role, department=self.department, account=self.account)


class Sessions:
    """The sessions of the portal.

    Args:
        client: of Redis, answering bytes.
        settings: how long they last.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, client: "redis.asyncio.Redis", settings: Settings, now: Callable[[], int] = now_ms) -> None:
        self._client = client
        self._idle_seconds = max(1, round(settings.session_idle_minutes * 60))
        self._longest_ms = round(settings.session_hours * 3_600_000)
        self._now = now

    async def begin(self, visitor: Visitor, *, local: bool) -> tuple[str, Session]:
        """A new session and its id; the one that the browser had is to be ended.

        Raises:
            RetryLaterError: Redis is away.
        """
        secret = secrets.token_urlsafe(32)
        session = Session(
            account=visitor.account, role=visitor.role, department=visitor.department, csrf=secrets.token_urlsafe(32),
            began_at=self._now(), local=local,
        )  # fmt: skip
        try:
            await self._client.set(_key(secret), msgspec.msgpack.encode(session), ex=self._idle_seconds)
        except RedisError as error:
            raise translate_redis(error) from error
        return secret, session

    async def of(self, secret: str, *, prolong: bool = True) -> Session | None:
        """The session of an id, which lives on by being asked for, unless told otherwise; None when there is none any more.

        Raises:
            RetryLaterError: Redis is away.
        """
        try:
            raw: Any = await self._client.getex(_key(secret), ex=self._idle_seconds if prolong else None)
        except RedisError as error:
            raise translate_redis(error) from error
        if raw is None:
            return None
        session = msgspec.msgpack.decode(raw, type=Session)
        if self._now() - session.began_at >= self._longest_ms:
            await self.end(secret)
            return None
        return session

    async def end(self, secret: str) -> None:
        """End a session; one that is none changes nothing.

        Raises:
            RetryLaterError: Redis is away.
        """
        try:
            await self._client.delete(_key(secret))
        except RedisError as error:
            raise translate_redis(error) from error


def _key(secret: str) -> str:
    return f"session:{hashlib.sha256(secret.encode()).hexdigest()}"
