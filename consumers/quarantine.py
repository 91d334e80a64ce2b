"""Quarantine: list what was rejected and why, send it again once the cause is mended, and release held topics."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, Producer

from consumers.standing.reading import read_places
from exchange.codec import Codec
from exchange.errors import RequestError
from exchange.kafka_places import watermarks
from exchange.topics import Topics

Rejection = dict[str, Any]
"""A decoded rejection: the fields of schemas/records/rejection.avsc."""


def rejections(reader: Consumer, codec: Codec, topics: Topics, department: str) -> Iterator[Rejection]:
    """Every rejection of a department that is there now, partition by partition, oldest first.

    Raises:
        RetryLaterError: Kafka is away.
    """
    topic = topics.rejected_of(department)
    for number in sorted(reader.list_topics(topic, timeout=30).topics[topic].partitions):
        for message in read_places(reader, watermarks(reader, [(topic, number)])):
            yield codec.decode(message.value() or b"")[1]


def replay(producer: Producer, rejection: Rejection) -> None:
    """Put a rejected record back where it came from, byte for byte; it is judged anew.

    Raises:
        RequestError: `nothing_kept`: it was classified, so there is nothing to send.
    """
    if not rejection["raw"]:
        raise RequestError(
            f"{rejection['topic']} [{rejection['partition']}] at {rejection['offset']} was not kept",
            code="nothing_kept", remedy="classified records are not kept; the department must publish it unclassified",
        )  # fmt: skip
    producer.produce(rejection["topic"], rejection["raw"], rejection["raw_key"] or None)
    producer.poll(0)
