"""Reads topics from their ends backwards, in windows, for people: they want the newest first, and rarely all.

Partitions are merged by the time of their messages, each in the order of its offsets: a page that took a message took all that lie behind it.
Where a place was compacted a page may reach further back in one partition than in another; none is left out, since each has its own offset.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.inbox_http.cursor import Offsets
from exchange.errors import RetryLaterError
from exchange.kafka import translate
from exchange.kafka_places import watermarks

READ_SECONDS = 10.0
"""Kafka has this long for one question."""
_FIRST_WINDOW = 2_000
_WINDOW_GROWTH = 8


class Raw(NamedTuple):
    """A message and where it lies; `at` is when it was published, milliseconds since 1970-01-01 UTC."""

    partition: int
    offset: int
    at: int
    key: bytes
    value: bytes


class BackPage(NamedTuple):
    """Messages, the newest first; `offsets` is where the page before this one ends; `finished` when there is none."""

    messages: tuple[Raw, ...]
    offsets: Offsets
    finished: bool


def read_back(consumer: Consumer, topic: str, ends: Offsets, limit: int) -> BackPage:
    """The newest messages before some offsets.

    Args:
        consumer: of `open_consumer`.
        topic: to read.
        ends: the first offset that is not wanted, of each partition; negative means behind the last.
        limit: messages at most.

    Raises:
        RetryLaterError: Kafka is away.
    """
    firsts, upto = _bounds(consumer, topic, ends)
    windows = {number: (max(firsts[number], end - limit), end) for number, end in enumerate(upto)}
    found = newest_first(_between(consumer, topic, windows))
    taken = tuple(found[:limit])
    places = list(upto)
    whole = {one.partition for one in found} - {one.partition for one in found[limit:]}
    for number, (begin, _) in windows.items():
        if number in whole or not any(one.partition == number for one in found):
            places[number] = begin
    for one in taken:
        places[one.partition] = min(places[one.partition], one.offset)
    finished = all(place <= first for place, first in zip(places, firsts, strict=True))
    return BackPage(taken, tuple(places), finished)


def newest_first(found: Iterable[Raw]) -> list[Raw]:
    """Messages by time, but within a partition by offset; the same order however they came, also where times are equal or go back."""
    by_place = sorted(found, key=lambda one: (one.partition, -one.offset))
    places = [list(lot) for _, lot in groupby(by_place, key=lambda one: one.partition)]
    return list(merge(*places, key=lambda one: one.at, reverse=True))


def read_key_back(
    consumer: Consumer, topic: str, partition: int, key: bytes, *, limit: int, scanned: int
) -> list[Raw]:  # fmt: skip
    """The newest messages of one key, the newest first; the first is looked for to the very beginning, others not so far.

    Args:
        consumer: of `open_consumer`.
        topic: to read.
        partition: that the key lies in.
        key: of the messages.
        limit: messages at most.
        scanned: offsets to look through, about, once one is found.

    Raises:
        RetryLaterError: Kafka is away, or the search takes too long.
    """
    first, end = watermarks(consumer, [(topic, partition)], READ_SECONDS)[topic, partition]
    newest, window = end, _FIRST_WINDOW
    found: list[Raw] = []
    until = time.monotonic() + READ_SECONDS
    while end > first and len(found) < limit and not (found and newest - end >= scanned):
        if time.monotonic() > until:
            raise _away(topic)
        begin = max(first, end - window)
        found += sorted(
            (one for one in _between(consumer, topic, {partition: (begin, end)}) if one.key == key),
            key=lambda one: -one.offset,
        )
        end, window = begin, window * _WINDOW_GROWTH
    return found[:limit]


def read_one(consumer: Consumer, topic: str, partition: int, offset: int) -> Raw | None:
    """The message at an offset; None when it is not there (any more).

    Raises:
        RetryLaterError: Kafka is away.
    """
    first, end = watermarks(consumer, [(topic, partition)], READ_SECONDS)[topic, partition]
    if not first <= offset < end:
        return None
    found = _between(consumer, topic, {partition: (offset, offset + 1)})
    return next((one for one in found if one.offset == offset), None)


def _bounds(consumer: Consumer, topic: str, ends: Offsets) -> tuple[list[int], list[int]]:
    firsts, upto = [], []
    for number, end in enumerate(ends):
        first, behind = watermarks(consumer, [(topic, number)], READ_SECONDS)[topic, number]
        firsts.append(first)
        upto.append(behind if end < 0 else max(first, min(end, behind)))
    return firsts, upto


def _between(consumer: Consumer, topic: str, windows: Mapping[int, tuple[int, int]]) -> list[Raw]:
    """Every message of some partitions from an offset on and before another."""
    left = {number: end for number, (begin, end) in windows.items() if begin < end}
    if not left:
        return []
    found = []
    consumer.assign([TopicPartition(topic, number, windows[number][0]) for number in left])
    try:
        for message in _messages(consumer, topic):
            number, offset = message.partition() or 0, message.offset() or 0
            if number not in left:
                continue
            if message.error() is None and offset < left[number]:
                found.append(Raw(number, offset, message.timestamp()[1], message.key() or b"", message.value() or b""))
            if message.error() is not None or offset >= left[number] - 1:
                del left[number]
                consumer.incremental_unassign([TopicPartition(topic, number)])
            if not left:
                break
    finally:
        consumer.unassign()
    return found


def _messages(consumer: Consumer, topic: str) -> Iterator[Message]:
    """Messages and ends of partitions as they come, until Kafka's time is up."""
    until = time.monotonic() + READ_SECONDS
    while (seconds := until - time.monotonic()) > 0:
        first = consumer.poll(seconds)
        for message in (first, *consumer.consume(1000, 0)) if first is not None else ():
            error = message.error()
            if error is None or error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 # librdkafka's own codes are named so
                yield message
                continue
            failure = translate(KafkaException(error), f"reading {topic}")
            if not isinstance(failure, RetryLaterError):
                raise failure
    raise _away(topic)


def _away(topic: str) -> RetryLaterError:
    return RetryLaterError(
        f"{topic} cannot be read within {READ_SECONDS:g} s", code="kafka_unavailable",
        remedy="see that Kafka runs and that the topic is there (creditbus topics apply), and ask again",
    )  # fmt: skip
