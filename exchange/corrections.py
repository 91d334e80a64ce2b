"""Which rejected records their department has sent again in the workspace, so that two officers do not mend the same one."""

from typing import Any

import msgspec
import redis
from redis.exceptions import RedisError

from exchange.redis_errors import translate_redis


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected record that was sent again: when (milliseconds since 1970-01-01 UTC), by which account, and what lies where now."""

    at: int
    account: str
    document: str
    revision: int
    partition: int
    offset: int


def corrections_of(department: str) -> str:
    """The hash of a department's corrections."""
    return f"corrections:{department}"


class Corrections:
    """Kept in Redis, one hash a department: `corrections:<department>`, `<partition>-<offset>` of the rejected record.

    Args:
        client: of Redis, answering bytes.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def note(self, department: str, partition: int, offset: int, correction: Correction) -> None:
        """Remember a correction; raises `RetryLaterError` when Redis is away."""
        self._do("HSET", corrections_of(department), f"{partition}-{offset}", msgspec.json.encode(correction))

    def find(self, department: str, places: list[tuple[int, int]]) -> dict[tuple[int, int], Correction]:
        """The corrections of some rejected records, by partition and offset; raises `RetryLaterError` when Redis is away."""
        if not places:
            return {}
        raws = self._do("HMGET", corrections_of(department), *(f"{partition}-{offset}" for partition, offset in places))
        found = zip(places, raws, strict=True)
        return {place: msgspec.json.decode(raw, type=Correction) for place, raw in found if raw is not None}

    def _do(self, *command: object) -> Any:
        try:
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it untyped
        except RedisError as error:
            raise translate_redis(error) from error
