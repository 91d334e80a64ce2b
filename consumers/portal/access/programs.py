"""Programs that show an API key or a bearer token: recognised once a second, whoever of them asks, and before anybody has to wait for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from exchange.domain.access import Visitor
from exchange.errors import RetryLaterError

KEPT_SECONDS = 1.0
"""A revoked key is worth nothing within so long (`creditbus keys revoke` says so)."""
_RENEWED_FROM = 0.5
"""From this age on it is looked up again, while it still serves."""
_MOST = 1000


class _Known(NamedTuple):
    at: float
    visitor: Visitor


class Programs:
    """Remembers for a moment whose key or token it is; of many requests with the same one, one looks it up.

    Args:
        recognise: whose it is, from the header `Authorization`; raises `RefusedError` or `RetryLaterError`.
        clock: seconds, monotonic.
    """

    def __init__(
        self, recognise: Callable[[str], Awaitable[Visitor]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._recognise = recognise
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._going: dict[str, asyncio.Task[Visitor]] = {}

    async def visitor(self, authorization: str) -> Visitor:
        """Whose it is.

        Raises:
            RefusedError: it is nobody's.
            RetryLaterError: the keys cannot be read.
        """
        known = self._known.get(authorization)
        age = self._clock() - known.at if known is not None else KEPT_SECONDS
        if known is None or age >= KEPT_SECONDS:
            return await asyncio.shield(self._look_up(authorization))  # others wait for it too
        if age >= _RENEWED_FROM:
            self._look_up(authorization)
        return known.visitor

    def _look_up(self, authorization: str) -> "asyncio.Task[Visitor]":
        """The look-up that is under way, or a new one."""
        task = self._going.get(authorization)
        if task is None:
            task = self._going[authorization] = asyncio.create_task(self._ask(authorization))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # heard, though nobody waits
        return task

    async def _ask(self, authorization: str) -> Visitor:
        began = self._clock()
        try:
            visitor = await self._recognise(authorization)
        except RetryLaterError:
            raise  # what is known serves its second
        except Exception:
            self._known.pop(authorization, None)
            raise
        else:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[authorization] = _Known(began, visitor)
            return visitor
        finally:
            with suppress(KeyError):
                del self._going[authorization]
