"""The dispatcher: takes notices in from Kafka, keeps what waits in Redis, and lets lanes send it. One event loop.

Blocking calls have a thread each: one for the consumer, one for Redis, one for reading notices again.

1. *Take in*: read a batch, leave out what is stale, let newer replace older, write pointers and offsets in one commit.
   If it dies here: the offsets in Redis lie before the batch, which is read again.
2. *Send*, as `lane` does. If it dies here: the pointer is in Redis, or its notice lies behind the offset; it is sent again.
3. *Settle*, one commit: pointer gone, mark of delivery, log, receipt. If it dies here: sent again under the same id.
4. *Publish receipts*, as `receipts` does.

Before anything of a partition is sent it is read to its end, so that no older notice goes out behind a newer one that a
predecessor has delivered without writing it down.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeVar

from consumers.dispatcher.commits import BACKOFF, Commits
from consumers.dispatcher.endpoints_watch import WATCH_SECONDS, EndpointsWatch
from consumers.dispatcher.intake import Arrived, Intake, Place, Start
from consumers.dispatcher.lane import Lane, decode_pointer, encode_pointer
from consumers.dispatcher.receipts import Receipts
from consumers.dispatcher.report import DispatcherReport
from consumers.standing.liveness import Liveness
from exchange.delivery_store import DeliveryStore
from exchange.errors import RetryLaterError

DRAIN_SECONDS = 5.0
"""Attempts under way have so long to end when their partition is given away, or the process ends."""
RECEIPT_SECONDS = 0.02
PROGRESS_SECONDS = 5.0
T = TypeVar("T")


class Dispatcher:
    """Pushes notices to webhooks until told to stop.

    Args:
        new_intake: makes the intake, given what it calls when partitions come and go.
        intake_thread: the consumer's.
        store: of deliveries.
        redis_thread: where Redis is waited for.
        commits: of this process's partitions.
        watch: the lanes, in step with the endpoints.
        receipts: on their way to Kafka.
        report: metrics and log.
        liveness: told of progress.
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
        liveness: Liveness,
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
        self._liveness = liveness
        self._stopping = asyncio.Event()
        self._owned: set[int] = set()
        self._fenced: set[int] = set()
        self._cursors: dict[int, dict[str, str]] = {}
        self._next: dict[Place, int] = {}
        self._replayed_to: dict[Place, int] = {}

    def stop(self) -> None:
        """End in good order; from any thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    def fenced(self, partitions: list[int]) -> None:
        """Somebody else has written to these partitions, or Redis has come back older."""
        self._report.fenced(partitions)
        self._fenced |= set(partitions)

    async def run(self) -> None:
        """Until told to stop.

        Raises:
            FatalError: going on could do harm.
        """
        self._liveness.lag(1)
        await self._patiently(self._watch.turn)
        await self._in_kafka(self._intake.join)
        work = [
            self._loop.create_task(one)
            for one in (self._take_in(), self._commits.run(), self._keep_watch(), self._publish_receipts())
        ]
        stopped = self._loop.create_task(self._stopping.wait())
        done, _ = await asyncio.wait([*work, stopped], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        broken = [one for one in done if one is not stopped and one.exception() is not None]
        if not broken:
            await asyncio.wait(work[:1], timeout=DRAIN_SECONDS)  # it may be waiting for a server that is away
            work[0].cancel()
            await self._finish()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for one in broken:
            one.result()

    async def _finish(self) -> None:
        """What is under way ends and is written down, receipts go out, the group is left."""
        await self._watch.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._commits.flush()
                await self._receipts.drained()
                await self._commits.flush()
        await self._in_kafka(self._intake.leave)

    async def _take_in(self) -> None:
        shown_at = self._loop.time()
        while not self._stopping.is_set():
            self._liveness.progress()
            try:
                await self._change_places()
            except RetryLaterError as error:
                self._report.waiting(error)
                await asyncio.sleep(BACKOFF[-1])
            batch = await self._in_kafka(self._intake.poll)
            if batch.arrived:
                await self._offer(batch.arrived)
            for department, partition in batch.ended:
                lane = self._watch.lanes.get(department)
                if lane is not None and partition not in self._fenced:
                    lane.queue.release(partition)
                    lane.pump()
            if self._loop.time() - shown_at > PROGRESS_SECONDS and self._next:
                shown_at = self._loop.time()
                await self._in_kafka(self._intake.show_progress, dict(self._next))

    async def _offer(self, arrived: list[Arrived]) -> None:
        """Step 1, after a batch was read."""
        wanted: dict[tuple[int, str], list[str]] = defaultdict(list)
        for one in arrived:
            wanted[one.pointer.partition, one.department].append(one.pointer.subject)
        known = await self._patiently(lambda: self._in_redis(self._store.delivered, wanted))
        touched: set[Lane] = set()
        for department, pointer, raw in arrived:
            lane, change = self._watch.lanes.get(department), self._commits.change(pointer.partition)
            if lane is None or change is None:
                continue
            touched.add(lane)
            place, key = (department, pointer.partition), (department, pointer.subject)
            again = pointer.offset < self._replayed_to.get(place, 0)
            if lane.queue.offer(pointer, delivered=known.get(key), again=again):
                change.pending[key] = encode_pointer(pointer)
                lane.payloads.keep(pointer, raw)
            else:
                self._report.stale()
            self._next[place] = pointer.offset + 1
            change.cursor[f"o:{department}"] = pointer.offset + 1
        for lane in touched:
            lane.pump()  # before the commit: if it dies here, the batch is read again
        await self._commits.flush()

    async def _change_places(self) -> None:
        """Between two batches: partitions to attach anew, departments that came or went, recoveries asked for."""
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
            starts |= await self._patiently(lambda number=number: self._attach(number))  # type: ignore[misc] # bound now
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

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self._patiently(self._watch.turn)
            self._report.receipts(self._receipts.waiting)

    async def _publish_receipts(self) -> None:
        while True:
            await asyncio.sleep(RECEIPT_SECONDS)
            self._receipts.turn()

    async def _patiently(self, do: Callable[[], Awaitable[T]]) -> T:
        """Do something as often as it takes until the servers are there."""
        tries = 0
        while True:
            try:
                return await do()
            except RetryLaterError as error:
                self._report.waiting(error)
                await asyncio.sleep(BACKOFF[min(tries, len(BACKOFF) - 1)])
                tries += 1

    async def _in_kafka(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._intake_thread, function, *arguments)

    async def _in_redis(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._redis_thread, function, *arguments)
