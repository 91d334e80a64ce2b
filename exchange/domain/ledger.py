"""The ledger's core: what an entry is, its canonical bytes and its hash, and what a checkpoint signs.

`docs/ledger.md` defines the same for other languages, with a vector; `tests/unit/test_ledger.py` holds the two together.
"""

import hashlib
from enum import StrEnum
from typing import NamedTuple

ENTRY_FORM = "creditbus ledger entry 1"
GENESIS_FORM = "creditbus ledger genesis 1"
CHECKPOINT_FORM = "creditbus ledger checkpoint 1"
"""First field of what is hashed or signed, so that the bytes of one thing are never those of another."""
CLASSIFIED = "classified"
"""Record type of a classified record: of it the ledger keeps the place and the digest of its bytes, and nothing else."""
NO_OFFSET = -1
"""Of a checkpoint, which lies in no topic but the ledger's own."""


class Kind(StrEnum):
    """What an entry stands for."""

    RECORD = "RECORD"
    REJECTION = "REJECTION"
    NOTICE = "NOTICE"
    STANDING_CHANGE = "STANDING_CHANGE"
    RECEIPT = "RECEIPT"
    FEEDBACK = "FEEDBACK"
    CHECKPOINT = "CHECKPOINT"


class Draft(NamedTuple):
    """What a message of the bus says for the ledger, before it has its place in a chain; see `Entry`."""

    kind: Kind
    topic: str
    partition: int
    offset: int
    written_at: int
    subject: str
    department: str
    record_type: str
    document: str
    cause: str
    payload_digest: bytes
    key_digest: bytes


class Entry(NamedTuple):
    """One entry of a chain, its fields in canonical order.

    Attributes:
        sequence: in its chain, from 1.
        previous: hash of the entry before, 32 bytes; of the first entry the chain's genesis.
        kind: what it stands for.
        topic: where the message lies; of a checkpoint the ledger's own topic.
        partition: the message's, which is the chain's.
        offset: the message's; -1 of a checkpoint.
        written_at: the message's timestamp, or the time of the checkpoint; milliseconds since 1970-01-01 UTC.
        subject: subject id; empty where it is not valid.
        department: slug of who published the record or receives the notice.
        record_type: slug; `classified` of a classified record, empty of what cannot be decoded.
        document: number of the document, id of the notice, or epoch and number of the standing change with a point between.
        cause: a notice's or rejection's record as "topic partition offset"; a receipt's or feedback's notice as "notice <id>".
        payload_digest: SHA-256 of the message's value; empty of a checkpoint.
        key_digest: SHA-256 of the message's key; empty of a checkpoint and of a classified record.
        key_id: of the master key that a checkpoint is signed under.
        signature: ed25519 over `statement`; empty of what is no checkpoint.
    """

    sequence: int
    previous: bytes
    kind: Kind
    topic: str
    partition: int
    offset: int
    written_at: int
    subject: str
    department: str
    record_type: str
    document: str
    cause: str
    payload_digest: bytes
    key_digest: bytes
    key_id: str = ""
    signature: bytes = b""


class Head(NamedTuple):
    """Where a chain ends: the sequence and hash of its last entry."""

    sequence: int
    hash: bytes


def framed(*fields: str | int | bytes) -> bytes:
    r"""Fields as bytes without ambiguity: each its length in four bytes, big-endian, then itself.

    Text is UTF-8, a number is its decimal digits, bytes are as they are.

    >>> framed("ab", 10, b"")
    b'\x00\x00\x00\x02ab\x00\x00\x00\x0210\x00\x00\x00\x00'
    """
    parts: list[bytes] = []
    for field in fields:
        raw = field if isinstance(field, bytes) else str(field).encode()
        parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(parts)


def entry_hash(entry: Entry) -> bytes:
    """SHA-256 of an entry's canonical bytes."""
    return hashlib.sha256(framed(ENTRY_FORM, *entry)).digest()


def genesis(bus: str, partition: int) -> Head:
    """The head of a chain without entries, which binds it to its bus (the topic prefix) and partition."""
    return Head(0, hashlib.sha256(framed(GENESIS_FORM, bus, partition)).digest())


def statement(bus: str, partition: int, head: Head, signed_at: int) -> bytes:
    """What a checkpoint signs: that this chain had this head at this time (milliseconds since 1970-01-01 UTC)."""
    return framed(CHECKPOINT_FORM, bus, partition, head.sequence, head.hash, signed_at)


def place_text(topic: str, partition: int, offset: int) -> str:
    """How an entry names a message, in `cause`; topics have no blanks in them."""
    return f"{topic} {partition} {offset}"


def notice_text(notice_id: str) -> str:
    """How an entry names a notice, in `cause`."""
    return f"notice {notice_id}"
