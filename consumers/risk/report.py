"""What the process of risk classes tells operators: metrics and one log line an event, fields and never a subject."""

import logging
from collections import Counter
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumers.risk.classing import Classed
from consumers.risk.monthly import MonthlyRound
from exchange.domain.risk.model import CLASSES
from exchange.errors import CreditbusError, RejectedError
from exchange.kafka import ConsumerErrors
from exchange.metrics import RiskMetrics

log = logging.getLogger("creditbus.risk")


class RiskReport:
    """Metrics and log.

    Args:
        metrics: where to count.
    """

    def __init__(self, metrics: RiskMetrics) -> None:
        self._metrics = metrics
        self._consumer_errors = ConsumerErrors(log)

    def classed(self, classed: Classed, cause: str, seconds: float) -> None:
        """A batch was worked out and what differs is on the bus."""
        self._metrics.computed.labels(cause).inc(classed.computed)
        for _, record in classed.records:
            self._metrics.published.labels(record["grade"], cause).inc()
        self._metrics.batch_seconds.observe(seconds)

    def refused(self, error: RejectedError) -> None:
        """A class breaks a rule of the bus: a fault of ours, to be mended; the firm keeps the class that it has."""
        for code in {reason.code for reason in error.reasons}:
            self._metrics.refused.labels(code).inc()
        log.error("refused code=%s detail=%s", error.code, error)

    def waiting(self, error: CreditbusError) -> None:
        """A server is away."""
        self._metrics.retries.labels(error.code).inc()
        log.warning("waiting code=%s detail=%s", error.code, error)

    def attached(self, partitions: int) -> None:
        """Partitions were taken over."""
        self._metrics.assigned.set(partitions)
        log.info("attached partitions=%d", partitions)

    def state(self, consumer: Consumer, places: Sequence[TopicPartition], waiting: int, monthly: MonthlyRound) -> None:
        """Gauges."""
        self._metrics.lag.set(waiting + _unread(consumer, places))
        self._metrics.waiting.set(waiting)
        self._metrics.left.set(monthly.left())
        counts: Counter[str] = Counter()
        for one in monthly.rounds():
            counts.update(one.letters)
        for letter in CLASSES:
            self._metrics.classes.labels(letter).set(counts[letter])

    def consumer_errors(self, errors: list[KafkaError]) -> None:
        """The client told of errors; it goes on by itself."""
        self._consumer_errors.tell(errors)


def _unread(consumer: Consumer, places: Sequence[TopicPartition]) -> int:
    """Records on the topics that were not read yet, as far as the client knows."""
    unread = 0
    try:
        for place in consumer.position(list(places)) if places else ():
            _, high = consumer.get_watermark_offsets(place, cached=True)
            unread += max(0, high - place.offset) if place.offset >= 0 else 0
    except KafkaException:
        return unread
    return unread
