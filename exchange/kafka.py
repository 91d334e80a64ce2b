"""The border to Kafka: where clients of the bus are configured and librdkafka's errors become errors of the bus."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from exchange.brokers import Brokers
from exchange.errors import CreditbusError, FatalError, RequestError, RetryLaterError

OnError = Callable[[KafkaError], None]
"""Told what librdkafka meets, while the client is polled."""
REQUEST_SECONDS = 30.0
"""An administrative request that takes longer has failed."""
COORDINATOR_SECONDS = 2.0
"""A group's coordinator that has not answered for so long is asked for anew."""
MISSING_EVERY_SECONDS = 60.0
"""Between two lines about topics that are not there."""
SHOWN_AFTER_SECONDS = 0.05
"""A broker hears a moment later of what the controller made."""

Config = dict[str, str | int | bool]
"""Settings of one of librdkafka's clients."""

LOSSLESS: Config = {
    "enable.idempotence": True,
    "acks": "all",
    "max.in.flight": 1,
    "partitioner": "murmur2_random",
}
"""Settings of every producer of the bus. One request in flight, because with more librdkafka 2.16 can lose records and report
them delivered: a partition's first batch meets NOT_LEADER, the second is accepted (a broker that does not know the producer
yet takes any sequence), and the first counts as implicitly acknowledged. Seen on topics just made, about once in 12 times. The
outbox publisher may have more: it asks for proof before it commits."""

_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,  # noqa: SLF001 # librdkafka's own codes are named so
}

LEAVE_SECONDS = 10.0
"""A consumer has this long to give its partitions back, and again as long to close."""

log = logging.getLogger("creditbus.client")
_silent = logging.getLogger("creditbus.kafka")
_PASSING = frozenset({
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.OFFSET_NOT_AVAILABLE, KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR,
    KafkaError.REQUEST_TIMED_OUT, KafkaError.NETWORK_EXCEPTION,
})  # fmt: skip
"""What brokers answer while leaders and coordinators move; librdkafka marks it retriable for producers only."""


REFRESHED: Config = {"topic.metadata.refresh.interval.ms": 10_000}
"""Of every consumer that stays. A partition whose leader is away in the moment that librdkafka 2.16 wants to know whether its place
is still good (KIP-320) is not asked about again before the next look at the topics, five minutes later by default: a dispatcher
read three of four partitions no more after a broker's death (docs/faults.md)."""


def wait_shown(is_shown: Callable[[], bool], what: str, *, request_seconds: float = REQUEST_SECONDS) -> None:
    """Return as soon as a broker shows what was asked of the controller.

    Args:
        is_shown: asks the broker.
        what: it is, in the plural.
        request_seconds: after so long it has failed.

    Raises:
        RetryLaterError: `kafka_unavailable`.
    """
    give_up_at = time.monotonic() + request_seconds
    while not is_shown():
        if time.monotonic() > give_up_at:
            raise RetryLaterError(f"{what} do not appear", code="kafka_unavailable", remedy="try again")
        time.sleep(SHOWN_AFTER_SECONDS)


def reading(kafka: Brokers, group: str) -> Config:
    """Settings of a consumer that reads what is committed, from the beginning on, and whose place its process keeps.

    Args:
        kafka: where it is, and how it is spoken to.
        group: that it is a member of, or whose name it only bears.
    """
    return {
        **kafka.config(),
        "group.id": group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 100,
        **REFRESHED,
    }


def membership(session_seconds: float, instance_id: str) -> Config:
    """Settings of a member of a group in which partition *p* of all topics belongs to one process.

    Members learn of a rebalance when they next say that they live, which is done ten times a session: with the usual three, partitions
    of a group that a process joins stand still for longer.

    Args:
        session_seconds: after so long a silence the group gives its partitions to others.
        instance_id: its name for the group, so that one that is started again has its partitions at once; empty for none.
    """
    session = int(session_seconds * 1000)
    member: Config = {"group.instance.id": instance_id} if instance_id else {}
    return member | {
        "partition.assignment.strategy": "range",
        "session.timeout.ms": session,
        "heartbeat.interval.ms": session // 10,
    }


def open_admin(kafka: Brokers, *, error_cb: OnError = lambda _: None) -> AdminClient:
    """A client for topics and groups; no connection is made before the first request.

    Args:
        kafka: where it is, and how it is spoken to.
        error_cb: told what librdkafka meets, while the client is polled.
    """
    return AdminClient(
        {
            **kafka.config(),
            "socket.connection.setup.timeout.ms": 3000,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 500,
            "allow.auto.create.topics": False,
            "log_level": 2,
        },
        error_cb=error_cb,
        logger=_silent,
    )


