"""Places of topics and where they begin and end."""

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from exchange.errors import RetryLaterError
from exchange.kafka import translate

MOMENT = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses in seconds before an answer is asked for again."""
Place = tuple[str, int]
"""Topic and partition."""


def watermarks(reader: Consumer, places: Sequence[Place], within_seconds: float = 30) -> dict[Place, tuple[int, int]]:
    """First offset there is and the next to be written, markers of transactions included.

    Args:
        reader: a consumer.
        places: topic and partition of each.
        within_seconds: Kafka has so long for each answer.

    Raises:
        RetryLaterError: Kafka is away, or leaders are moving for longer than a moment.
    """
    return {place: _watermarks(reader, place, within_seconds) for place in places}


def _watermarks(reader: Consumer, place: Place, within_seconds: float) -> tuple[int, int]:
    """Of one place; asked again for a moment, as leaders of topics just made are not known everywhere at once."""
    pauses = iter(MOMENT)
    while True:
        try:
            return reader.get_watermark_offsets(TopicPartition(*place), timeout=within_seconds)
        except KafkaException as error:
            failure = translate(error, "asking for the ends of topics")
            pause = next(pauses, None)
            if pause is None or not isinstance(failure, RetryLaterError):
                raise failure from error
            time.sleep(pause)
