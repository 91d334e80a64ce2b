"""Rate limits that several processes share: GCRA in Redis, one number for each name, timed by the server's clock."""

from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import redis
from redis.exceptions import RedisError

from exchange.errors import RetryLaterError

_SCRIPT = Path(__file__).with_name("rate_limit.lua")


class Allowance(NamedTuple):
    """What a name may still take.

    taken: whether there was room. remaining: units. wait_seconds: until there is room for as much again.
    """

    taken: bool
    remaining: int
    wait_seconds: float


class RateLimit:
    """So many units a second for each name, after a burst.

    Args:
        client: of Redis.
        scope: what is limited; names are its own.
        per_second: units.
        burst: units that may be taken at once after a rest.
    """

    def __init__(self, client: "redis.Redis", scope: str, *, per_second: float, burst: int) -> None:
        self._script = client.register_script(_SCRIPT.read_text("utf-8"))
        self._scope = scope
        self._unit_us = 1_000_000 / per_second
        self._burst = burst
        self.policy = f'"{scope}";q={burst};w={max(1, ceil(burst / per_second))}'
        """For the header RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""

    def take(self, name: str, cost: int = 1) -> Allowance:
        """Take units if there is room for them.

        Raises:
            RetryLaterError: Redis is away.
        """
        return self._run(name, cost, beyond="0")

    def charge(self, name: str, cost: int) -> Allowance:
        """Take units whose number is known only afterwards, beyond the burst too: whoever took them waits the longer.

        Raises:
            RetryLaterError: Redis is away.
        """
        return self._run(name, cost, beyond="1")

    def headers(self, allowance: Allowance) -> dict[str, str]:
        """What an answer says of the limit."""
        now = f'"{self._scope}";r={allowance.remaining};t={ceil(allowance.wait_seconds)}'
        return {"RateLimit-Policy": self.policy, "RateLimit": now}

    def _run(self, name: str, cost: int, *, beyond: str) -> Allowance:
        try:
            taken, remaining, wait_us = self._answer(name, cost, beyond)
        except RedisError as error:
            raise RetryLaterError(
                f"the rate limit cannot be read: {error}", code="redis_unavailable", remedy="see that Redis runs and try again"
            ) from error  # fmt: skip
        return Allowance(bool(taken), int(remaining), wait_us / 1e6)

    def _answer(self, name: str, cost: int, beyond: str) -> Any:
        return self._script(keys=[f"rate:{self._scope}:{name}"], args=[self._unit_us, self._burst, cost, beyond])
