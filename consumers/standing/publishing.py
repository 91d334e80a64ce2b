"""Step 2, publish: the outbox in one Kafka transaction with the offsets, the commit token and the epoch.

A thread of its own, so that the next batch is folded while the last one is published; several commits share a transaction
when they wait together. If it dies here, the transaction is aborted and the outbox in Redis still has everything.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer

from consumers.standing.beginning import Beginning, NewProducer
from consumers.standing.transaction import STALE, Job, commit_jobs, insist, let_go

STUCK_AFTER = 40.0
"""A transaction that has not ended in so many seconds never will: librdkafka can lose a call while brokers restart."""
ASKING_STUCK_AFTER = 7.0
"""Nor will one whose offsets nobody takes for so long, which is longer than an election (decision 102)."""


class Published(NamedTuple):
    """How far a partition's outbox is published: the last token, and how many messages since last asked."""

    token: str
    messages: int


class OutboxPublisher:
    """Publishes jobs in the order they were offered.

    Args:
        new_producer: makes a transactional producer that is ready to begin, and tells the given function of its errors.
        idle_for: how long offsets without messages may wait, in seconds.
        on_step: told "publish" before and "published" after each transaction.
        on_published: told the jobs of each transaction that succeeded.
    """

    MESSAGES = 20_000
    """Messages of one transaction, about; a single commit is never split."""

    def __init__(
        self,
        *,
        new_producer: NewProducer,
        on_published: Callable[[list[Job]], None],
        on_step: Callable[[str], None],
        idle_for: float = 2.0,
    ) -> None:
        self._beginning = Beginning(new_producer, self._waited)
        self._generation: Any = None
        self._on_published = on_published
        self._fenced = False
        self._on_step = on_step
        self._idle_for = idle_for
        self._jobs: list[Job] = []
        self._oldest = 0.0
        self._done: dict[int, Published] = {}
        self._backlog = 0
        self._changed = threading.Condition()
        self._publishing = threading.Lock()
        self._stopping = False
        self._given_up = False
        self._began_at = 0.0
        self._asking_since = 0.0
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)

    def start(self) -> None:
        """Begin publishing."""
        self._thread.start()

    def finish(self) -> None:
        """Take no more jobs: publish what waits, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish; after a while without success the next owner is left to publish what waits."""
        self.finish()
        self._thread.join(timeout=15)
        self.abandon()
        self._thread.join(timeout=60)

    def abandon(self) -> None:
        """Publish nothing more, whatever the call under way comes to; who takes over fences it with a producer of the same name."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    @property
    def is_ready(self) -> bool:
        """Whether the producer is there: from then on no predecessor of it can commit anything."""
        return self._beginning.is_ready

    @property
    def is_stuck(self) -> bool:
        """Whether the transaction under way will never end."""
        now = time.monotonic()
        return 0 < self._began_at < now - STUCK_AFTER or 0 < self._asking_since < now - ASKING_STUCK_AFTER

    @property
    def needs_attention(self) -> bool:
        """Whether nothing more is published until the loop has taken notice (see `take_fenced` of the lanes)."""
        return self._fenced or self.is_stuck

    def join_generation(self, metadata: Any) -> None:
        """Publish as a member of this generation of the group; None waits until the next one is known.

        Args:
            metadata: the consumer's group metadata. It is asked for in the loop's thread, once a rebalance: a zombie goes on
                with its old one, which the broker fences.
        """
        with self._changed:
            self._generation = metadata
            self._changed.notify_all()

    def offer(self, job: Job) -> None:
        """Take a committed job; returns at once."""
        now = time.monotonic()
        with self._changed:
            if not self._jobs:
                self._oldest = now
            self._jobs.append(job._replace(offered_at=now))
            self._backlog += len(job.messages)
            self._changed.notify_all()

    def take_fenced(self) -> bool:
        """Whether the broker refused this generation, or a transaction's outcome is unknown, since last asked."""
        with self._changed:
            fenced, self._fenced = self._fenced, False
        return fenced

    def take_published(self, partition: int) -> Published | None:
        """What was published of a partition since last asked."""
        with self._changed:
            return self._done.pop(partition, None)

    def drain(self, *, below: int, timeout: float) -> bool:
        """Wait until fewer messages than `below` wait to be published; False when time ran out (seconds)."""
        with self._changed:
            return self._changed.wait_for(
                lambda: (self._backlog < below and len(self._jobs) < 200) or self.failure is not None, timeout
            )

    def forget(self, partitions: set[int], *, within: float) -> bool:
        """Drop the jobs of partitions that are no longer ours; waits for a transaction under way.

        Returns:
            False when it does not end within so many seconds of its beginning: then nothing is dropped.
        """
        until = (self._began_at or time.monotonic()) + within
        while self._beginning.is_ready:  # else no transaction is under way
            if self._publishing.acquire(timeout=0.05):
                try:
                    self._drop(partitions)
                finally:
                    self._publishing.release()
                return True
            if time.monotonic() > until:
                return False
        self._drop(partitions)
        return True

    def _drop(self, partitions: set[int]) -> None:
        with self._changed:
            self._jobs = [job for job in self._jobs if job.partition not in partitions]
            self._backlog = sum(len(job.messages) for job in self._jobs)
            for partition in partitions:
                self._done.pop(partition, None)
            self._changed.notify_all()

    @property
    def backlog(self) -> int:
        """Messages committed and not yet published."""
        return self._backlog

    @property
    def oldest_for(self) -> float:
        """Seconds for which the oldest messages have waited to be published; 0 when none wait."""
        with self._changed:
            offered_at = next((job.offered_at for job in self._jobs if job.messages), None)
        return time.monotonic() - offered_at if offered_at is not None else 0.0

    def _run(self) -> None:
        try:
            producer = self._begun()
            while producer is not None and self._wait():
                if self._beginning.has_lost_a_broker(producer):
                    let_go(producer)
                    producer = self._begun()
                    continue
                with self._publishing:
                    jobs = self._next()
                    if jobs:
                        self._began_at = time.monotonic()
                        producer = self._publish(producer, jobs)
                        self._began_at = self._asking_since = 0.0
            if producer is not None:
                let_go(producer)
        except BaseException as error:  # noqa: BLE001 # kept for the loop, which raises it
            self.failure = error
            with self._changed:
                self._changed.notify_all()

    def _wait(self) -> bool:
        """Until there is something to publish; False when stopping and nothing waits."""
        with self._changed:
            while not self._given_up:
                ready = self._jobs and self._generation is not None
                if ready and (self._backlog or self._stopping):
                    return True
                if self._stopping:
                    return False
                if ready:
                    left = self._oldest + self._idle_for - time.monotonic()
                    if left <= 0:
                        return True
                    self._changed.wait(left)
                else:
                    self._changed.wait()
            return False

    def _next(self) -> list[Job]:
        with self._changed:
            count = 0
            for position, job in enumerate(self._jobs):
                count += len(job.messages)
                if count > self.MESSAGES and position:
                    return self._jobs[:position]
            return list(self._jobs)

    def _publish(self, producer: Producer, jobs: list[Job]) -> Producer | None:
        """One transaction; on failure it is aborted and tried again later, as nothing of it was seen by anybody."""
        self._on_step("publish")
        try:
            commit_jobs(producer, jobs, self._generation, self._note_asking)
        except KafkaException as error:
            return self._recover(producer, error)
        self._on_step("published")
        with self._changed:
            done = len(jobs)
            self._jobs = self._jobs[done:]
            self._oldest = time.monotonic()
            self._backlog -= sum(len(job.messages) for job in jobs)
            for job in jobs:
                before = self._done.get(job.partition)
                self._done[job.partition] = Published(job.token, len(job.messages) + (before.messages if before else 0))
            self._changed.notify_all()
        self._on_published(jobs)
        return producer

    def _note_asking(self, what: str) -> None:
        self._asking_since = time.monotonic() if what == "asking" else 0.0

    def _recover(self, producer: Producer, error: KafkaException) -> Producer | None:
        """After a failed transaction: publish again only what certainly was not published.

        An aborted transaction was seen by nobody, so its jobs, still queued, go into the next one. If it could not be aborted,
        nobody here knows whether it was committed: the new producer makes the broker decide, and the loop attaches anew,
        which reads in Kafka's offsets what was published. The same goes for a generation that is no longer the newest.
        """
        self._asking_since = 0.0
        certain = not error.args[0].fatal()
        if certain:
            try:
                insist(producer.abort_transaction)
            except KafkaException:
                certain = False
        if not certain or error.args[0].name() in STALE:
            with self._changed:
                self._generation = None
                self._fenced = True
        if not certain:
            let_go(producer)
            return self._begun()
        time.sleep(0.05)
        return producer

    def _begun(self) -> Producer | None:
        """A new producer; None when nothing is to be published any more, above all by who was left behind: it would fence who took over."""
        self._began_at = 0.0
        return None if self._given_up else self._beginning.begin()

    def _waited(self, seconds: float) -> bool:
        """Whether nothing is to be published any more, after a pause at most."""
        with self._changed:
            return self._changed.wait_for(self._is_over, seconds)

    def _is_over(self) -> bool:
        return self._given_up or (self._stopping and not self._jobs)
