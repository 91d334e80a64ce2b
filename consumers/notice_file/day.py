"""The notices that were issued to a department on a day in China, read from its topic."""

from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Consumer

from consumers.standing.reading import read_since
from exchange.codec import Codec
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, day_of

Notice = dict[str, Any]
"""A decoded notice: the fields of schemas/records/notice.avsc."""
_MARGIN_MS = DAY_MS
"""A notice is published after it is issued; clocks of processors and brokers disagree by less than this."""


def notices_of_day(reader: Consumer, codec: Codec, topic: str, day: int, partitions: int) -> list[Notice]:
    """Every notice issued on a day, each once, by time of issue, those of a subject in their order.

    Args:
        reader: read_committed, in no group.
        codec: of the contracts.
        topic: `credit.out.<department>`.
        day: days since 1970-01-01, in China.
        partitions: of the topic.

    Raises:
        RetryLaterError: Kafka is away.
    """
    found: dict[tuple[str, int, int], Notice] = {}
    since_ms = day * DAY_MS - CHINA_OFFSET_MS - _MARGIN_MS
    for message in read_since(reader, topic, since_ms, partitions):
        notice = codec.decode(message.value() or b"")[1]
        if day_of(int(notice["issued_at"].timestamp() * 1000)) == day:
            found[notice["subject"], notice["epoch"], notice["n"]] = notice
    return sorted(found.values(), key=lambda one: (one["issued_at"], one["subject"], one["epoch"], one["n"]))


def in_china(moment: datetime) -> str:
    """A time as people in China write it.

    >>> in_china(datetime(2026, 5, 20, 2, tzinfo=UTC))
    '2026-05-20 10:00:00'
    """
    return f"{moment.astimezone(UTC) + timedelta(milliseconds=CHINA_OFFSET_MS):%Y-%m-%d %H:%M:%S}"
