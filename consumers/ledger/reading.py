"""Reading chains back from the ledger's topic: all of it, or only where it ends."""

from collections.abc import Callable, Iterator

from confluent_kafka import Consumer

from consumers.standing.reading import read_places
from exchange.domain.ledger import Entry
from exchange.kafka_places import watermarks

WINDOW = 64
"""Offsets looked at first for the last entry; markers and aborted transactions lie among them, so it doubles."""
WAITED_FOR = 25.0
"""Seconds that a predecessor's transaction is waited for: its time limit, and what brokers take to see that it is over."""
ReadEntry = Callable[[bytes], Entry]


def entries(reader: Consumer, read: ReadEntry, topic: str, partition: int) -> Iterator[Entry]:
    """Every committed entry of a chain there is now, in order.

    Args:
        reader: read_committed, in no group that matters; nothing else may read with it meanwhile.
        read: an entry from its message.
        topic: the ledger's.
        partition: of the chain.

    Raises:
        RetryLaterError: Kafka is away.
        FatalError: `not_an_entry`.
    """
    for message in read_places(reader, watermarks(reader, [(topic, partition)])):
        yield read(message.value() or b"")


def last_entry(reader: Consumer, read: ReadEntry, topic: str, partition: int, end: int) -> Entry | None:
    """The last committed entry before an end; None when there is none. Transactions under way before it are waited for.

    Raises:
        RetryLaterError: Kafka is away.
        FatalError: `not_an_entry`.
    """
    place = (topic, partition)
    window = WINDOW
    while True:
        begin = max(0, end - window)
        found = None
        for message in read_places(reader, {place: (begin, end)}, silence=WAITED_FOR):
            found = message
        if found is not None:
            return read(found.value() or b"")
        if begin == 0:
            return None
        window *= 8
