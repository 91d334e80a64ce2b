"""A transaction of step 2: the messages of some commits with their offsets, proven to be there before it is committed."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from consumers.standing.partition import Committed
from exchange.tracing import PARENT

ATTEMPTS = 4
"""How often ending a transaction is tried, 30 seconds each."""
FLUSH_SECONDS = 30.0
"""A transaction's messages that take longer have failed."""
PURGE_SECONDS = 5.0
NOTHING: Mapping[str, Any] = {}
STALE = ("ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID")
"""The broker's words for: your partitions have been given to somebody else."""


class Job(NamedTuple):
    """What one commit asks to publish: its messages (topic, key, value), and the offsets it reached.

    since: when the first of its records was published by its department, milliseconds since 1970-01-01 UTC; 0 if there is none.
    offered_at: monotonic seconds when it was offered for publishing.
    traces: number of a message to the `traceparent` that it carries.
    """

    partition: int
    token: str
    epoch: int
    messages: list[tuple[str, bytes, bytes]]
    offsets: dict[str, int]
    since: int = 0
    offered_at: float = 0.0
    traces: dict[int, str] | None = None


OnDelivery = Callable[[KafkaError | None, Message], None]


class Proof:
    """That the broker has the messages of a transaction, each with the offset it got.

    With several requests in flight librdkafka can take a message for delivered that the broker never got (see
    `exchange.kafka.LOSSLESS`); it then has no offset. A transaction lets us ask for proof before anything can be seen.
    """

    def __init__(self) -> None:
        self._proven = 0

    def take(self, error: KafkaError | None, message: Message) -> None:
        """The client's answer for one message."""
        self._proven += error is None and message.offset() is not None

    def demand(self, messages: int) -> None:
        """All of them, or the transaction must be aborted.

        Raises:
            KafkaException: some were not delivered, or not provably.
        """
        if self._proven < messages:
            missing = f"{messages - self._proven} of {messages} messages are not proven to be delivered"
            raise KafkaException(KafkaError(KafkaError._NO_OFFSET, missing))  # noqa: SLF001 # librdkafka's own code


@contextmanager
def unmasked() -> Iterator[None]:
    """Let a fatal error of the client be a KafkaException.

    confluent-kafka answers for messages while it already raises, and Python makes that a SystemError with the error as its cause.
    """
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__, KafkaException):
            raise error.__cause__ from None
        raise


@unmasked()
def commit_jobs(
    producer: Producer, jobs: Sequence[Job], generation: Any, on_ask: Callable[[str], None] = lambda _: None
) -> None:
    """Publish jobs in one transaction; nothing of it is seen by anybody unless this returns, or fails at its very end.

    Args:
        producer: ready to begin.
        jobs: in order.
        generation: metadata of the group's generation that this process is a member of.
        on_ask: told "asking" before and "answered" after the coordinator is asked to take the offsets: librdkafka can lose the call.

    Raises:
        KafkaException: it must be aborted.
    """
    offsets: dict[tuple[str, int], TopicPartition] = {}
    for job in jobs:
        metadata = Committed.metadata(job.token, job.epoch)
        for topic, offset in job.offsets.items():
            offsets[topic, job.partition] = TopicPartition(topic, job.partition, offset, metadata)
    producer.begin_transaction()
    proof = Proof()
    for job in jobs:
        for number, (topic, key, value) in enumerate(job.messages):
            more = _traced(job.traces, number) if job.traces else NOTHING
            _produce(producer, topic, key, value, job.partition, proof.take, more)
    on_ask("asking")
    producer.send_offsets_to_transaction(list(offsets.values()), generation, 10.0)
    on_ask("answered")
    producer.flush(FLUSH_SECONDS)
    proof.demand(sum(len(job.messages) for job in jobs))
    insist(producer.commit_transaction)


def _traced(traces: Mapping[int, str], number: int) -> Mapping[str, Any]:
    """What a message is produced with beside its content: the header of its trace, where it has one."""
    return {"headers": [(PARENT, traces[number].encode())]} if number in traces else NOTHING


def _produce(
    producer: Producer,
    topic: str,
    key: bytes,
    value: bytes,
    partition: int,
    on_delivery: OnDelivery,
    more: Mapping[str, Any],
) -> None:
    """Hand one message to the client; a full queue is waited for. Notices stay in their subject's partition."""
    while True:
        try:
            if topic.rpartition(".")[2] == "internal":
                producer.produce(topic, value, key, on_delivery=on_delivery, **more)
            else:
                producer.produce(topic, value, key, partition, on_delivery=on_delivery, **more)
        except BufferError:
            producer.poll(0.1)
        else:
            return


@unmasked()
def insist(end_transaction: Callable[[float], None]) -> None:
    """Commit or abort; a time-out says nothing about the outcome, and the same call must be made again."""
    for attempt in itertools.count(1):
        try:
            end_transaction(30.0)
        except KafkaException as error:
            if not error.args[0].retriable() or attempt == ATTEMPTS:
                raise
        else:
            return


def let_go(producer: Producer) -> None:
    """Leave nothing with a producer that is not used any more.

    One that is destroyed while brokers still answer for its messages can take the process with it (seen with librdkafka 2.16: the
    heap of the thread was damaged after "Producer terminating with 186 messages still in queue or transit").
    """
    with suppress(KafkaException), unmasked():
        producer.purge()
        producer.flush(PURGE_SECONDS)
