"""Limits: how often one may sign in wrongly, search, and look different persons up; counted in Redis for all portals together."""

import hashlib
from collections.abc import Callable, Sequence

import redis.asyncio

from exchange.clock import now_ms
from exchange.redis_errors import REDIS_ERRORS, translate_redis
from exchange.settings import Settings

_ADDRESS_FACTOR = 10
"""An address is an office of many people: it may fail so many times as often as an account."""
_LONGEST_WAIT_SECONDS = 3600
_DAY_SECONDS = 86_400
_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000


class Limits:
    """What is counted.

    Args:
        client: of Redis.
        settings: how much is too much.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, client: "redis.asyncio.Redis", settings: Settings, now: Callable[[], int] = now_ms) -> None:
        self._client = client
        self._settings = settings
        self._now = now

    async def try_sign_in(self, account: str, address: str) -> int:
        """Ask to try a password; counts as failed until `forget` is told.

        From the given number of failures on, one try is let through and the next must wait, each time twice as long: of many that come
        at once one gets through.

        Returns:
            0, or the seconds to wait.

        Raises:
            RetryLaterError: Redis is away.
        """
        factors = {_key("account", account): 1, _key("address", address): _ADDRESS_FACTOR}
        try:
            for key, factor in factors.items():
                wait = await self._count_failure(key, self._settings.lockout_failures * factor)
                if wait:
                    return wait
        except REDIS_ERRORS as error:
            raise translate_redis(error) from error
        return 0

    async def forget(self, account: str) -> None:
        """Forget the failures of an account, because it signed in or was unlocked; those of the address stay, or one account of his would open all others to a guesser.

        Raises:
            RetryLaterError: Redis is away.
        """
        key = _key("account", account)
        try:
            await self._client.delete(f"{key}:failures", f"{key}:wait")
        except REDIS_ERRORS as error:
            raise translate_redis(error) from error

    async def waits(self, account: str) -> int:
        """Seconds for which an account must wait after failures; 0 when it need not.

        Raises:
            RetryLaterError: Redis is away.
        """
        try:
            return max(0, int(await self._client.ttl(f"{_key('account', account)}:wait")))
        except REDIS_ERRORS as error:
            raise translate_redis(error) from error

    async def search(self, who: str) -> bool:
        """Count a search of an account or address; whether it is one too many in this minute.

        Raises:
            RetryLaterError: Redis is away.
        """
        return await self._count("search", who, self._settings.searches_per_minute, _MINUTE_MS)

    async def filing(self, who: str) -> bool:
        """Count a complaint or objection of an account or address; whether it is one too many in this hour.

        Raises:
            RetryLaterError: Redis is away.
        """
        return await self._count("filing", who, self._settings.filings_per_hour, _HOUR_MS)

    async def persons(self, account: str, persons: Sequence[str]) -> bool:
        """Count persons looked up by an account; whether they are too many in this hour. Those of before are not others.

        Too many are not counted at all, so that a smaller question may still be asked.

        Raises:
            RetryLaterError: Redis is away.
        """
        key = f"{_key('persons', account)}:{self._now() // _HOUR_MS}"
        asked = list(dict.fromkeys(persons))
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.smismember(key, asked)
                pipe.sadd(key, *asked)
                pipe.scard(key)
                pipe.expire(key, 7200)
                known, _, count, _ = await pipe.execute()
            fresh = [one for one, is_known in zip(asked, known, strict=True) if not is_known]
            if fresh and count > self._settings.person_lookups_per_hour:
                await self._client.srem(key, *fresh)
                return True
        except REDIS_ERRORS as error:
            raise translate_redis(error) from error
        return False

    async def _count(self, kind: str, who: str, most: int, window_ms: int) -> bool:
        """Count one more within a window of time; whether it is beyond the most that is allowed."""
        key = f"{_key(kind, who)}:{self._now() // window_ms}"
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.incr(key)
                pipe.pexpire(key, 2 * window_ms)
                count, _ = await pipe.execute()
        except REDIS_ERRORS as error:
            raise translate_redis(error) from error
        return bool(count > most)

    async def _count_failure(self, key: str, allowed: int) -> int:
        left = await self._client.ttl(f"{key}:wait")
        if left > 0:
            return int(left)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.incr(f"{key}:failures")
            pipe.expire(f"{key}:failures", _DAY_SECONDS)
            failures, _ = await pipe.execute()
        if failures < allowed:
            return 0
        wait: int = min(_LONGEST_WAIT_SECONDS, round(self._settings.lockout_seconds * 2 ** min(failures - allowed, 20)))
        if await self._client.set(f"{key}:wait", b"", nx=True, ex=max(1, wait)):
            return 0
        return wait


def _key(kind: str, who: str) -> str:
    """A key that tells nobody who reads Redis which person, account or address it counts."""
    return f"limit:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
