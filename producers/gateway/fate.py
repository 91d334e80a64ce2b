"""What became of a record that lies on the bus: the processor accepted it, rejected it and why, or has not come to it yet."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from exchange.codec import Codec
from exchange.errors import RetryLaterError, UndecodableError
from exchange.json_form import to_json
from exchange.kafka import reading, translate
from exchange.kafka_places import watermarks
from exchange.settings import Settings
from exchange.topics import Topics

_SECONDS = 10.0
"""Kafka has this long to answer each question."""
_CLOCKS_MS = 3_600_000
"""So far the clocks of the gateway and the processors may be apart."""
_QUIET = logging.getLogger("creditbus.kafka")
Fate = dict[str, Any]


class _Place(NamedTuple):
    topic: str
    partition: int
    offset: int


class Fates:
    """Looks records up in Kafka, each time anew; keeps nothing.

    The processors' group commits its offsets in the same transaction as the rejections: once its offset lies behind a record, the
    record was rejected if a rejection names its place, and accepted if none does. Rejections lie in the record's partition, in order.

    Args:
        settings: of the bus.
        codec: of the contracts.
    """

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._kafka = settings.kafka
        self._group = f"{settings.topic_prefix}.{settings.group}"
        self._topics = Topics(settings.topic_prefix)
        self._partitions = settings.partitions
        self._codec = codec

    def find(self, department: str, partition: int, offset: int) -> Fate | None:
        """What became of a department's record; None when there is none at the place.

        Raises:
            RetryLaterError: Kafka is away.
        """
        if not 0 <= partition < self._partitions:
            return None
        place = _Place(self._topics.into(department), partition, offset)
        with closing(self._open()) as reader:
            try:
                return self._look(reader, department, place)
            except KafkaException as error:
                raise translate(error, f"looking for {place.topic} [{partition}] {offset}") from error

    def _look(self, reader: Consumer, department: str, place: _Place) -> Fate | None:
        at = (place.topic, place.partition)
        first, end = watermarks(reader, [at], _SECONDS)[at]
        if not first <= place.offset < end:
            return None
        message = next(_messages(reader, place), None)
        if message is None or message.offset() != place.offset:
            return None
        known = place._asdict() | self._described(message)
        (committed,) = reader.committed([TopicPartition(place.topic, place.partition)], timeout=_SECONDS)
        if committed.offset <= place.offset:
            return known | {"status": "pending"}
        rejection = self._rejection(reader, self._topics.rejected_of(department), place, message.timestamp()[1])
        if rejection is None:
            return known | {"status": "accepted"}
        if any(reason["code"] == "classified" for reason in rejection["reasons"]):
            known = place._asdict()  # nothing else of it is told
        return known | {
            "status": "rejected",
            "reasons": rejection["reasons"],
            "received_at": to_json(rejection["received_at"]),
        }

    def _described(self, message: Message) -> Fate:
        try:
            record_type, record = self._codec.decode(message.value() or b"")
        except UndecodableError:
            return {}
        return {"type": record_type} | {name: record[name] for name in ("document", "revision") if name in record}

    def _rejection(self, reader: Consumer, topic: str, place: _Place, published_ms: int) -> Fate | None:
        asked = TopicPartition(topic, place.partition, max(0, published_ms - _CLOCKS_MS))
        (start,) = reader.offsets_for_times([asked], timeout=_SECONDS)
        if start.offset < 0:  # none since then
            return None
        for message in _messages(reader, _Place(topic, place.partition, start.offset)):
            rejection = self._codec.decode(message.value() or b"")[1]
            if rejection["topic"] == place.topic and rejection["offset"] >= place.offset:
                return rejection if rejection["offset"] == place.offset else None
        return None

    def _open(self) -> Consumer:
        """A reader of committed messages that asks for the group's offsets and never joins it."""
        return Consumer(
            reading(self._kafka, self._group) | {"enable.partition.eof": True, "fetch.wait.max.ms": 5, "log_level": 2},
            logger=_QUIET,
        )


def _messages(reader: Consumer, place: _Place) -> Iterator[Message]:
    """The messages of a partition from a place to its end.

    Raises:
        RetryLaterError: Kafka is away.
    """
    reader.assign([TopicPartition(*place)])
    give_up_at = time.monotonic() + _SECONDS
    while (left := give_up_at - time.monotonic()) > 0:
        message = reader.poll(left)
        if message is None:
            continue
        error = message.error()
        if error is None:
            give_up_at = time.monotonic() + _SECONDS
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 # librdkafka's own codes are named so
            return
        elif not isinstance(failure := translate(KafkaException(error), f"reading {place.topic}"), RetryLaterError):
            raise failure
    remedy = "see that Kafka runs, and ask again"
    raise RetryLaterError(f"{place.topic} cannot be read in {_SECONDS:g} s", code="kafka_unavailable", remedy=remedy)
