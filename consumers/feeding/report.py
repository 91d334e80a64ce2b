"""What a feeding process tells operators of reading: log lines, and how often Kafka was away; never a subject."""

import logging

from confluent_kafka import KafkaError
from prometheus_client import Counter as Counting

from exchange.errors import CreditbusError
from exchange.kafka import ConsumerErrors


class FeedingReport:
    """Metrics and log.

    Args:
        name: of the process, such as `directory`.
        retries: counts by the error's code.
    """

    def __init__(self, name: str, retries: Counting) -> None:
        self._log = logging.getLogger(f"creditbus.{name}")
        self._consumer_errors = ConsumerErrors(self._log)
        self._retries = retries

    def waiting(self, error: CreditbusError) -> None:
        """Kafka is away, or where it is kept."""
        self._retries.labels(error.code).inc()
        self._log.warning("waiting code=%s detail=%s", error.code, error)

    def reading(self, places: int) -> None:
        """So many partitions of the bus's topics are read from now on."""
        self._log.info("reading partitions=%d", places)

    def consumer_errors(self, errors: list[KafkaError]) -> None:
        """The client told of errors; it goes on by itself."""
        self._consumer_errors.tell(errors)
