"""Messages between subjects are taken where their subject lives; elsewhere they end the processor, as only processors write them."""

import msgspec
import pytest

from consumers.standing.acceptance import NEVER_HELD
from consumers.standing.decode import INTERNAL_TYPE, Decoded, Decoder
from consumers.standing.partition import Partition
from exchange.domain.handover import taken_in
from exchange.errors import FatalError
from exchange.partitioner import partition_of
from tests.archiving import CATALOGUE, CODEC, POLICY, TOPICS, Message
from tests.worlds import FIRM, fact

PARTITIONS = 4
HERE = partition_of(FIRM, PARTITIONS)
SENT = fact("penalty", "p1", (1, 100, 0, None))


def take(number: int) -> Decoded:
    """A message about FIRM, as its processor finds it in a partition."""
    plain = {"subject": FIRM, "source": "org:x", "epoch": 1, "sent_at": 1, "body": msgspec.msgpack.encode((SENT,))}
    raw = CODEC.encode_plain(INTERNAL_TYPE, plain)
    message = Message(TOPICS.internal, raw, 7, FIRM.encode(), of_partition=number)
    partition = Partition(number=number, token="", epoch=0, reconcile=False, offsets={}, known={})
    decoder = Decoder(CODEC, CATALOGUE, TOPICS, POLICY, partitions=PARTITIONS, limit=NEVER_HELD)
    return decoder.decode([message], {number: partition}.get, today=0)[number]


def test_in_its_partition_it_is_taken() -> None:
    taken = take(HERE)
    assert [(one.subject, one.fact) for one in taken.arrivals] == [(FIRM, taken_in("org:x", SENT))]
    assert taken.offsets == {TOPICS.internal: 8}


def test_in_another_it_ends_the_processor() -> None:
    with pytest.raises(FatalError, match=rf"at 7 is about a subject of partition {HERE}") as caught:
        take((HERE + 1) % PARTITIONS)
    assert "ACL" in caught.value.remedy
