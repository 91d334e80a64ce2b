"""Several outboxes published at once: each owned partition has its lane, a publisher with a transactional producer of its own.

librdkafka sends one partition's messages in a request, and a broker answers a connection's requests one after the other, so a
transaction takes as long as the partitions it touches are many. In lanes a long one delays its own partition's notices only.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import Producer

from consumers.standing.publishing import OutboxPublisher, Published
from consumers.standing.transaction import Job
from exchange.errors import RetryLaterError
from exchange.kafka import OnError

LANES = 4
"""Transactions under way at once, at most. Measured on two cores at 1,000 records/s (`creditbus bench latency`)."""
PATIENCE = 2.0
"""Seconds from its beginning that a partition's handover gives a transaction. Usually they take milliseconds; and what is left behind
is published by whoever has the partition next (decision 111)."""


class PublishingLanes:
    """Publishes the jobs of each partition in the order they were offered.

    Args:
        new_producer: makes a lane's transactional producer, ready to begin; tells the given function of its errors.
        on_step, on_published: as for `OutboxPublisher`; called in the lanes' threads.
    """

    def __init__(
        self,
        *,
        new_producer: Callable[[int, OnError], Producer],
        on_published: Callable[[list[Job]], None],
        on_step: Callable[[str], None],
    ) -> None:
        self._new_producer = new_producer
        self._on_published = on_published
        self._on_step = on_step
        self._lanes = [self._new_lane(number) for number in range(LANES)]
        self._replaced = False

    def _new_lane(self, number: int) -> OutboxPublisher:
        return OutboxPublisher(
            new_producer=partial(self._new_producer, number), on_published=self._on_published, on_step=self._on_step
        )

    def start(self) -> None:
        """Begin publishing."""
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Publish what waits, then end; after a while without success the next owner is left to publish it."""
        for lane in self._lanes:
            lane.finish()
        for lane in self._lanes:
            lane.stop()

    @property
    def failure(self) -> BaseException | None:
        """What ended a lane."""
        return next((lane.failure for lane in self._lanes if lane.failure), None)

    def take_fenced(self) -> bool:
        """Whether a lane's generation was refused, or a lane was stuck and replaced, since last asked."""
        for number, lane in enumerate(self._lanes):
            if lane.is_stuck:
                self._replace(number)
        fenced = [lane.take_fenced() for lane in self._lanes]
        replaced, self._replaced = self._replaced, False
        return any(fenced) or replaced

    def demand_ready(self) -> None:
        """See that every lane has its producer, before anybody reads in Kafka what was published.

        Raises:
            RetryLaterError: Kafka takes no transactions now.
        """
        if not all(lane.is_ready for lane in self._lanes):
            raise RetryLaterError("Kafka takes no transactions yet", code="kafka_away", remedy="check the brokers")

    def join_generation(self, metadata: Any) -> None:
        """Publish as a member of this generation of the group; None waits until the next one is known."""
        for lane in self._lanes:
            lane.join_generation(metadata)

    def offer(self, job: Job) -> None:
        """Take a committed job; returns at once."""
        self._of(job.partition).offer(job)

    def take_published(self, partition: int) -> Published | None:
        """What was published of a partition since last asked."""
        return self._of(partition).take_published(partition)

    def drain(self, *, below: int, timeout: float) -> bool:
        """Wait until fewer messages than `below` wait to be published; False when time ran out (seconds).

        A lane that goes on only after `take_fenced` is not waited for: whoever did would wait for ever.
        """
        until = time.monotonic() + timeout
        share = max(1, below // LANES)
        return all(
            lane.needs_attention
            or lane.drain(below=share, timeout=max(0.0, until - time.monotonic()))
            or lane.needs_attention
            for lane in self._lanes
        )

    def forget(self, partitions: set[int]) -> None:
        """Drop the jobs of partitions that are no longer ours; waits for transactions under way, but not for ever."""
        until = time.monotonic() + PATIENCE
        for number, lane in enumerate(self._lanes):
            if not lane.forget(partitions, within=max(0.0, until - time.monotonic())):
                self._replace(number)

    def _replace(self, number: int) -> None:
        """Leave a lane behind that does not end, and begin another.

        The new producer has the old one's name, so the broker refuses whatever the old one may still try. What became of the jobs is
        not known until then: `take_fenced` says so, and partitions attach anew once the lane is ready.
        """
        self._lanes[number].abandon()
        lane = self._lanes[number] = self._new_lane(number)
        self._replaced = True
        lane.start()

    @property
    def backlog(self) -> int:
        """Messages committed and not yet published."""
        return sum(lane.backlog for lane in self._lanes)

    @property
    def oldest_for(self) -> float:
        """Seconds for which the oldest messages have waited to be published; 0 when none wait."""
        return max(lane.oldest_for for lane in self._lanes)

    def _of(self, partition: int) -> OutboxPublisher:
        return self._lanes[partition % LANES]
