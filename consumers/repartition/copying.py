"""Copies the topics of one bus to another of any number of partitions, each message once, each key's in their order.

A batch and the places behind it are one transaction of Kafka, so a copy that dies goes on where it was; what comes meanwhile is
copied by the next call. The ledger is left behind: its chain is of the old places, and stays there to be verified. So are departments'
messages in another partition than their key's: they were refused, and copied by their key they would be accepted without anybody
having sent them again. Their rejections are copied, with their bytes, and can be replayed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition, murmur2

from consumers.standing.consumed import MOVED_FROM, Consumed, sort_out
from exchange.brokers import Brokers
from exchange.kafka import LOSSLESS, REQUEST_SECONDS, reading, translate
from exchange.kafka_places import Place, watermarks
from exchange.topics import Topics

BATCH = 5000
Headers = list[tuple[str, str | bytes | None]]


@dataclass(slots=True, kw_only=True)
class Copied:
    """What one call has done.

    Attributes:
        messages: copied.
        left_behind: messages of each department's topic that were not, as they lie in another partition than their key's.
    """

    messages: int = 0
    left_behind: Counter[str] = field(default_factory=Counter)


class Copier:
    """Copies one bus to another.

    Args:
        kafka: the brokers.
        source: names of the old bus's topics.
        target: names of the new one's; they exist.
        departments: slugs of all departments.
        partitions: of the old bus's topics.
        group: whose committed places say how far the copy is.
        on_step: told "copy", "copied" as a batch's transaction begins and ends.
    """

    def __init__(
        self, *, kafka: Brokers, source: Topics, target: Topics, departments: Iterable[str], partitions: int, group: str,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        departments = list(departments)
        self._kafka = kafka
        self._group = group
        self._on_step = on_step
        into = dict(zip(copied_topics(source, departments), copied_topics(target, departments), strict=True))
        self._into = into
        self._records = frozenset(map(source.into, departments))
        self._partitions = partitions
        self._places = [(topic, number) for topic in into for number in range(partitions)]

    def copy(self, progress: Callable[[int, int], None] = lambda *_: None) -> Copied:
        """Copy all that is there now and has not been copied.

        Args:
            progress: told offsets done and offsets in all, markers of transactions included.

        Raises:
            RetryLaterError: Kafka is away; the next call goes on.
        """
        try:
            with closing(Consumer(reading(self._kafka, self._group))) as consumer:
                return self._copy(consumer, progress)
        except KafkaException as error:
            raise translate(error, "copying topics") from error

    def _copy(self, consumer: Consumer, progress: Callable[[int, int], None]) -> Copied:
        producer = Producer(
            self._kafka.config() | {"transactional.id": self._group, "compression.type": "lz4"} | LOSSLESS
        )
        producer.init_transactions(REQUEST_SECONDS)  # a copy that still ran elsewhere ends at its next transaction
        marks = watermarks(consumer, self._places)
        begins = {place: first for place, (first, _) in marks.items()} | self._copied(consumer)
        left = {place: end for place, (_, end) in marks.items() if end > begins[place]}
        total = sum(end - begins[place] for place, end in left.items())
        consumer.assign([TopicPartition(*place, begins[place] or OFFSET_BEGINNING) for place in left])
        done = Copied()
        while left:
            messages, errors = sort_out(consumer.consume(BATCH, 0.2))
            if errors:
                raise KafkaException(errors[0])
            if messages:
                self._pass_on(consumer, producer, messages, done)
            for at in consumer.position([TopicPartition(*place) for place in left]):
                if at.offset >= left[at.topic, at.partition]:
                    del left[at.topic, at.partition]
                    consumer.incremental_unassign([TopicPartition(at.topic, at.partition)])
            progress(total - sum(end - begins[place] for place, end in left.items()), total)
        return done

    def _copied(self, consumer: Consumer) -> dict[Place, int]:
        """The places up to which a copy came before."""
        places = [TopicPartition(*place) for place in self._places]
        found: list[Any] = consumer.committed(places, REQUEST_SECONDS)
        return {(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

    def _pass_on(self, consumer: Consumer, producer: Producer, messages: Sequence[Consumed], done: Copied) -> None:
        """One transaction. If it dies in it, Kafka aborts it when the next copy begins, which reads the same messages again."""
        self._on_step("copy")
        producer.begin_transaction()
        behind: dict[Place, int] = {}
        for message in messages:
            topic, number, offset = message.topic(), message.partition(), message.offset()
            behind[topic, number] = offset + 1
            if topic in self._records and self._is_astray(message):
                done.left_behind[topic] += 1
                continue
            origin = (MOVED_FROM, f"{topic}/{number}/{offset}".encode())
            headers: Headers = [*(one for one in message.headers() or () if one[0] != MOVED_FROM), origin]
            self._produce(producer, message, headers)
            done.messages += 1
        places = [TopicPartition(*place, offset) for place, offset in behind.items()]
        producer.send_offsets_to_transaction(places, consumer.consumer_group_metadata(), REQUEST_SECONDS)
        producer.commit_transaction(REQUEST_SECONDS)
        self._on_step("copied")

    def _is_astray(self, message: Consumed) -> bool:
        """Whether it lies in another partition than its key's; what has no key has no other."""
        key = message.key()
        return key is not None and murmur2(key, self._partitions) != message.partition()

    def _produce(self, producer: Producer, message: Consumed, headers: Headers) -> None:
        while True:
            try:
                producer.produce(
                    self._into[message.topic()],
                    message.value(),
                    message.key(),
                    headers=headers,
                    timestamp=message.timestamp()[1],
                )
            except BufferError:
                producer.poll(0.1)
            else:
                return


def copied_topics(topics: Topics, departments: Iterable[str]) -> list[str]:
    """The topics of a bus that are copied."""
    found = [topics.internal, topics.standing, topics.access]
    for department in departments:
        found += [topics.into(department), topics.out_of(department), topics.rejected_of(department)]
    return found
