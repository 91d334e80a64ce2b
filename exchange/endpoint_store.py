"""Where endpoints live: one Redis hash, `webhooks`, department to endpoint; changes are compare-and-set."""

from collections.abc import Callable
from typing import Any

import msgspec
import redis
from redis.exceptions import RedisError

from exchange.endpoints import Endpoint
from exchange.errors import RequestError, RetryLaterError
from exchange.redis_errors import translate_redis

ENDPOINTS = "webhooks"
FAILING = "webhooks:failing"
"""Hash: department to the time since when nothing but failures came of it."""
TRIES = 20
_SWAP = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Endpoint).decode


class EndpointStore:
    """The endpoints of a bus.

    Args:
        client: of Redis, answering bytes.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def all(self) -> dict[str, Endpoint]:
        """Every endpoint by its department."""
        found: dict[bytes, bytes] = self._do("HGETALL", ENDPOINTS)
        return {name.decode(): _decode(raw) for name, raw in found.items()}

    def find(self, department: str) -> Endpoint | None:
        """The endpoint of a department, if it has one."""
        raw = self._do("HGET", ENDPOINTS, department)
        return _decode(raw) if raw is not None else None

    def change(self, department: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Change an endpoint as a function says; nobody else's change is lost.

        Raises:
            RequestError: `unknown_endpoint`.
            RetryLaterError: Redis is away, or too many change it at once.
        """
        for _ in range(TRIES):
            raw = self._do("HGET", ENDPOINTS, department)
            if raw is None:
                raise RequestError(
                    f"{department} has no endpoint", code="unknown_endpoint", remedy="add one: creditbus endpoints add"
                )
            changed = change(_decode(raw))
            new = _encode(changed)
            if new == raw or self._do("EVAL", _SWAP, 1, ENDPOINTS, department, raw, new):
                return changed
        raise RetryLaterError(f"the endpoint of {department} changes all the time", remedy="try again")

    def add(self, endpoint: Endpoint) -> bool:
        """Keep a new endpoint; False when the department has one already."""
        return bool(self._do("EVAL", _SWAP, 1, ENDPOINTS, endpoint.department, "", _encode(endpoint)))

    def remove(self, department: str) -> bool:
        """Forget an endpoint; what waits for it stays, for a later one. False if there was none."""
        return bool(self._do("HDEL", ENDPOINTS, department))

    def failing(self, department: str, at: int) -> int:
        """A delivery failed: since when nothing but failures came of this endpoint, milliseconds."""
        self._do("HSETNX", FAILING, department, at)
        return int(self._do("HGET", FAILING, department) or at)

    def succeeded(self, department: str) -> None:
        """A delivery succeeded, or an operator resumed it."""
        self._do("HDEL", FAILING, department)

    def _do(self, *command: object) -> Any:
        try:
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it untyped
        except RedisError as error:
            raise translate_redis(error) from error
