"""Decode: a consumed batch becomes facts by partition; what is wrong becomes rejections with raw bytes and all reasons."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from confluent_kafka import murmur2

from consumers.standing.consumed import Consumed
from consumers.standing.partition import Partition
from exchange.catalogue import Catalogue
from exchange.codec import PREFIX_BYTES, READ_ERRORS, Codec
from exchange.domain.facts import AMENDMENTS, FURTHER, read_fact
from exchange.domain.handover import taken_in
from exchange.domain.policy import Policy
from exchange.domain.record import Fact, make
from exchange.errors import FatalError, Reason, UndecodableError
from exchange.partitioner import partition_of
from exchange.topics import Topics
from exchange.validation import Accept, compile_accept, validate

INTERNAL_TYPE = "internal_message"
REJECTION_TYPE = "rejection"
CLASSIFIED = "classified"
MARKED = ("classification", b"CLASSIFIED")
"""The header of a message of which nothing may be looked at."""
NOTHING_CLASSIFIED = Reason(code=CLASSIFIED, rule="nothing classified enters the bus")
_decode_facts = msgspec.msgpack.Decoder(tuple[Fact, ...]).decode


def facts_of(message: Mapping[str, Any]) -> list[Fact]:
    """What a plain internal message brings, as its receiver keeps it."""
    source = message["source"]
    return [taken_in(source, fact) for fact in _decode_facts(message["body"])]


class Arrival(NamedTuple):
    """A fact with the record it came from, which explains the notices it causes; some records bring further facts."""

    subject: str
    fact: Fact
    record_type: str
    value: dict[str, Any]
    topic: str
    offset: int


class Rejected(NamedTuple):
    """A message that is not accepted, and every reason why."""

    message: Consumed
    department: str
    reasons: tuple[Reason, ...]
    schema_id: int


@dataclass(slots=True)
class Decoded:
    """What a batch brings to one partition."""

    partition: Partition
    arrivals: list[Arrival] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    @property
    def first_published(self) -> int:
        """When its first record was published by its department, milliseconds since 1970-01-01 UTC; 0 if there is none.

        The first has waited longest: the last of a batch that waited for a minute may be as fresh as ever.
        """
        return next((one.value["published_at"] for one in self.arrivals if "published_at" in one.value), 0)


class Decoder:
    """Turns messages into arrivals and rejections.

    Args:
        codec: of the schemas.
        catalogue: who may publish what.
        topics: names of the bus's topics.
        policy: which lists there are, and whose they are.
        partitions: of every topic.
        limit: rejected records in a row after which a department's topic is held.
    """

    def __init__(
        self, codec: Codec, catalogue: Catalogue, topics: Topics, policy: Policy, *, partitions: int, limit: int
    ) -> None:
        self._decode = codec.decode_plain
        self._catalogue = catalogue
        self._internal = topics.internal
        self._partitions = partitions
        self.limit = limit
        self._department_of = {topics.into(slug): slug for slug in catalogue.departments}
        self._authorities = {
            code: frozenset(d for d in catalogue.departments if self._is_authority(d, listed.authorities))
            for code, listed in policy.lists.items()
        }
        self._grants = {slug: catalogue.grants(slug) for slug in catalogue.departments}
        # Who may list, and who may amend, is asked of each when it is examined.
        simple = (one for one in codec.record_types if one != "listing" and one not in AMENDMENTS)
        self._simple = {b"\0" + codec.schema_id(one).to_bytes(PREFIX_BYTES - 1, "big"): one for one in simple}
        self._accepting: dict[bytes, tuple[str, Accept]] = {}

    def _is_authority(self, department: str, authorities: Iterable[str]) -> bool:
        """Whether a department may list, itself or as what one of the authorities was before."""
        return any(department == one or self._catalogue.may_amend(one, department) for one in authorities)

    def decode(
        self, messages: Iterable[Consumed], partition_of: Callable[[int], Partition | None], today: int
    ) -> dict[int, Decoded]:
        """Sort a batch by partition.

        Args:
            messages: as consumed.
            partition_of: the owned partition of a number, or None if it is no longer ours.
            today: days since 1970-01-01; later decisions are absurd.
        """
        batch: dict[int, Decoded] = {}
        for message in messages:
            number = message.partition()
            decoded = batch.get(number)
            if decoded is None:
                partition = partition_of(number)
                if partition is None:
                    continue
                decoded = batch[number] = Decoded(partition)
            topic, offset = message.topic(), message.offset()
            if topic in decoded.held or offset < decoded.partition.offsets.get(topic, 0):
                continue
            decoded.offsets[topic] = offset + 1
            raw = message.value() or b""
            if topic == self._internal:
                decoded.arrivals += self._read_internal(raw, topic, number, offset)
                continue
            record_type, value, reasons = self.examine(message, raw, topic, today)
            if reasons:
                self._reject(decoded, message, topic, reasons)
            else:
                self._take(decoded, message, raw, topic, record_type, value)
        return batch

    def _read_internal(self, raw: bytes, topic: str, number: int, offset: int) -> list[Arrival]:
        """The facts that processors send each other."""
        try:
            record_type, value = self._decode(raw)
        except UndecodableError as error:
            raise FatalError(
                f"{topic} [{number}] at {offset}: {error}", remedy="only processors may write it: check the ACLs"
            ) from error
        belongs = partition_of(value["subject"], self._partitions)
        if belongs != number:
            raise FatalError(
                f"{topic} [{number}] at {offset} is about a subject of partition {belongs}",
                remedy="only processors may write it: check the ACLs",
            )
        return [make(Arrival, (value["subject"], fact, record_type, value, topic, offset)) for fact in facts_of(value)]

    def _take(
        self, decoded: Decoded, message: Consumed, raw: bytes, topic: str, record_type: str, value: dict[str, Any]
    ) -> None:
        """Take in what an accepted record brings."""
        offset = message.offset()
        subject = value["subject"]
        fact = read_fact(
            record_type, value, digest=crc32(raw), arrived_at=message.timestamp()[1] // 1000,
            partition=decoded.partition.number, offset=offset,
        )  # fmt: skip
        decoded.arrivals.append(make(Arrival, (subject, fact, record_type, value, topic, offset)))
        if record_type in FURTHER:
            decoded.arrivals += [
                Arrival(subject, further, record_type, value, topic, offset)
                for further in FURTHER[record_type](value, fact)
            ]
        if decoded.runs.get(topic) or decoded.partition.rejected_runs.get(topic):
            decoded.runs[topic] = 0

    def accept(self, message: Consumed, raw: bytes, topic: str, today: int) -> tuple[str, tuple[Any, ...]] | None:
        """Record type and values, in the order of its fields, of a message that is good at first sight; None for one to be examined.

        Args:
            message: as consumed.
            raw: its value.
            topic: that it came by.
            today: days since 1970-01-01.
        """
        found = self._accepting.get(raw[:PREFIX_BYTES]) or self._learn(raw[:PREFIX_BYTES])
        if found is None or ((headers := message.headers()) and MARKED in headers):
            return None
        record_type, accept = found
        department = self._department_of[topic]
        try:
            values = accept(raw, department, today)
        except READ_ERRORS:
            return None
        if values is None or record_type not in self._grants[department]:
            return None
        key = values[0].encode()
        if message.key() != key or murmur2(key, self._partitions) != message.partition():
            return None
        return record_type, values

    def _learn(self, prefix: bytes) -> tuple[str, Accept] | None:
        """How messages that begin so are accepted, made at the first of them."""
        record_type = self._simple.get(prefix, "")
        accept = compile_accept(record_type, PREFIX_BYTES)
        if accept is None:
            return None
        self._accepting[prefix] = (record_type, accept)
        return record_type, accept

    def examine(
        self, message: Consumed, raw: bytes, topic: str, today: int
    ) -> tuple[str, dict[str, Any], tuple[Reason, ...]]:
        """What a department's message says, and every reason against it; none when it is accepted.

        Args:
            message: as consumed.
            raw: its value.
            topic: that it came by.
            today: days since 1970-01-01; later decisions are absurd.

        Returns:
            Record type, plain record, reasons; no record where it cannot be decoded or nothing of it may be looked at.
        """
        if (headers := message.headers()) and MARKED in headers:
            return "", {}, (NOTHING_CLASSIFIED,)
        try:
            record_type, value = self._decode(raw)
        except UndecodableError as error:
            return "", {}, error.reasons
        return record_type, value, self._judge(record_type, value, raw, message, topic, today)

    def _judge(
        self, record_type: str, value: dict[str, Any], raw: bytes, message: Consumed, topic: str, today: int
    ) -> tuple[Reason, ...]:
        department = self._department_of[topic]
        reasons = validate(
            record_type, value, department=department, today=today, grants=self._grants[department], size=len(raw)
        )
        if reasons:
            return reasons
        subject = value["subject"]
        key = subject.encode()
        if message.key() != key:
            return (Reason(code="key_mismatch", field="subject", value=subject, rule="the message key is the subject"),)
        # Asked of every record, whatever is cached: what is accepted must not depend on what came before.
        if (belongs := murmur2(key, self._partitions)) != message.partition():
            rule = f"murmur2 puts the key into partition {belongs} of {self._partitions}, not {message.partition()}"
            return (Reason(code="wrong_partition", field="subject", value=subject, rule=rule),)
        if record_type == "listing" and department not in self._authorities.get(value["list_code"], ()):
            rule = f"the policy has the list and lets {department} put subjects on it"
            return (Reason(code="not_the_authority", field="list_code", value=value["list_code"], rule=rule),)
        if record_type in AMENDMENTS:
            owner = value["target_department"] or department
            if owner != department and not self._catalogue.may_amend(department, owner):
                rule = "who determined, repairs (谁认定谁修复)"
                return (Reason(code="not_the_decider", field="target_department", value=owner, rule=rule),)
        return ()

    def _reject(self, decoded: Decoded, message: Consumed, topic: str, reasons: tuple[Reason, ...]) -> None:
        raw = message.value() or b""
        schema_id = int.from_bytes(raw[1:5], "big") if len(raw) >= 5 and raw[0] == 0 else -1
        department = self._department_of[topic]
        decoded.rejected.append(Rejected(message, department, reasons, schema_id))
        run = decoded.runs.get(topic, decoded.partition.rejected_runs.get(topic, 0)) + 1
        decoded.runs[topic] = run
        if run >= self.limit:
            decoded.held.add(topic)


def rejection(rejected: Rejected, *, received_at: int) -> dict[str, Any]:
    """The plain record for `credit.rejected.<dept>`; of a classified message only its place is kept."""
    raw = rejected.message.value() or b""
    classified = any(reason.code == CLASSIFIED for reason in rejected.reasons)
    return {
        "topic": rejected.message.topic(),
        "partition": rejected.message.partition(),
        "offset": rejected.message.offset(),
        "received_at": received_at,
        "department": rejected.department,
        "raw": b"" if classified else raw,
        "raw_key": b"" if classified else rejected.message.key() or b"",
        "raw_size": len(raw),
        "schema_id": rejected.schema_id,
        "reasons": [
            {"code": r.code, "field": r.field, "value": "" if classified else r.value[:200], "rule": r.rule}
            for r in rejected.reasons
        ],
    }


def count_reasons(rejected: Iterable[Rejected]) -> Counter[tuple[str, str]]:
    """How often each (department, reason) was found."""
    return Counter((one.department, reason.code) for one in rejected for reason in one.reasons)
