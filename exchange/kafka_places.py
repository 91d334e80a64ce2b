"""Places of topics and where they begin and end."""

import time
from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from exchange.errors import RetryLaterError
from exchange.kafka import translate

MOMENT = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses in seconds before an answer is asked for again."""
Place = tuple[str, int]
"""Topic and partition."""


def ends(admin: AdminClient, places: Iterable[Place], *, within_seconds: float = 30) -> dict[Place, int]:
    """The next offset to be written of each place, transactions under way and their markers included.

    A client that has seen a leader before its broker began anew goes on naming the old epoch, and is refused for minutes: after a
    failure ask with another.

    Args:
        admin: kept until the answer is in.
        places: topic and partition of each.
        within_seconds: Kafka has so long for its answer.

    Raises:
        RetryLaterError: Kafka is away.
    """
    newest = OffsetSpec.latest()  # type: ignore[no-untyped-call] # confluent-kafka leaves it untyped
    asked = {TopicPartition(*place): newest for place in places}
    try:
        answers = admin.list_offsets(asked, request_timeout=within_seconds) if asked else {}
        return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
    except KafkaException as error:
        raise translate(error, "asking for the ends of topics") from error


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
