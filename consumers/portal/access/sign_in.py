"""Signing in under way: what the portal must know when the provider sends somebody back, for ten minutes and for one use."""

import hashlib
import secrets
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from exchange.redis_errors import translate_redis

MINUTES = 10


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that has been sent to the provider.

    Attributes:
        nonce: must be in the ID token.
        verifier: of PKCE.
        place: where he wanted to go.
    """

    nonce: str
    verifier: str
    place: str


class SignIns:
    """Sign-ins under way.

    Args:
        client: of Redis, answering bytes.
    """

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client

    async def begin(self, place: str) -> tuple[str, UnderWay]:
        """A new one and the state that leads back to it; the browser must keep the state too.

        Raises:
            RetryLaterError: Redis is away.
        """
        state = secrets.token_urlsafe(32)
        begun = UnderWay(nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48), place=place)
        try:
            await self._client.set(_key(state), msgspec.msgpack.encode(begun), ex=MINUTES * 60)
        except RedisError as error:
            raise translate_redis(error) from error
        return state, begun

    async def take(self, state: str) -> UnderWay | None:
        """The one of a state, once.

        Raises:
            RetryLaterError: Redis is away.
        """
        try:
            raw: Any = await self._client.getdel(_key(state))
        except RedisError as error:
            raise translate_redis(error) from error
        return msgspec.msgpack.decode(raw, type=UnderWay) if raw else None


def _key(state: str) -> str:
    return f"sign-in:{hashlib.sha256(state.encode()).hexdigest()}"


def local_place(text: str) -> str:
    """Where to go after signing in: a page of this portal, whatever the link says.

    >>> local_place("/checks?page=2"), local_place("https://example.org/"), local_place("//example.org")
    ('/checks?page=2', '/', '/')
    """
    safe = text.startswith("/") and not text.startswith("//") and text.isprintable() and "\\" not in text
    return text if safe else "/"
