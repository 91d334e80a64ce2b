"""Reads the standings of one share of the partitions from Redis, a bounded batch at a time, so that nobody else waits for long."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, cast

from redis import Redis
from redis.exceptions import RedisError

from exchange.domain.standing import Standing
from exchange.redis_client import run_pipeline
from exchange.redis_errors import translate_redis
from exchange.standing_part import unpack_counted

BATCH = 500
"""Standings of one MGET: about a third of a megabyte, under a millisecond of the server's time."""
KEYS = 1000
"""Keys that one step of the walk looks at."""


class Place(NamedTuple):
    """Where a standing lies."""

    partition: int
    subject: str


def walk(client: "Redis", share: int, shares: int) -> Iterator[Place]:
    """Every standing of the partitions of one share (those whose number leaves `share` when divided by `shares`), each once.

    One walk over the server's keys, whatever the number of partitions. Standings made meanwhile may be among them or not.

    Raises:
        RetryLaterError: Redis is away.
    """
    seen: set[str] = set()  # Redis may say a key twice while its table grows
    try:
        for key in client.scan_iter(match="\\{*\\}:s:*", count=KEYS):
            tag, _, subject = cast("bytes", key).decode().partition(":s:")
            partition = int(tag[1:-1])
            if partition % shares == share and subject not in seen:
                seen.add(subject)
                yield Place(partition, subject)
    except RedisError as error:
        raise translate_redis(error) from error


def batches(places: Iterator[Place]) -> Iterator[dict[int, list[str]]]:
    """The places in batches, by partition."""
    while some := list(islice(places, BATCH)):
        found: dict[int, list[str]] = {}
        for partition, subject in some:
            found.setdefault(partition, []).append(subject)
        yield found


def read_standings(client: "Redis", batch: dict[int, list[str]]) -> Iterator[tuple[Place, Standing]]:
    """What a simulation reads of the batch's standings (`unpack_counted`), in one round trip; those that are gone are left out.

    Raises:
        RetryLaterError: Redis is away.
    """
    commands = [("MGET", *(f"{{{number}}}:s:{one}" for one in subjects)) for number, subjects in batch.items()]
    for (number, subjects), packed in zip(batch.items(), run_pipeline(client, commands, ()), strict=True):
        for subject, raw in zip(subjects, packed, strict=True):
            if raw:
                yield Place(number, subject), unpack_counted(raw)
