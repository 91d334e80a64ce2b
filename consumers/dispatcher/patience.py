"""Waiting for servers that are away: the same call again, after longer and longer pauses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from exchange.errors import RetryLaterError

BACKOFF = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds before each new try; the last one is repeated."""
T = TypeVar("T")


async def patiently(do: Callable[[], Awaitable[T]], on_wait: Callable[[RetryLaterError], None]) -> T:
    """Do something as often as it takes until the servers are there.

    Args:
        do: the call.
        on_wait: told why it is done again.
    """
    tries = 0
    while True:
        try:
            return await do()
        except RetryLaterError as error:
            on_wait(error)
            await asyncio.sleep(BACKOFF[min(tries, len(BACKOFF) - 1)])
            tries += 1
