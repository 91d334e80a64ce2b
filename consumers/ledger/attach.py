"""Attach: take chains over from whoever wrote them before, with nothing but what Kafka knows.

1. Ask for the group's committed offsets. Kafka answers when no transaction with offsets of these partitions is under way: from
   then on no predecessor's transaction can commit, since its generation is over.
2. Ask where the ledger's partitions end, transactions under way included.
3. Read the last entry before that end, committed ones only: what a predecessor left behind is waited for until it is aborted.
4. Compare. Each transaction puts its head into the metadata of the offsets it commits. If the ledger's head is the newest of
   those, the offsets are what belongs to it. If the offsets are older or gone (a group that stood still too long), they are read
   back from the ledger, whose entries name their messages. If the ledger is older than the offsets, it has lost entries: stop.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.ledger.reading import ReadEntry, entries, last_entry
from consumers.standing.consumed import is_final
from exchange.domain.ledger import Head, Kind, entry_hash, genesis
from exchange.domain.ledger_chain import Chain
from exchange.errors import FatalError, RetryLaterError
from exchange.kafka import translate
from exchange.kafka_places import ends

ANSWER_SECONDS = 10.0
"""What Kafka does not answer in so many seconds is asked anew."""


class Attached(NamedTuple):
    """One partition taken over: its chain, the next offset of each topic, and whether they had to be read back."""

    chain: Chain
    offsets: dict[str, int]
    recovered: bool


class Committed(NamedTuple):
    """What the group has committed of one partition: the newest head among the metadata, and the offsets."""

    head: Head | None
    offsets: dict[str, int]


class Ledger:
    """The ledger's topic, for taking chains over.

    Args:
        bus: topic prefix.
        topic: the ledger's.
        new_admin: makes a client of the brokers; a new one each time, as an old one can hold on to leaders of before a restart.
        new_reader: makes a read_committed consumer in no group that matters.
        read: an entry from its message.
    """

    def __init__(
        self,
        bus: str,
        topic: str,
        new_admin: Callable[[], AdminClient],
        new_reader: Callable[[], Consumer],
        read: ReadEntry,
    ) -> None:
        self._bus = bus
        self._topic = topic
        self._new_admin = new_admin
        self._new_reader = new_reader
        self._read = read

    def attach(self, consumer: Consumer, places: Sequence[TopicPartition]) -> dict[int, Attached]:
        """Take over the partitions of these places.

        Raises:
            RetryLaterError: Kafka is away.
            FatalError: `ledger_lost_entries`.
        """
        committed = self._committed(consumer, places)  # 1
        asked = [(self._topic, number) for number in committed]
        ended = ends(self._new_admin(), asked, within_seconds=ANSWER_SECONDS)  # 2
        with closing(self._new_reader()) as reader:
            return {
                number: self._one(reader, number, ended[self._topic, number], one) for number, one in committed.items()
            }

    def _one(self, reader: Consumer, number: int, end: int, committed: Committed) -> Attached:
        last = last_entry(reader, self._read, self._topic, number, end)  # 3
        head = genesis(self._bus, number) if last is None else Head(last.sequence, entry_hash(last))
        chain = Chain(self._bus, self._topic, number, head, signed=last is None or last.kind is Kind.CHECKPOINT)
        if committed.head == (head if last else None):  # 4
            return Attached(chain, committed.offsets, recovered=False)
        if committed.head is not None and committed.head.sequence >= head.sequence:
            raise FatalError(
                f"{self._topic} [{number}] ends at {head.sequence}, but {committed.head.sequence} entries were committed",
                code="ledger_lost_entries",
                remedy="restore the topic from a replica or a backup; never go on with a shorter chain",
            )
        offsets = dict(committed.offsets)
        for entry in entries(reader, self._read, self._topic, number):
            if entry.kind is not Kind.CHECKPOINT:
                offsets[entry.topic] = max(entry.offset + 1, offsets.get(entry.topic, 0))
        return Attached(chain, offsets, recovered=True)

    @staticmethod
    def _committed(consumer: Consumer, places: Sequence[TopicPartition]) -> dict[int, Committed]:
        try:
            found = consumer.committed(list(places), ANSWER_SECONDS)
        except KafkaException as error:
            if is_final(error.args[0]):  # the loop hears it too, and joins anew
                raise RetryLaterError("this member was refused", code="member_refused") from error
            raise translate(error, "asking for the ledger's offsets") from error
        by_number: dict[int, list[TopicPartition]] = {}
        for place in found:
            by_number.setdefault(place.partition, []).append(place)
        return {
            number: Committed(
                max((head_of(place.metadata) for place in mine if place.metadata), default=None),
                {place.topic: place.offset for place in mine if place.offset >= 0},
            )
            for number, mine in sorted(by_number.items())
        }


def metadata_of(head: Head) -> str:
    """A head as the metadata of committed offsets."""
    return f"{head.sequence} {head.hash.hex()}"


def head_of(metadata: str) -> Head:
    """The head that is in the metadata of committed offsets."""
    sequence, _, digest = metadata.partition(" ")
    return Head(int(sequence), bytes.fromhex(digest))
