"""Moves the access log from Redis to the topic `credit.access`, in the background of the portal.

 1. *Read* the oldest entries of the stream.
 2. *Publish* them, idempotently, and wait until the brokers have them all.
 3. *Trim* them from the stream.

If it dies before 2 has ended or before 3, the next one begins at 1: nothing is lost, and what comes twice has the same id.
"""

import logging
import threading
from collections.abc import Callable
from uuid import uuid4

import redis
from confluent_kafka import KafkaException, Message, Producer
from redis.exceptions import RedisError

from exchange.access_log import STREAM, Waiting, oldest
from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.errors import CreditbusError, RetryLaterError
from exchange.kafka import LOSSLESS
from exchange.redis_errors import translate_redis

_LEASE = "access-log:drainer"
_LEASE_MS = 10_000
_PUBLISH_SECONDS = 5.0
_AT_ONCE = 1000
_PAUSE_SECONDS = 0.2
"""So long entries gather: under load to look again at once would take Redis, Kafka and this process's own turns for a few at a time."""
_BACKOFF_SECONDS = 2.0
log = logging.getLogger("creditbus.portal")


class Drainer:
    """Moves the access log from Redis to Kafka. Of several in as many processes one works at a time, by a lease.

    Args:
        client: of Redis.
        producer: idempotent, see `open_producer`.
        codec: to find the key of a message.
        topic: where to.
        on_step: called with the name of each step as it begins, for fault tests.
    """

    def __init__(
        self,
        client: "redis.Redis",
        producer: Producer,
        codec: Codec,
        topic: str,
        *,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._producer = producer
        self._codec = codec
        self._topic = topic
        self._on_step = on_step
        self._name = uuid4().hex
        self._ended = threading.Event()

    def run(self) -> None:
        """Drain until `stop`; servers that are away are waited for."""
        while not self._ended.is_set():
            try:
                pause = 0.0 if self.drain() == _AT_ONCE else _PAUSE_SECONDS
            except CreditbusError as error:
                log.warning("access log waits code=%s error=%s", error.code, error)
                pause = _BACKOFF_SECONDS
            self._ended.wait(pause)

    def stop(self) -> None:
        """End `run` after the batch under way."""
        self._ended.set()

    def drain(self) -> int:
        """Move a batch.

        Returns:
            How many entries left the stream; 0 also while another process drains.

        Raises:
            RetryLaterError: Redis or Kafka is away; nothing left the stream.
        """
        try:
            if not self._has_lease():
                return 0
            entries = oldest(self._client, _AT_ONCE)
            if entries:
                self._on_step("publish")
                self._publish(entries)
                self._on_step("trim")
                self._client.xdel(STREAM, *(one.place for one in entries))
        except RedisError as error:
            raise translate_redis(error) from error
        return len(entries)

    def waiting(self) -> int:
        """Entries in the stream."""
        try:
            return int(self._client.xlen(STREAM))
        except RedisError as error:
            raise translate_redis(error) from error

    def _has_lease(self) -> bool:
        mine = self._name.encode()
        if self._client.set(_LEASE, mine, nx=True, px=_LEASE_MS):
            return True
        if self._client.get(_LEASE) != mine:
            return False
        return bool(self._client.pexpire(_LEASE, _LEASE_MS))

    def _publish(self, entries: list[Waiting]) -> None:
        failed: list[str] = []

        def told(error: object, _message: Message) -> None:
            if error is not None:
                failed.append(str(error))

        for one in entries:
            _, entry = self._codec.decode_plain(one.raw)
            try:
                self._producer.produce(
                    self._topic, one.raw, (entry["subject"] or entry["account"]).encode(), on_delivery=told
                )
            except (KafkaException, BufferError) as error:
                failed.append(str(error))
                break
        if self._producer.flush(_PUBLISH_SECONDS) or failed:
            raise RetryLaterError(
                f"access log is not published: {failed[0] if failed else 'no answer in time'}",
                code="kafka_unavailable", remedy="see that Kafka runs; entries wait in Redis",
            )  # fmt: skip


def open_producer(kafka: Brokers) -> Producer:
    """A producer for `Drainer`: a message is there once, or after the time limit an error."""
    return Producer({**kafka.config(), **LOSSLESS, "delivery.timeout.ms": 4000, "linger.ms": 5, "log_level": 2})
