"""Several outboxes published at once: each owned partition has its lane, a publisher with a transactional producer of its own.

librdkafka sends one partition's messages in a request, and a broker answers a connection's requests one after the other, so a
transaction takes as long as the partitions it touches are many. In lanes a long one delays its own partition's notices only.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import Producer

from consumers.standing.publishing import Job, OutboxPublisher, Published

LANES = 4
"""Transactions under way at once, at most. Measured on two cores at 1,000 records/s (`creditbus bench latency`)."""


class PublishingLanes:
    """Publishes the jobs of each partition in the order they were offered.

    Args:
        new_producer: makes a lane's transactional producer, ready to begin.
        on_step, on_published: as for `OutboxPublisher`; called in the lanes' threads.
    """

    def __init__(
        self,
        *,
        new_producer: Callable[[int], Producer],
        on_published: Callable[[list[Job]], None],
        on_step: Callable[[str], None],
    ) -> None:
        self._lanes = [
            OutboxPublisher(new_producer=partial(new_producer, lane), on_published=on_published, on_step=on_step)
            for lane in range(LANES)
        ]

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
        """Whether a lane's generation was refused since last asked."""
        fenced = [lane.take_fenced() for lane in self._lanes]
        return any(fenced)

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
        """Wait until fewer messages than `below` wait to be published; False when time ran out (seconds)."""
        until = time.monotonic() + timeout
        share = max(1, below // LANES)
        return all(lane.drain(below=share, timeout=max(0.0, until - time.monotonic())) for lane in self._lanes)

    def forget(self, partitions: set[int]) -> None:
        """Drop the jobs of partitions that are no longer ours; waits for transactions under way."""
        for lane in self._lanes:
            lane.forget(partitions)

    @property
    def backlog(self) -> int:
        """Messages committed and not yet published."""
        return sum(lane.backlog for lane in self._lanes)

    def _of(self, partition: int) -> OutboxPublisher:
        return self._lanes[partition % LANES]
