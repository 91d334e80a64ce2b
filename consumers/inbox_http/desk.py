"""The desk: gives a department its notices from a place on, now or as they come; so many at once for each department."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from consumers.inbox_http.bell import Bell
from consumers.inbox_http.cursor import END, Offsets
from consumers.inbox_http.reader import Notice, Page, Readers
from exchange.http.problems import RefusedError
from exchange.metrics import InboxHttpMetrics
from exchange.partitioner import partition_of
from exchange.topics import Topics

HEARTBEAT_SECONDS = 15.0
"""A stream without notices says so often that it lives, and looks again for itself."""
_LOOK_SECONDS = 1.0
"""So often it is seen whether who waits is still there, and still allowed."""
Present = Callable[[], Awaitable[bool]]
"""Whether the caller is still there, and still allowed."""


class Desk:
    """Serves notices.

    Args:
        readers: of Kafka.
        bell: rings when there is something new.
        topics: names of the bus's topics.
        partitions: of each topic.
        seats: polls and streams of one department at a time.
        metrics: to count in.
    """

    def __init__(
        self, readers: Readers, bell: Bell, topics: Topics, *, partitions: int, seats: int, metrics: InboxHttpMetrics
    ) -> None:
        self._readers = readers
        self._bell = bell
        self._topics = topics
        self._partitions = partitions
        self._seats = seats
        self._metrics = metrics
        self._taken: Counter[str] = Counter()

    async def read(self, department: str, offsets: Offsets, limit: int) -> Page:
        """What is there from a place on, without waiting."""
        return await self._readers.read(self._topics.out_of(department), offsets, limit)

    async def find(self, department: str, subject: str, notice_id: str) -> Notice | None:
        """One notice about a subject, if it is retained."""
        partition = partition_of(subject, self._partitions)
        return await self._readers.find(self._topics.out_of(department), partition, subject, notice_id)

    async def poll(self, department: str, offsets: Offsets, limit: int, wait: float, present: Present) -> Page:
        """A page from a place on; waits until there is a notice, at most so many seconds.

        Raises:
            RefusedError: 429, too many polls and streams of the department.
            RetryLaterError: Kafka is away.
        """
        self.check_room(department)
        topic = self._topics.out_of(department)
        started = time.monotonic()
        with self._seat(department), self._bell.listen(topic) as rung:
            offsets = await self._place(topic, offsets)
            while True:
                rung.clear()
                page = await self._readers.read(topic, offsets, limit)
                offsets = page.offsets
                left = started + wait - time.monotonic()
                if page.taken or left <= 0 or self._bell.closing:
                    break
                self._bell.watch(topic, offsets)
                if not await self._rings(rung, left, present):
                    break
        self._metrics.poll_wait_seconds.observe(time.monotonic() - started)
        return page

    async def stream(
        self, department: str, offsets: Offsets, limit: int, present: Present
    ) -> AsyncGenerator[Page, None]:
        """Pages as they come, an empty one where all is quiet, until the caller goes or the server ends.

        The next page is read when the caller has taken the last: a slow reader holds up nobody but itself.
        """
        topic = self._topics.out_of(department)
        open_streams = self._metrics.open_streams.labels(department)
        with self._seat(department), open_streams.track_inprogress(), self._bell.listen(topic) as rung:
            offsets = await self._place(topic, offsets)
            while not self._bell.closing and await present():
                rung.clear()
                page = await self._readers.read(topic, offsets, limit)
                offsets = page.offsets
                yield page
                if page.caught_up:
                    self._bell.watch(topic, offsets)
                    await self._rings(rung, HEARTBEAT_SECONDS, present)

    def check_room(self, department: str) -> None:
        """Make sure that a department may open one more poll or stream.

        Raises:
            RefusedError: 429 `too_many_polls`.
        """
        if self._taken[department] >= self._seats:
            raise RefusedError(
                429, f"同时请求过多 {department} has {self._seats} polls and streams open",
                code="too_many_polls", remedy="end one of them, or wait", headers={"Retry-After": "1"},
            )  # fmt: skip

    @contextmanager
    def _seat(self, department: str) -> Iterator[None]:
        self._taken[department] += 1
        try:
            yield
        finally:
            self._taken[department] -= 1

    async def _place(self, topic: str, offsets: Offsets) -> Offsets:
        """The offsets, with the end as it is now where the end is asked for."""
        return await self._readers.ends(topic, self._partitions) if END in offsets else offsets

    async def _rings(self, rung: asyncio.Event, seconds: float, present: Present) -> bool:
        """Whether the bell rings in time; not when the caller has gone meanwhile, or the server ends."""
        give_up_at = time.monotonic() + seconds
        while (left := give_up_at - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(rung.wait(), min(left, _LOOK_SECONDS))
            except TimeoutError:
                if not await present():
                    return False
            else:
                return not self._bell.closing
        return False
