"""Reading topics from end to end, outside any group: for reading back what was told, and for the oracle."""

import time
from collections.abc import Callable, Iterator, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.standing.consumed import Consumed, sort_out
from exchange.errors import RetryLaterError
from exchange.kafka import translate

SILENCE = 60.0
"""Seconds without a message after which reading is given up for now."""
MOMENT = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses in seconds before an answer is asked for again."""
Place = tuple[str, int]
"""Topic and partition."""


def watermarks(reader: Consumer, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
    """First offset there is and the next to be written, markers of transactions included.

    Raises:
        RetryLaterError: Kafka is away, or leaders are moving for longer than a moment.
    """
    return {place: _watermarks(reader, place) for place in places}


def _watermarks(reader: Consumer, place: Place) -> tuple[int, int]:
    """Of one place; asked again for a moment, as leaders of topics just made are not known everywhere at once."""
    pauses = iter(MOMENT)
    while True:
        try:
            return reader.get_watermark_offsets(TopicPartition(*place), timeout=30)
        except KafkaException as error:
            failure = translate(error, "asking for the ends of topics")
            pause = next(pauses, None)
            if pause is None or not isinstance(failure, RetryLaterError):
                raise failure from error
            time.sleep(pause)


def read_places(
    reader: Consumer,
    places: dict[Place, tuple[int, int]],
    between: Callable[[], None] = lambda: None,
    *,
    silence: float = SILENCE,
) -> Iterator[Consumed]:
    """Every message from the first offset (inclusive) to the second (exclusive) of each place; each place in order.

    A read_committed reader waits for transactions under way. `between` is called every few thousand messages.

    Raises:
        RetryLaterError: nothing came for `silence` seconds.
    """
    left = {place: end for place, (begin, end) in places.items() if end > begin}
    if not left:
        return
    reader.assign([TopicPartition(*place, places[place][0]) for place in left])
    heard_at = time.monotonic()
    while left:
        between()
        messages, _ = sort_out(reader.consume(5000, 0.05))
        for message in messages:
            if message.offset() < places[message.topic(), message.partition()][1]:
                yield message
        if messages:
            heard_at = time.monotonic()
        for found in reader.position([TopicPartition(*place) for place in left]):
            if found.offset >= left[found.topic, found.partition]:
                del left[found.topic, found.partition]
                reader.incremental_unassign([TopicPartition(found.topic, found.partition)])
        if time.monotonic() - heard_at > silence:
            raise RetryLaterError(f"cannot read {sorted(left)[:3]}", remedy="check the brokers")
