"""Append: entries and the offsets of their messages in one Kafka transaction, as a member of one generation of the group.

If it dies here, the transaction is aborted, nobody has seen its entries, and the next owner begins at the offsets before it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from consumers.standing.transaction import STALE
from exchange.domain.ledger import Entry
from exchange.errors import CreditbusError, FencedError, RetryLaterError
from exchange.kafka import OnError, translate

INIT_SECONDS = 10.0
OFFSETS_SECONDS = 5.0
COMMIT_SECONDS = 10.0
"""Limits of a transaction's calls. What became of one that failed is found out by attaching anew."""
LOST_AFTER = 2.0
"""A call that takes so many seconds longer than it may never ends: librdkafka can lose one while brokers restart (decision 31)."""
_FENCED = {KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED}  # noqa: SLF001 # librdkafka's own code


class Appender:
    """Appends to the ledger's topic.

    Args:
        new_producer: makes a transactional producer, always of the same name; it tells the given function of its errors.
        topic: the ledger's.
        write: an entry's message.
        on_step: told "append", "offsets" and "commit" as they begin, and "committed".
    """

    def __init__(
        self,
        *,
        new_producer: Callable[[OnError], Producer],
        topic: str,
        write: Callable[[Entry], bytes],
        on_step: Callable[[str], None],
    ) -> None:
        self._new_producer = new_producer
        self._producer: Producer | None = None
        self._doubtful = False
        self._topic = topic
        self._write = write
        self._on_step = on_step

    def append(self, entries: Iterable[Entry], offsets: Mapping[TopicPartition, str], generation: Any) -> None:
        """One transaction.

        Args:
            entries: each of its partition's chain, in order.
            offsets: next offsets with their metadata, at least one of each partition: they are what fences.
            generation: metadata of the group as of the newest assignment.

        Raises:
            FencedError: the partitions were given to somebody else, or somebody has this producer's name.
            RetryLaterError: Kafka is away.
            FatalError: anything else.
        """
        try:
            producer = self._ready()
            producer.begin_transaction()
            self._on_step("append")
            self._produce(producer, entries)
            self._on_step("offsets")
            places = [TopicPartition(p.topic, p.partition, p.offset, metadata) for p, metadata in offsets.items()]
            _limited(lambda: producer.send_offsets_to_transaction(places, generation, OFFSETS_SECONDS), OFFSETS_SECONDS)
            self._on_step("commit")
            _limited(lambda: producer.commit_transaction(COMMIT_SECONDS), COMMIT_SECONDS)
        except KafkaException as error:
            self._producer = None
            raise _failure(error) from error
        except RetryLaterError:
            if self._producer is not None:
                self._producer.purge(blocking=False)  # the call may go on one day; its messages must not
            self._producer = None
            raise
        self._on_step("committed")

    def renew(self) -> Producer:
        """Begin with a new producer: from then on none of its name before it can commit anything, nor is what it left open.

        Raises:
            RetryLaterError: Kafka takes no transactions now.
        """
        self._producer, self._doubtful = None, False
        try:
            producer = self._new_producer(self._doubt)
            _limited(lambda: producer.init_transactions(INIT_SECONDS), INIT_SECONDS)
        except KafkaException as error:
            raise RetryLaterError(
                f"Kafka takes no transactions yet: {error.args[0].str()}", code="kafka_away", remedy="check the brokers"
            ) from error
        self._producer = producer
        return producer

    def _ready(self) -> Producer:
        """The producer, or a new one if it lost a broker: it may look for coordinators for ever where they were before."""
        if self._producer is not None:
            self._producer.poll(0)  # hears of lost brokers
        return self.renew() if self._producer is None or self._doubtful else self._producer

    def _doubt(self, _error: KafkaError) -> None:
        self._doubtful = True

    def _produce(self, producer: Producer, entries: Iterable[Entry]) -> None:
        topic, write = self._topic, self._write
        for entry in entries:
            raw = write(entry)
            while True:
                try:
                    producer.produce(topic, raw, partition=entry.partition)
                except BufferError:
                    producer.poll(0.1)
                else:
                    break


def _failure(error: KafkaException) -> CreditbusError:
    """What a failed transaction means. Whether it was committed after all is found out when the chains are attached anew."""
    cause = error.args[0]
    if cause.name() in STALE or cause.code() in _FENCED:
        return FencedError(f"the ledger's transaction was refused: {cause.str()} ({cause.name()})")
    found = translate(error, "appending to the ledger")
    if cause.retriable() or cause.txn_requires_abort() or cause.fatal():
        return RetryLaterError(str(found), code="kafka_unavailable", remedy="see that Kafka runs (`creditbus status`)")
    return found


def _limited(call: Callable[[], None], seconds: float) -> None:
    """Make a call that has a time limit of its own, and leave it and its producer behind if it keeps to none.

    The next producer has the same name, so the broker refuses whatever the call may still try.

    Raises:
        KafkaException: the call's own.
        RetryLaterError: it does not end.
    """
    failures: list[KafkaException] = []

    def run() -> None:
        try:
            call()
        except KafkaException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="transaction", daemon=True)
    thread.start()
    thread.join(seconds + LOST_AFTER)
    if thread.is_alive():
        raise RetryLaterError("a transaction does not end", code="call_lost", remedy="check the brokers")
    for failure in failures:
        raise failure
