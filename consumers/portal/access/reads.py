"""Reads the access log back: what is in Kafka, and what still waits in Redis; an entry that is in both is one entry."""

from itertools import chain
from typing import Any

import redis
from confluent_kafka import Consumer
from redis.exceptions import RedisError

from consumers.standing.reading import read_since
from exchange.access_log import oldest
from exchange.codec import Codec
from exchange.redis_errors import translate_redis
from exchange.settings import Settings
from exchange.topics import Topics

Read = dict[str, Any]
"""A decoded entry: the fields of schemas/records/access_entry.avsc."""
_WAITING_SHOWN = 100_000
_NEVER_MS = 1 << 60


def reads(
    reader: Consumer, client: "redis.Redis", codec: Codec, settings: Settings, *, since_ms: int = 0, until_ms: int | None = None,
    subject: str = "", account: str = "",
) -> list[Read]:  # fmt: skip
    """Who asked for what, oldest first.

    Args:
        reader: of Kafka, in no group.
        client: of Redis.
        codec: of the contracts.
        settings: of the bus.
        since_ms: from when on, milliseconds since 1970-01-01 UTC.
        until_ms: up to when, likewise, exclusive. An entry may reach Kafka long after it was made, so the topic is read to its end.
        subject: only about this one, by its subject id.
        account: only by this one.

    Raises:
        RetryLaterError: Kafka or Redis is away.
    """
    try:  # first what waits: an entry that moves meanwhile is seen twice, not missed
        raw = [one.raw for one in oldest(client, _WAITING_SHOWN)]
    except RedisError as error:
        raise translate_redis(error) from error
    topic = Topics(settings.topic_prefix).access
    moved = (message.value() or b"" for message in read_since(reader, topic, since_ms, settings.partitions))
    found: dict[str, Read] = {}
    for one in chain(raw, moved):
        _, entry = codec.decode(one)
        if (
            since_ms <= entry["asked_at"].timestamp() * 1000 < (until_ms or _NEVER_MS)
            and subject in ("", entry["subject"])
            and account in ("", entry["account"])
        ):
            found[entry["id"]] = entry
    return sorted(found.values(), key=lambda entry: (entry["asked_at"], entry["id"]))
