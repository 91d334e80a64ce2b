"""Reading topics from end to end, outside any group: for reading back what was told, and for the oracle."""

import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.standing.consumed import Consumed, sort_out
from exchange.errors import RetryLaterError
from exchange.kafka import REQUEST_SECONDS, translate
from exchange.kafka_places import Place, watermarks

SILENCE = 60.0
"""Seconds without a message after which reading is given up for now."""


def behind(
    consumer: Consumer,
    places: Sequence[TopicPartition],
    taken: Callable[[TopicPartition], int],
    held: AbstractSet[Place] = frozenset(),
) -> list[int]:
    """Messages of each place that are not taken in yet, as far as the client knows; it asks nobody.

    The last offsets of a topic that is written in transactions are markers, which no reader is handed; the consumer's position passes
    them. So it counts too, while nothing that was consumed is still in hand.

    Args:
        consumer: that reads the places.
        places: topic and partition of each.
        taken: the offset after what was taken in last.
        held: places of which messages were consumed and put aside.
    """
    try:
        read = [place.offset for place in consumer.position(list(places))] if places else []
    except KafkaException:  # a consumer that has failed for good
        read = [-1] * len(places)
    found = []
    for place, position in zip(places, read, strict=True):
        try:
            low, high = consumer.get_watermark_offsets(place, cached=True)
        except KafkaException:
            low = high = 0
        passed = -1 if (place.topic, place.partition) in held else position
        found.append(max(0, high - max(low, taken(place), passed)))
    return found


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


def read_since(reader: Consumer, topic: str, since_ms: int, partitions: int) -> Iterator[Consumed]:
    """Every message of a topic from a time until its end as it is now; each partition in order.

    Args:
        reader: in no group.
        topic: its name.
        since_ms: milliseconds since 1970-01-01 UTC, by the time of publication.
        partitions: of the topic.

    Raises:
        RetryLaterError: Kafka is away.
    """
    places = watermarks(reader, [(topic, number) for number in range(partitions)])
    asked = [TopicPartition(topic, number, max(0, since_ms)) for number in range(partitions)]
    try:
        starts = reader.offsets_for_times(asked, timeout=REQUEST_SECONDS)
    except KafkaException as error:
        raise translate(error, f"reading {topic}") from error
    for start in starts:
        first, end = places[topic, start.partition]
        places[topic, start.partition] = (max(first, start.offset) if start.offset >= 0 else end, end)
    yield from read_places(reader, places)
