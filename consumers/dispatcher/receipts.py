"""Delivery receipts on their way from Redis' outbox to the operator's topic: produced, confirmed, then trimmed in a later commit.

If it dies here: before the confirmation the outbox has them and they are published again, as the same documents; after it and
before the trim likewise.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

log = logging.getLogger("creditbus.dispatcher")
UNCONFIRMED = 10_000
"""Receipts handed to the producer at once, at most."""


@dataclass(slots=True)
class _Receipt:
    key: bytes
    raw: bytes
    handed: bool = False
    confirmed: bool = False


class Receipts:
    """Publishes receipts, in the event loop's thread; nothing in it blocks.

    Args:
        producer: idempotent.
        topic: of the operator's records.
        subject_of: the key of a receipt.
        on_published: told partition and number when the oldest receipts of a partition are confirmed.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        subject_of: Callable[[bytes], str],
        on_published: Callable[[int, int], None],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._subject_of = subject_of
        self._on_published = on_published
        self._open: dict[int, deque[_Receipt]] = {}
        self._in_hand = 0
        self._turned: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> int:
        """Receipts not yet confirmed."""
        return sum(map(len, self._open.values()))

    def attach(self, partition: int, receipts: list[bytes]) -> None:
        """A partition's outbox, as Redis has it."""
        self._open[partition] = deque(_Receipt(self._subject_of(raw).encode(), raw) for raw in receipts)

    def add(self, partition: int, subject: str, raw: bytes) -> None:
        """A receipt that is now in Redis' outbox."""
        if partition in self._open:
            self._open[partition].append(_Receipt(subject.encode(), raw))

    def drop(self, partition: int) -> None:
        """The partition is somebody else's."""
        self._open.pop(partition, None)

    async def drained(self) -> None:
        """Wait until every receipt is confirmed; `turn` goes on being called meanwhile."""
        while self.waiting:
            self._turned = asyncio.get_running_loop().create_future()
            await self._turned

    def turn(self) -> None:
        """Hand over what waits and take the broker's answers; to be called often."""
        for receipts in self._open.values():
            for one in receipts:
                if not one.handed and self._in_hand < UNCONFIRMED and not self._hand_over(one):
                    break
        self._producer.poll(0)
        for partition, receipts in self._open.items():
            count = 0
            while receipts and receipts[0].confirmed:
                receipts.popleft()
                count += 1
            if count:
                self._on_published(partition, count)
        if self._turned is not None and not self._turned.done():
            self._turned.set_result(None)

    def _hand_over(self, one: _Receipt) -> bool:
        def answered(error: KafkaError | None, message: Message) -> None:
            self._in_hand -= 1
            # An acknowledgement without an offset is an assumption of librdkafka's, and no proof.
            one.confirmed = error is None and message.offset() is not None
            one.handed = one.confirmed
            if not one.confirmed:
                log.warning("receipt not confirmed error=%s", error)

        try:
            self._producer.produce(self._topic, one.raw, one.key, on_delivery=answered)
        except (BufferError, KafkaException):
            return False
        self._in_hand += 1
        one.handed = True
        return True