def demand_coordinator(kafka: Brokers, group: str) -> None:
    """See that the coordinator of a group answers, whether or not there are members yet.

    For a moment after a broker's death the others still name it, until they miss it.

    Raises:
        KafkaException: it does not.
    """
    admin = open_admin(kafka)  # a new one, which knows no coordinator; kept until the answer is there
    try:
        admin.describe_consumer_groups([group], request_timeout=COORDINATOR_SECONDS)[group].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:  # so it has answered
            raise


def leave(consumer: Consumer, *, within_seconds: float = LEAVE_SECONDS) -> None:
    """Close a subscribed consumer in good order, in bounded time.

    librdkafka's close can wait for ever for the answer to a rebalance that was under way (librdkafka #4884): so the group is left
    first, what it still says is answered, and then nothing can come between. A close that hangs all the same is left behind.
    """
    deadline = time.monotonic() + within_seconds
    with suppress(KafkaException):  # a consumer that has failed for good says so once more, here and when it closes
        consumer.unsubscribe()
        while (consumer.poll(0) is not None or consumer.assignment()) and time.monotonic() < deadline:
            time.sleep(0.001)

    def close() -> None:
        with suppress(KafkaException):
            consumer.close()

    closing = threading.Thread(target=close, name="close-consumer", daemon=True)
    closing.start()
    closing.join(within_seconds)
    if closing.is_alive():
        log.warning("consumer does not close within_seconds=%g", within_seconds)


def answers(kafka: Brokers, *, within_seconds: float) -> bool:
    """Whether a broker answers a metadata request in time."""
    try:
        open_admin(kafka).list_topics(timeout=within_seconds)
    except KafkaException:
        return False
    return True


def leads_everything(kafka: Brokers, *, within_seconds: float) -> bool:
    """Whether the brokers serve every partition there is, as they do a moment after their start."""
    admin = open_admin(kafka)
    try:
        topics = admin.list_topics(timeout=within_seconds).topics
        partitions = [TopicPartition(name, number) for name, topic in topics.items() for number in topic.partitions]
        newest = OffsetSpec.latest()  # type: ignore[no-untyped-call] # confluent-kafka leaves it untyped
        asked = dict.fromkeys(partitions, newest)
        for answer in admin.list_offsets(asked, request_timeout=within_seconds).values() if asked else ():
            answer.result()
    except KafkaException:
        return False
    return True


def translate(error: KafkaException, doing: str) -> CreditbusError:
    """The bus's error for one of librdkafka's: refused and invalid requests are told, lost servers may be tried again.

    Args:
        error: what librdkafka raised.
        doing: what was tried, as in "reading topic configurations".
    """
    cause = error.args[0]
    if not isinstance(cause, KafkaError):
        return FatalError(f"{doing} failed: {error}", code="kafka_failed")
    text = f"{doing} failed: {cause.str()} ({cause.name()})"
    if cause.code() in _REFUSED:
        return RequestError(
            text, code="not_allowed", remedy="check this process's Kafka credentials and the topic's ACLs"
        )
    if cause.fatal():
        return FatalError(
            text, code="kafka_failed", remedy="start the process again; if it recurs, read the broker's log"
        )
    if (
        cause.retriable() or cause.code() in _PASSING or cause.code() < 0
    ):  # negative codes are librdkafka's own: no connection, time out, ...
        return RetryLaterError(
            text, code="kafka_unavailable", remedy="see that Kafka runs (`creditbus status`) and try again"
        )
    return FatalError(text, code="kafka_failed", remedy="read the broker's log")


class ConsumerErrors:
    """Logs what a consumer tells of: a line for each kind of error, and one for all topics that are not there.

    Args:
        log: where to.
        clock: seconds; topics that stay away are named once in `MISSING_EVERY_SECONDS`.
    """

    def __init__(self, log: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._silent_until = float("-inf")

    def tell(self, errors: Sequence[KafkaError]) -> None:
        """Log them; the client goes on by itself."""
        counts = Counter(str(error) for error in errors if not _is_missing(error))
        for text, count in counts.items():
            self._log.warning("consumer error=%s count=%d", text, count)
        missing = next(filter(_is_missing, errors), None)
        if missing is not None and self._clock() >= self._silent_until:
            self._silent_until = self._clock() + MISSING_EVERY_SECONDS
            remedy = "run `creditbus topics apply`; this process then goes on by itself"
            self._log.warning("topics missing first=%r remedy=%r", missing.str(), remedy)


def _is_missing(error: KafkaError) -> bool:
    return error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
