"""What the loop tells operators: metrics and one log line an event, fields and never a subject."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition
from prometheus_client import Counter as PrometheusCounter

from consumers.standing.decode import CLASSIFIED, count_reasons
from consumers.standing.join import Join
from consumers.standing.lanes import PublishingLanes
from consumers.standing.liveness import Standstill
from consumers.standing.partition import Partition
from consumers.standing.reading import behind
from consumers.standing.transaction import Job
from consumers.standing.work import Tally, Work
from exchange.errors import CreditbusError
from exchange.kafka import ConsumerErrors
from exchange.metrics import StandingMetrics

OVERDUE_EVERY = 10.0
"""Seconds between counts of what is overdue."""

log = logging.getLogger("creditbus.standing")


class BatchClock:
    """Times the stages of one batch."""

    def __init__(self, metrics: StandingMetrics) -> None:
        self._metrics = metrics
        self._at = time.perf_counter()

    def restart(self) -> None:
        """Leave out the time since the last stage."""
        self._at = time.perf_counter()

    def stage(self, name: str) -> None:
        """The stage that has just ended."""
        now = time.perf_counter()
        self._metrics.stage_seconds.labels(name).observe(now - self._at)
        self._at = now


class Report:
    """Metrics and log of a standing processor."""

    def __init__(self, metrics: StandingMetrics) -> None:
        self._metrics = metrics
        self._consumer_errors = ConsumerErrors(log)
        self.lag_known = 0
        self._overdue_at = 0.0
        self._standstill = Standstill()

    def batch(self, size: int) -> BatchClock:
        """A batch of so many messages begins."""
        self._metrics.batch_records.observe(size)
        return BatchClock(self._metrics)

    def joined(self, join: Join, batch: Iterable[Work]) -> None:
        """A batch was committed."""
        m, tally = self._metrics, join.tally
        join.tally = Tally()
        for (topic, record_type), count in tally.records.items():
            m.records.labels(topic.rpartition("in.")[2], record_type).inc(count)
        by_labels: tuple[tuple[PrometheusCounter, Mapping[Any, int]], ...] = (
            (m.notices, tally.notices), (m.without_basis, tally.without_basis), (m.late_publications, tally.late),
            (m.feedback, tally.feedback), (m.snoozed, tally.snoozed), (m.overdue_told, tally.overdue_told),
        )  # fmt: skip
        for counter, counted in by_labels:
            for labels, count in counted.items():
                counter.labels(*labels).inc(count)
        m.duplicates.inc(tally.known)
        m.messages.inc(tally.internal)
        m.contested.inc(tally.contested)
        m.timers_fired.inc(tally.timers)
        m.cache_misses.inc(tally.misses)
        for work in batch:
            for one in work.decoded.rejected:
                m.quarantined.labels(one.department).inc()
            for (department, reason), count in count_reasons(work.decoded.rejected).items():
                m.rejections.labels(department, reason).inc(count)
                if reason == CLASSIFIED:
                    m.classified.labels(department).inc(count)
            self._latency("commit", work.decoded.first_published)

    def published(self, jobs: list[Job]) -> None:
        """A transaction went through."""
        self._metrics.transaction_commits.observe(len(jobs))
        for job in jobs:
            if job.messages:
                self._latency("publish", job.since)

    def _latency(self, stage: str, since: int) -> None:
        if since:
            self._metrics.stage_latency.labels(stage).observe(max(0.0, time.time() - since / 1000))

    def state(
        self,
        consumer: Consumer,
        places: list[TopicPartition],
        partitions: list[Partition],
        publisher: PublishingLanes,
        held: AbstractSet[tuple[str, int]],
    ) -> None:
        """Gauges: lag, cache, outbox. What is held back waits for an operator, so it is lag, but nothing that one is stuck with."""
        m, lag = self._metrics, 0
        waiting = {partition.number: 0 for partition in partitions}
        owned = {partition.number: partition for partition in partitions}
        mine = [place for place in places if place.partition in owned]
        left = behind(consumer, mine, lambda place: owned[place.partition].offsets.get(place.topic, 0), held)
        for place, records in zip(mine, left, strict=True):
            lag += records
            if (place.topic, place.partition) not in held:
                waiting[place.partition] += records
        self.lag_known = sum(waiting.values())
        m.lag.set(lag)
        for number in self._standstill.known - owned.keys():
            m.standstill.remove(str(number))
        taken = {number: sum(partition.offsets.values()) for number, partition in owned.items()}
        for number, seconds in self._standstill.note(waiting, taken).items():
            m.standstill.labels(str(number)).set(seconds)
        m.assigned.set(len(partitions))
        m.cached.set(sum(len(partition.cache) for partition in partitions))
        m.epoch.set(max((partition.epoch for partition in partitions), default=0))
        m.outbox.set(publisher.backlog)
        m.outbox_oldest.set_function(lambda: publisher.oldest_for)  # asked, as this loop waits while Kafka is away

    def overdue(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Gauge: overdue responses by department, counted now and then."""
        if time.monotonic() >= self._overdue_at:
            self._overdue_at = time.monotonic() + OVERDUE_EVERY
            for department, owed in count().items():
                self._metrics.overdue.labels(department).set(owed)

    def fenced(self, by: str, count: int) -> None:
        """Commits or transactions were refused."""
        self._metrics.fenced.labels(by).inc(count)
        log.warning("fenced by=%s count=%d", by, count)

    def reconciling(self, partition: Partition) -> None:
        """Redis came back older than Kafka; the partition is replayed in silence."""
        self._metrics.reconciles.inc()
        log.warning("reconcile begins partition=%d epoch=%d", partition.number, partition.epoch)

    def reconciled(self, partition: Partition, told: int) -> None:
        """The replay is over and the differences are told."""
        log.warning("reconcile ends partition=%d epoch=%d messages=%d", partition.number, partition.epoch, told)

    def waiting(self, error: CreditbusError) -> None:
        """A server is away."""
        self._metrics.retries.labels(error.code).inc()
        log.warning("waiting code=%s detail=%s", error.code, error)

    def held(self, partition: Partition, topics: set[str]) -> None:
        """Topics are held back by the quarantine limit."""
        for topic in topics:
            self._metrics.held.labels(topic.rpartition("in.")[2]).inc()
            log.error(
                "held topic=%s partition=%d run=%d", topic, partition.number, partition.rejected_runs.get(topic, 0)
            )

    def released(self, topic: str) -> None:
        """An operator let a held topic go on."""
        self._metrics.held.labels(topic.rpartition("in.")[2]).dec()
        log.warning("released topic=%s", topic)

    def rejoining(self) -> None:
        """The group refused this member for good; it joins anew."""
        self._metrics.rejoins.inc()
        log.warning("rejoining")

    def consumer_errors(self, errors: list[KafkaError]) -> None:
        """The client told of errors; it goes on by itself."""
        self._consumer_errors.tell(errors)
