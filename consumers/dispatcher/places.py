"""Places: the partitions that the group has given this process, and from where each department's notices are read in them.

A partition is attached before it is read, held until it is read to its end, and attached anew when somebody else has written to
it. If it dies here: the next owner attaches from Redis.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeVar

from consumers.dispatcher.commits import Commits
from consumers.dispatcher.endpoints_watch import EndpointsWatch
from consumers.dispatcher.intake import Batch, Intake, Place, Start
from consumers.dispatcher.lag import Lag
from consumers.dispatcher.lane import Lane, decode_pointer
from consumers.dispatcher.patience import patiently
from consumers.dispatcher.receipts import Receipts
from consumers.dispatcher.report import DispatcherReport
from consumers.standing.twins import Refusals
from exchange.delivery_store import DeliveryStore

DRAIN_SECONDS = 5.0
"""Attempts under way have so long to end when their partition is given away, or the process ends."""
T = TypeVar("T")


class Places:
    """What this process reads, and where it stands.

    Args:
        new_intake: makes the intake, given what it calls when partitions come and go.
        intake_thread: the consumer's.
        store: of deliveries.
        redis_thread: where Redis is waited for.
        commits: of this process's partitions.
        watch: the lanes, in step with the endpoints.
        receipts: on their way to Kafka.
        report: metrics and log.
    """

    def __init__(
        self,
        *,
        new_intake: Callable[..., Intake],
        intake_thread: Executor,
        store: DeliveryStore,
        redis_thread: Executor,
        commits: Commits,
        watch: EndpointsWatch,
        receipts: Receipts,
        report: DispatcherReport,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._intake = new_intake(on_assign=self._assigned, on_revoke=self._revoked)
        self._intake_thread = intake_thread
        self._store = store
        self._redis_thread = redis_thread
        self._commits = commits
        self._watch = watch
        self._receipts = receipts
        self._report = report
        self._refusals = Refusals()
        self._owned: set[int] = set()
        self._fenced: set[int] = set()
        self._cursors: dict[int, dict[str, str]] = {}
        self._next: dict[Place, int] = {}
        self._replayed_to: dict[Place, int] = {}

    async def join(self) -> None:
        """Join the group."""
        await self._in_kafka(self._intake.join)

    async def leave(self) -> None:
        """Leave the group."""
        await self._in_kafka(self._intake.leave)

    async def poll(self) -> Batch:
        """What has come, at once when something has, else within a moment.

        Raises:
            FatalError: the group refuses this member again and again, so somebody else must have its name.
        """
        batch = await self._in_kafka(self._intake.poll)
        if batch.refused:
            self._refusals.note()
            self._report.rejoining()
            await self._give_up(sorted(self._owned), within=0)
            await self._in_kafka(self._intake.join_anew)
        return batch

    def advance(self, place: Place, offset: int) -> bool:
        """A notice was read there; whether it is read again on purpose (recovery)."""
        self._next[place] = offset + 1
        return offset < self._replayed_to.get(place, 0)

    def reached_end(self, place: Place) -> None:
        """A place is read to its end: what waits there may be sent, unless the partition is to be attached anew."""
        department, number = place
        lane = self._watch.lanes.get(department)
        if lane is not None and number not in self._fenced:
            lane.queue.release(number)
            lane.pump()

    async def show_progress(self) -> None:
        """Tell Kafka how far notices are read, so that tools show the lag."""
        if self._next:
            await self._in_kafka(self._intake.show_progress, dict(self._next))

    async def look_behind(self, lag: Lag) -> None:
        """See how much lies on the topics that is not taken in.

        Raises:
            RetryLaterError: Kafka is away.
        """
        ends = await asyncio.to_thread(lag.ends, list(self._next))  # the consumer is not kept waiting
        lag.show(ends, await self._in_kafka(self._intake.positions, dict(self._next)))

    def fenced(self, partitions: list[int]) -> None:
        """Somebody else has written to these partitions, or Redis has come back older."""
        self._report.fenced(partitions)
        self._fenced |= set(partitions)

    async def change(self) -> None:
        """Between two batches: partitions to attach anew, departments that came or went, recoveries asked for.

        Raises:
            RetryLaterError: a server is away; what is not done is done at the next call.
        """
        for number in sorted(self._fenced & self._owned):
            starts = await self._attach(number)
            await self._in_kafka(self._intake.begin, starts)
            self._fenced.discard(number)
        self._fenced &= self._owned
        for department in sorted(self._watch.opened):
            lane = self._watch.lanes.get(department)
            if lane is None:
                continue  # removed meanwhile
            for number in self._owned:
                self._cursors[number] = await self._in_redis(self._store.cursor, number)
            starts = {(department, number): await self._load(lane, number) for number in self._owned}
            await self._in_kafka(self._intake.begin, starts)
            self._watch.opened.discard(department)
        if self._watch.closed:
            gone = [(name, number) for name in self._watch.closed for number in self._owned]
            self._watch.closed.clear()
            await self._in_kafka(self._intake.end, gone)
            for place in gone:
                self._next.pop(place, None)
        for lane in list(self._watch.lanes.values()):
            for number in self._owned:
                if str(lane.endpoint.recovery) != self._cursors[number].get(f"r:{lane.department}", "0"):
                    await self._recover(lane, number)

    async def _recover(self, lane: Lane, number: int) -> None:
        """Read a place again from a time on; what was delivered since is delivered again, the newest of each subject.

        If it dies here: offset and mark of the replay are one commit, and the next owner goes on with them.
        """
        place, endpoint = (lane.department, number), lane.endpoint
        offset = await self._in_kafka(self._intake.offset_since, place, endpoint.recover_since)
        change = self._commits.change(number)
        if change is None:
            return
        self._cursors[number][f"r:{lane.department}"] = str(endpoint.recovery)
        change.cursor[f"r:{lane.department}"] = endpoint.recovery
        end = max(self._next.get(place, 0), self._replayed_to.get(place, 0))
        if offset is None or offset >= end:
            await self._commits.flush()
            return
        lane.queue.hold(number)
        self._next[place], self._replayed_to[place] = offset, end
        change.cursor |= {f"o:{lane.department}": offset, f"u:{lane.department}": end}
        await self._commits.flush()
        await self._in_kafka(self._intake.begin, {place: Start(offset)})

    def _assigned(self, partitions: list[int]) -> Mapping[Place, Start]:
        """Called in the consumer's thread."""
        return asyncio.run_coroutine_threadsafe(self._take_over(partitions), self._loop).result()

    def _revoked(self, partitions: list[int], lost: bool) -> None:  # noqa: FBT001 # as the consumer calls it
        """Called in the consumer's thread."""
        asyncio.run_coroutine_threadsafe(
            self._give_up(partitions, within=0 if lost else DRAIN_SECONDS), self._loop
        ).result()

    async def _take_over(self, partitions: list[int]) -> dict[Place, Start]:
        starts: dict[Place, Start] = {}
        for number in partitions:
            starts |= await patiently(lambda number=number: self._attach(number), self._report.waiting)  # type: ignore[misc] # bound now
            self._owned.add(number)
        self._watch.opened.clear()
        self._report.attached(partitions, len(self._owned))
        return starts

    async def _give_up(self, partitions: list[int], within: float) -> None:
        lanes = list(self._watch.lanes.values())
        for lane in lanes:
            for number in partitions:
                lane.queue.hold(number)
        await asyncio.gather(*(lane.settle(number, within) for lane in lanes for number in partitions))
        if within:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._commits.flush(), within)
        self._commits.forget(partitions)
        for number in partitions:
            self._owned.discard(number)
            self._receipts.drop(number)
            for lane in lanes:
                lane.drop(number)
        self._next = {place: offset for place, offset in self._next.items() if place[1] in self._owned}
        self._report.given_up(partitions, len(self._owned))

    async def _attach(self, number: int) -> dict[Place, Start]:
        """Take a partition as Redis has it: a fresh token first, so that nobody else changes it from now on."""
        self._cursors[number] = await self._commits.attach(number)
        self._receipts.attach(number, await self._in_redis(self._store.receipts, number))
        return {(name, number): await self._load(lane, number) for name, lane in list(self._watch.lanes.items())}

    async def _load(self, lane: Lane, number: int) -> Start:
        """What waits in one place, held until the place is read to its end; where to read on."""
        name, cursor = lane.department, self._cursors[number]
        lane.drop(number)
        lane.queue.hold(number)
        for _, raw in await self._in_redis(lambda: list(self._store.pending(number, name))):
            lane.queue.load(decode_pointer(raw))
        offset = cursor.get(f"o:{name}")
        self._replayed_to[name, number] = int(cursor.get(f"u:{name}", 0))
        if offset is None:
            self._cursors[number].setdefault(f"r:{name}", str(lane.endpoint.recovery))
            return Start(None, lane.endpoint.since)
        self._next[name, number] = int(offset)
        return Start(int(offset))

    async def _in_kafka(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._intake_thread, function, *arguments)

    async def _in_redis(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._redis_thread, function, *arguments)
