"""Asks servers whether they are there; the one place of the stack that speaks to Redis."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchange.brokers import Brokers
from exchange.kafka import answers, leads_everything

ONCE = Retry(NoBackoff(), 0)
"""A probe asks once; whoever waits asks again."""


def kafka_answers(kafka: Brokers, *, within_seconds: float = 3.0) -> bool:
    """Whether a Kafka broker answers."""
    return answers(kafka, within_seconds=within_seconds)


def kafka_is_whole(kafka: Brokers, *, within_seconds: float = 3.0) -> bool:
    """Whether a Kafka broker answers and leads all its partitions, as it does a moment after its start."""
    return leads_everything(kafka, within_seconds=within_seconds)


def redis_answers(url: str, *, within_seconds: float = 3.0) -> bool:
    """Whether Redis or Valkey answers and has loaded its data."""
    return redis_version(url, within_seconds=within_seconds) != ""


def redis_version(url: str, *, within_seconds: float = 3.0) -> str:
    """Version of the Redis or Valkey at a URL; empty when it does not answer or still loads its data."""
    client = redis.Redis.from_url(url, socket_connect_timeout=within_seconds, socket_timeout=within_seconds, retry=ONCE)
    try:
        with client:
            client.ping()  # refused while it loads, which INFO is not
            info = client.info("server")
    except (redis.RedisError, OSError):
        return ""
    return str(info.get("valkey_version") or info.get("redis_version") or "unknown")
