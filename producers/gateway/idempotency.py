"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a request that is repeated under its key gets its answer again.

The key is claimed in Redis before anything is published and holds the answer afterwards. If the process dies in between, the
claim runs out and a repeat publishes again, which is harmless: records are upserts by document and revision.
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import redis
from redis.exceptions import RedisError

from exchange.errors import RequestError, RetryLaterError
from exchange.http.problems import RefusedError

LEASE_SECONDS = 120.0
"""A claim without an answer is good for so long: longer than any request takes."""
_KEY = re.compile(r'"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]{1,255})')
_SETTLE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request was answered: HTTP status, and the body as it was sent."""

    status: int
    content: bytes


class _Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What Redis has under a key: whose request it is, and its answer once there is one."""

    fingerprint: str
    token: str
    answer: Answer | None = None


class Claim(NamedTuple):
    """A key that this request has to itself: its name in Redis, and what is there."""

    name: str
    kept: _Kept


class IdempotencyKeys:
    """The keys of all departments.

    Args:
        client: of Redis.
        keep_seconds: an answer is kept for so long.
        lease_seconds: see `LEASE_SECONDS`.
    """

    def __init__(self, client: "redis.Redis", *, keep_seconds: float, lease_seconds: float = LEASE_SECONDS) -> None:
        self._client = client
        self._keep_ms = int(keep_seconds * 1000)
        self._lease_ms = int(lease_seconds * 1000)
        self._settle = client.register_script(_SETTLE)

    def claim(self, department: str, key: str, fingerprint: str) -> Claim | Answer:
        """Claim a key for a request, or find the answer that it had.

        Args:
            department: whose key it is.
            key: as `parse_key` gives it.
            fingerprint: of the request's body.

        Raises:
            RefusedError: 422 `key_reused`, 409 `in_flight`.
            RetryLaterError: Redis is away.
        """
        name = f"idempotency:{department}:{hashlib.sha256(key.encode()).hexdigest()}"
        mine = _Kept(fingerprint=fingerprint, token=secrets.token_hex(8))
        raw = _ask(lambda: self._client.set(name, _pack(mine), nx=True, get=True, px=self._lease_ms))
        if raw is None:
            return Claim(name, mine)
        found = msgspec.msgpack.decode(raw, type=_Kept)
        if found.fingerprint != fingerprint:
            raise RefusedError(
                422, "幂等键已用于另一请求 the idempotency key was used for another body", code="key_reused",
                remedy="a new request has a new key",
            )  # fmt: skip
        if found.answer is None:
            raise RefusedError(
                409, "同一请求正在处理 the same request is under way", code="in_flight",
                remedy="ask again after Retry-After", headers={"Retry-After": "2"},
            )  # fmt: skip
        return msgspec.structs.replace(found.answer, content=zlib.decompress(found.answer.content))

    def settle(self, claim: Claim, answer: Answer | None) -> None:
        """Keep the answer of a claim, or forget the claim (None) so that the request may be made again.

        Nothing happens to a claim that has run out and is another's by now.

        Raises:
            RetryLaterError: Redis is away.
        """
        value = b""
        if answer is not None:
            packed = msgspec.structs.replace(answer, content=zlib.compress(answer.content, 1))
            value = _pack(msgspec.structs.replace(claim.kept, answer=packed))
        _ask(lambda: self._settle(keys=[claim.name], args=[_pack(claim.kept), value, self._keep_ms]))


def parse_key(header: str) -> str:
    """The key of the header: a string of structured fields (RFC 8941), or the same without its quotes.

    Raises:
        RequestError: `bad_idempotency_key`.

    >>> parse_key('"8e03978e-40d5"'), parse_key("8e03978e-40d5")
    ('8e03978e-40d5', '8e03978e-40d5')
    """
    found = _KEY.fullmatch(header.strip())
    if found is None:
        raise RequestError(
            "幂等键格式错误 Idempotency-Key is 1 to 255 printable characters in quotes",
            code="bad_idempotency_key", remedy='send one such as "8e03978e-40d5-43dd-bc93-6894a57f9324"',
        )  # fmt: skip
    return found[1] or found[2]


def _pack(kept: _Kept) -> bytes:
    return msgspec.msgpack.encode(kept)


def _ask(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except RedisError as error:
        raise RetryLaterError(
            f"idempotency keys cannot be read: {error}", code="redis_unavailable", remedy="see that Redis runs and try again"
        ) from error  # fmt: skip
