"""Faust's Kafka clients, made to keep their word: what is committed was done, in order, and has had its consequences written first.

Two things in faust-streaming 0.15.3 break it. Its consumer commits past messages that it has dropped (see `order`). And before offsets are
committed the producer is flushed, but the flush gives up after a tenth of a second in which nothing was sent
(`ProducerBuffer.flush_atmost`), and the offsets are committed all the same: a crash then loses changes of tables.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Producer
from faust.types import TP
from mode.threads import WorkerThread

from consumers.early_warning.order import Order, Place

PENDING = 20_000
"""Messages that may wait to be sent before input is held; Faust's 100 are fewer than one batch writes, and each wait costs."""


class EndingThread(WorkerThread):
    """A thread that ends with its process, even when its client waits for a broker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.daemon = True


class OrderedConsumer(Consumer):  # type: ignore[misc] # Faust's types are not checked here
    """Commits what `order` says is done, whatever Faust takes for acknowledged, and fetches again what was dropped."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = Order()

    def _new_consumer_thread(self) -> Any:
        return AIOKafkaConsumerThread(self, loop=self.loop, beacon=self.beacon, Worker=EndingThread)

    async def fetch_again(self) -> int:
        """Go back to what is lacking; how many places."""
        lacking = {TP(*place): offset for place, offset in self.order.lacking().items()}
        if lacking:
            await self.seek_wait(lacking)
        return len(lacking)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to offsets."""
        self._begin_at(partitions)
        await super().seek_wait(partitions)
        self._begin_at(partitions)  # what was fetched meanwhile may be of before

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to what is committed; where nothing is, to the beginning, which Faust leaves out."""
        found: Mapping[TP, int] = await super().seek_to_committed()
        self._begin_at({tp: offset for tp, offset in found.items() if offset})
        new = {tp: 0 for tp, offset in found.items() if not offset and self.app.topics.acks_enabled_for(tp.topic)}
        if new:
            await self.seek_wait(new)
        return found

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Partitions are another's."""
        self.order.lost(Place(*tp) for tp in revoked)
        await super().on_partitions_revoked(revoked)

    def ack(self, message: Any) -> bool:
        """Faust's bookkeeping of what a stream is done with; no commit depends on it."""
        first, message.acked = not message.acked, True
        self._unacked_messages.discard(message)
        return first

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Faust would take for done what lies between two messages."""

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, Any]:  # noqa: ASYNC109 # Faust's
        before = self.order.before()
        records = await super()._getmany(active_partitions, timeout)
        kept, again = {}, {}
        for tp, of_place in records.items():
            place = Place(*tp)
            if not self.app.topics.acks_enabled_for(tp.topic):
                kept[tp] = of_place  # a changelog
            elif self.order.fetched(place, (one.offset for one in of_place), before):
                kept[tp] = of_place
            elif (start := self.order.start(place)) is not None:
                again[tp] = start
        if again:
            await self.seek_wait(again)
        return kept

    def _filter_tps_with_pending_acks(self, topics: Iterable[Any] | None = None) -> Iterator[TP]:
        places = (TP(*place) for place in self.order.committable())
        return (tp for tp in places if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self.order.done_until(Place(*tp))

    def _begin_at(self, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            if self.app.topics.acks_enabled_for(tp.topic):
                self.order.restarted(Place(*tp), offset)


class FlushingProducer(Producer):  # type: ignore[misc] # Faust's types are not checked here
    """Remembers what it was given until the broker has it; a message that fails takes the worker down before the commit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer.max_messages = PENDING
        self._given: set[asyncio.Future[Any]] = set()

    def send_soon(self, fut: Any) -> None:
        """Take a message."""
        self._given.add(fut)
        fut.add_done_callback(self._given.discard)
        super().send_soon(fut)

    def given(self) -> tuple[asyncio.Future[Any], ...]:
        """What the broker does not have yet."""
        return tuple(self._given)

    async def flush(self) -> None:
        """Until the broker has everything that was given so far.

        Raises:
            ProducerSendError: it has refused something, or did not answer for `producer_request_timeout`.
        """
        if self._given:
            await asyncio.gather(*self._given)
        await super().flush()
