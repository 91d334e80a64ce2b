"""Notices that are no longer in memory, read again from their topic by their offsets."""

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, TopicPartition

from exchange.errors import RetryLaterError

GAP = 1000
"""Offsets between two wanted notices up to which reading on is quicker than seeking."""
WITHIN_SECONDS = 20.0


class Rereader:
    """Reads notices again; belongs to one thread.

    Args:
        consumer: read_committed, in no group that matters, telling ends of partitions.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def read(self, topic: str, partition: int, offsets: Sequence[int]) -> dict[int, bytes]:
        """The notices at some offsets; those compacted away are missing.

        Raises:
            RetryLaterError: Kafka is away.
        """
        wanted = sorted(set(offsets))
        found: dict[int, bytes] = {}
        until = time.monotonic() + WITHIN_SECONDS
        position = -GAP
        while wanted:
            if wanted[0] - position >= GAP or position > wanted[0]:
                position = wanted[0]
                self._consumer.assign([TopicPartition(topic, partition, position)])
            for message in self._consumer.consume(500, 0.2):
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 # librdkafka's own codes are named so
                        wanted.clear()
                    continue
                position = (message.offset() or 0) + 1
                while wanted and wanted[0] < position:
                    if wanted.pop(0) == position - 1:
                        found[position - 1] = message.value() or b""
            if time.monotonic() > until:
                raise RetryLaterError(f"cannot read {topic} [{partition}] again", code="kafka_away")
        self._consumer.unassign()
        return found

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
