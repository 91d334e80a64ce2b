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
from concurrent.futures import Executor
from contextlib import suppress

from consumers.dispatcher.commits import Commits
from consumers.dispatcher.endpoints_watch import WATCH_SECONDS, EndpointsWatch
from consumers.dispatcher.intake import Arrived
from consumers.dispatcher.lag import Lag
from consumers.dispatcher.lane import Lane, encode_pointer
from consumers.dispatcher.patience import BACKOFF, patiently
from consumers.dispatcher.places import DRAIN_SECONDS, Places
from consumers.dispatcher.receipts import Receipts
from consumers.dispatcher.report import DispatcherReport
from consumers.standing.liveness import Liveness
from exchange.delivery_store import DeliveryStore
from exchange.errors import CreditbusError, RetryLaterError

RECEIPT_SECONDS = 0.02
PROGRESS_SECONDS = 5.0


class Dispatcher:
    """Pushes notices to webhooks until told to stop.

    Args:
        places: what this process reads.
        store: of deliveries.
        redis_thread: where Redis is waited for.
        commits: of this process's partitions.
        watch: the lanes, in step with the endpoints.
        receipts: on their way to Kafka.
        lag: what is not taken in.
        report: metrics and log.
        liveness: told of progress.
    """

    def __init__(
        self,
        *,
        places: Places,
        store: DeliveryStore,
        redis_thread: Executor,
        commits: Commits,
        watch: EndpointsWatch,
        receipts: Receipts,
        lag: Lag,
        report: DispatcherReport,
        liveness: Liveness,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._places = places
        self._store = store
        self._redis_thread = redis_thread
        self._commits = commits
        self._watch = watch
        self._receipts = receipts
        self._lag = lag
        self._report = report
        self._liveness = liveness
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End in good order; from any thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def run(self) -> None:
        """Until told to stop.

        Raises:
            FatalError: going on could do harm.
        """
        self._liveness.lag(1)
        await patiently(self._watch.turn, self._report.waiting)
        await self._places.join()
        work = [
            self._loop.create_task(one)
            for one in (
                self._take_in(),
                self._commits.run(),
                self._keep_watch(),
                self._look_behind(),
                self._publish_receipts(),
            )
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
        await self._places.leave()

    async def _take_in(self) -> None:
        shown_at = self._loop.time()
        while not self._stopping.is_set():
            self._liveness.progress()
            try:
                await self._places.change()
            except RetryLaterError as error:
                self._report.waiting(error)
                await asyncio.sleep(BACKOFF[-1])
            batch = await self._places.poll()
            if batch.arrived:
                await self._offer(batch.arrived)
            for place in batch.ended:
                self._places.reached_end(place)
            if self._loop.time() - shown_at > PROGRESS_SECONDS:
                shown_at = self._loop.time()
                await self._places.show_progress()

    async def _offer(self, arrived: list[Arrived]) -> None:
        """Step 1, after a batch was read."""
        wanted: dict[tuple[int, str], list[str]] = defaultdict(list)
        for one in arrived:
            wanted[one.pointer.partition, one.department].append(one.pointer.subject)
        known = await patiently(
            lambda: self._loop.run_in_executor(self._redis_thread, self._store.delivered, wanted), self._report.waiting
        )
        touched: set[Lane] = set()
        for department, pointer, raw in arrived:
            lane, change = self._watch.lanes.get(department), self._commits.change(pointer.partition)
            if lane is None or change is None:
                continue
            touched.add(lane)
            key = (department, pointer.subject)
            again = self._places.advance((department, pointer.partition), pointer.offset)
            if lane.queue.offer(pointer, delivered=known.get(key), again=again):
                change.pending[key] = encode_pointer(pointer)
                lane.payloads.keep(pointer, raw)
            else:
                self._report.stale()
            change.cursor[f"o:{department}"] = pointer.offset + 1
        for lane in touched:
            lane.pump()  # before the commit: if it dies here, the batch is read again
        await self._commits.flush()

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await patiently(self._watch.turn, self._report.waiting)
            self._report.receipts(self._receipts.waiting)

    async def _look_behind(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            with suppress(CreditbusError):  # Kafka is away: whoever needs it tells
                await self._places.look_behind(self._lag)

    async def _publish_receipts(self) -> None:
        while True:
            await asyncio.sleep(RECEIPT_SECONDS)
            self._receipts.turn()
