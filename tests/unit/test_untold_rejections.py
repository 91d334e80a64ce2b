"""Which rejections of an outbox nobody has published when a partition reconciles."""

from consumers.standing.partition import Partition
from consumers.standing.reconcile import untold_rejections
from exchange.codec import Codec
from exchange.paths import SCHEMAS
from exchange.standing_store import Outgoing

CODEC = Codec.from_files(SCHEMAS)
TAX, EM, QUARANTINE = "credit.in.gd.tax", "credit.in.gd.em", "credit.rejected.gd.tax"


def rejected(topic: str, offset: int) -> Outgoing:
    value = {
        "topic": topic, "partition": 0, "offset": offset, "received_at": 1, "department": "gd.tax", "raw": b"?", "raw_key": b"k",
        "raw_size": 1, "schema_id": -1, "reasons": [],
    }  # fmt: skip
    return Outgoing("c1", QUARANTINE, b"k", CODEC.encode_plain("rejection", value))


def test_rejections_beyond_kafkas_offsets_stay_in_their_order() -> None:
    internal = {"subject": "org:x", "source": "org:y", "epoch": 1, "sent_at": 1, "body": b""}
    told_anew = Outgoing("c1", "credit.internal", b"org:x", CODEC.encode_plain("internal_message", internal))
    outbox = [rejected(TAX, 4), told_anew, rejected(TAX, 5), rejected(EM, 0), rejected(TAX, 7)]
    partition = Partition(number=0, token="c1", epoch=1, reconcile=True, offsets={TAX: 8, EM: 1}, known={TAX: 5})
    kept = untold_rejections(partition, outbox, CODEC.decode_plain)
    assert kept == [tuple(outbox[at])[1:] for at in (2, 3, 4)], "offset 4 was published, and no other message stays"
