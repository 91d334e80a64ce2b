"""One scraper for all who look at the operator page: it begins with the first and ends after the last.

A viewer is only woken; he takes the newest state when he can, so that one who is slow misses some and holds nobody up.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple

from consumers.portal.operations.facts import Facts
from consumers.portal.operations.health import Health, health_of
from consumers.portal.operations.scrape import Scrape, scrape

_WINDOW_SECONDS = 10.0
"""Rates and quantiles are of about so long: of one scrape to the next they would jump."""
_FACTS_SECONDS = 10.0
_POINTS = 150
log = logging.getLogger("creditbus.portal")


class Point(NamedTuple):
    """A point of the charts. at: seconds since 1970-01-01 UTC; rates a second; publish: seconds, p50 and p99 until publication."""

    at: float
    records: float | None
    notices: float | None
    half: float | None
    most: float | None


class Watch:
    """Watches the processes. Belongs to one event loop; `end` may be called from anywhere.

    Args:
        targets: see `read_targets`.
        facts: looks at Redis; blocks.
        partitions: of the bus.
        every: seconds between scrapes; a target must answer within it.
    """

    def __init__(self, targets: Sequence[str], facts: Callable[[], Facts], *, partitions: int, every: float) -> None:
        self.every = every
        self.points: deque[Point] = deque(maxlen=_POINTS)
        self._targets = targets
        self._facts_of = facts
        self._partitions = partitions
        self._scrapes: deque[Scrape] = deque(maxlen=2 + int(_WINDOW_SECONDS / every))
        self._known: dict[str, str] = {}
        self._facts = Facts()
        self._facts_at = float("-inf")
        self._newest: Health | None = None
        self._looking = asyncio.Lock()
        self._viewers: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    @property
    def viewers(self) -> int:
        """How many follow it."""
        return len(self._viewers)

    async def now(self) -> Health:
        """The state of now, with a fresh look at Redis."""
        self._facts_at = float("-inf")
        return await self._look()

    async def follow(self) -> AsyncGenerator[Health, None]:
        """The state, again and again, until the server ends or whoever follows goes."""
        rung = asyncio.Event()
        self._viewers.add(rung)
        try:
            if self._task is None or self._task.done():
                self._loop = asyncio.get_running_loop()
                self._task = self._loop.create_task(self._run())
            task = self._task
            while not self._ended and not task.done():
                await rung.wait()
                rung.clear()
                if self._newest is not None and not self._ended:
                    yield self._newest
        finally:
            self._viewers.discard(rung)

    def end(self) -> None:
        """Let everybody who follows go; from any thread or a signal's handler."""
        self._ended = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ring)

    async def _run(self) -> None:
        try:
            while self._viewers and not self._ended:
                began = time.monotonic()
                await self._look()
                self._ring()
                await asyncio.sleep(max(0.0, began + self.every - time.monotonic()))
        except Exception:
            log.exception("the operator page's scraper ended")  # who follows comes again, and begins another
        finally:
            self._ring()

    def _ring(self) -> None:
        for rung in self._viewers:
            rung.set()

    async def _look(self) -> Health:
        """Scrape, unless somebody has just done so, and work out the state."""
        async with self._looking:
            last = self._scrapes[-1] if self._scrapes else None
            if last is None or time.monotonic() - last.at >= self.every / 2:
                self._scrapes.append(await scrape(self._targets, timeout_seconds=self.every))
            if time.monotonic() - self._facts_at >= _FACTS_SECONDS:
                self._facts = await asyncio.to_thread(self._facts_of)
                self._facts_at = time.monotonic()
            newest = self._scrapes[-1]
            self._known |= {target: read.process for target, read in newest.read.items()}
            before = self._before(newest)
            health = health_of(
                time.time(), before, newest, self._facts, known=self._known, partitions=self._partitions
            )  # fmt: skip
            if newest is not last:
                self._remember(health)
            self._newest = health
            return health

    def _before(self, newest: Scrape) -> Scrape | None:
        """The scrape that rates are measured from: the oldest of the window, or else the last one, however long ago."""
        earlier = list(self._scrapes)[:-1]
        within = [one for one in earlier if newest.at - one.at <= _WINDOW_SECONDS]
        return within[0] if within else earlier[-1] if earlier else None

    def _remember(self, health: Health) -> None:
        publish = next(one for one in health.stages if one.key == "publish")
        self.points.append(
            Point(
                health.at, health.figures["records"].value, health.figures["notices"].value, publish.half, publish.most
            )
        )
