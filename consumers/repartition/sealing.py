"""Where the new bus begins: its processors' group is told that all that was copied has been told before, by a newer epoch's rule.

It uses what a processor does when Redis has come back older than Kafka (design: "State"): the group has offsets and a commit token that
Redis does not know, so each partition replays in silence up to them, reads back what everybody was told, and tells the differences.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

from confluent_kafka import Consumer, ConsumerGroupState, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.standing.partition import Committed
from consumers.standing.reading import read_places
from exchange.brokers import Brokers
from exchange.errors import RequestError
from exchange.kafka import REQUEST_SECONDS, reading, translate
from exchange.kafka_places import Place, watermarks
from exchange.topics import Topics

COPYING = "repartition-copying"
"""The commit token of a bus that is still copied to: whoever processes it already stays silent for ever."""
SEALED = "repartition-sealed"
NEVER_REACHED = 2**40
_TAIL = 64


class Side(NamedTuple):
    """One of the two buses: its topics, number of partitions and the group of its processors."""

    topics: Topics
    partitions: int
    group: str

    def internal(self) -> list[TopicPartition]:
        """The places whose committed offsets carry tokens and epochs."""
        return [TopicPartition(self.topics.internal, number) for number in range(self.partitions)]


class Sealer:
    """Begins a copy and ends it.

    Args:
        kafka: the brokers.
        admin: of the same brokers.
        source: the old bus.
        target: the new one.
        departments: slugs of all departments.
    """

    def __init__(
        self, kafka: Brokers, admin: AdminClient, source: Side, target: Side, departments: Sequence[str]
    ) -> None:
        self._kafka = kafka
        self._admin = admin
        self._source = source
        self._target = target
        self._departments = departments

    def begin(self) -> bool:
        """Let nobody who processes the new bus too early tell anybody anything; False if it is sealed already.

        Raises:
            RequestError: `bus_in_use`: processors have worked on the new bus, which is no copy.
            RetryLaterError: Kafka is away.
        """
        tokens = {one.token for one in self._committed(self._target)}
        if tokens == {COPYING}:
            return True
        if tokens == {SEALED}:
            return False
        if tokens != {""}:
            raise RequestError(
                f"{self._target.topics.internal} belongs to a bus that processors have worked on", code="bus_in_use",
                remedy="give a --prefix that no bus has",
            )  # fmt: skip
        self._commit(COPYING, {(one.topic, one.partition): NEVER_REACHED for one in self._target.internal()})
        return True

    def seal(self) -> int:
        """Say where the copied ends; the epoch that the new bus begins after.

        Raises:
            RequestError: `bus_runs`: processors of one of the buses are still there.
            RetryLaterError: Kafka is away.
        """
        for side in (self._source, self._target):
            if self._has_members(side.group):
                raise RequestError(
                    f"processors of the group {side.group} still run", code="bus_runs",
                    remedy="end every `creditbus run standing` of both buses, and seal again",
                )  # fmt: skip
        topics = [self._target.topics.internal, *map(self._target.topics.into, self._departments)]
        places = [(topic, number) for topic in topics for number in range(self._target.partitions)]
        with closing(Consumer(reading(self._kafka, f"{self._target.group}.seal"))) as reader:
            behind = {place: behind_last(reader, place) for place in places}
        return self._commit(SEALED, behind)

    def _commit(self, token: str, offsets: dict[Place, int]) -> int:
        epoch = max((one.epoch for one in self._committed(self._source)), default=0)
        metadata = Committed.metadata(token, epoch)
        places = [TopicPartition(*place, offset, metadata=metadata) for place, offset in offsets.items()]
        try:
            with closing(Consumer(reading(self._kafka, self._target.group))) as consumer:
                consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            raise translate(error, "committing where the new bus begins") from error
        return epoch

    def _committed(self, side: Side) -> list[Committed]:
        """Token and epoch of each partition of a bus."""
        try:
            with closing(Consumer(reading(self._kafka, side.group))) as consumer:
                found: list[Any] = consumer.committed(side.internal(), REQUEST_SECONDS)
        except KafkaException as error:
            raise translate(error, f"reading what {side.group} has committed") from error
        return [Committed.parse({}, one.metadata or "") for one in found]

    def _has_members(self, group: str) -> bool:
        try:
            described = self._admin.describe_consumer_groups([group])[group].result(REQUEST_SECONDS)
        except KafkaException as error:
            raise translate(error, f"asking who is in {group}") from error
        return described.state not in (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)


def behind_last(reader: Consumer, place: Place) -> int:
    """The offset behind the last message of a place; behind it there may be markers of transactions, which no reader is told."""
    first, end = watermarks(reader, [place])[place]
    size = _TAIL
    while end > first:
        begin = max(first, end - size)
        last = max((message.offset() for message in read_places(reader, {place: (begin, end)})), default=-1)
        if last >= 0 or begin == first:
            return last + 1
        size *= 8
    return 0
