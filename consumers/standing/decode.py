"""Decode: a consumed batch becomes facts by partition; what is wrong becomes rejections with raw bytes and all reasons."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from consumers.standing.consumed import Consumed
from consumers.standing.partition import Partition
from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.domain.bodies import alias_facts, read_fact
from exchange.domain.policy import Policy
from exchange.domain.record import Fact, make, split_key
from exchange.errors import FatalError, Reason, UndecodableError
from exchange.topics import Topics
from exchange.validation import validate

INTERNAL_TYPE = "internal_message"
CLASSIFIED = "classified"
NOTHING_CLASSIFIED = Reason(code=CLASSIFIED, rule="nothing classified enters the bus")
decode_facts = msgspec.msgpack.Decoder(tuple[Fact, ...]).decode


class Arrival(NamedTuple):
    """A fact with the record it came from, which explains the notices it causes; a registration brings one more an alias."""

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
    def newest(self) -> int:
        """When its last record was published by its department, milliseconds since 1970-01-01 UTC; 0 if there is none."""
        return self.arrivals[-1].value.get("published_at", 0) if self.arrivals else 0


class Decoder:
    """Turns messages into arrivals and rejections.

    Args:
        codec: of the schemas.
        catalogue: who may publish what.
        topics: names of the bus's topics.
        policy: which lists there are, and whose they are.
        limit: rejected records in a row after which a department's topic is held.
    """

    def __init__(self, codec: Codec, catalogue: Catalogue, topics: Topics, policy: Policy, *, limit: int) -> None:
        self._decode = codec.decode_plain
        self._catalogue = catalogue
        self._internal = topics.internal
        self.limit = limit
        self._department_of = {topics.into(slug): slug for slug in catalogue.departments}
        self._authorities = {
            code: frozenset(d for d in catalogue.departments if self._is_authority(d, listed.authorities))
            for code, listed in policy.lists.items()
        }
        self._grants = {slug: catalogue.grants(slug) for slug in catalogue.departments}

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
            if (headers := message.headers()) and ("classification", b"CLASSIFIED") in headers:
                self._reject(decoded, message, topic, (NOTHING_CLASSIFIED,))
                continue
            try:
                record_type, value = self._decode(raw)
            except UndecodableError as error:
                if topic == self._internal:
                    raise FatalError(
                        f"{topic} [{number}] at {offset}: {error}",
                        remedy="only processors may write it: check the ACLs",
                    ) from error
                self._reject(decoded, message, topic, error.reasons)
                continue
            if topic == self._internal:
                decoded.arrivals += [
                    make(Arrival, (value["subject"], fact, record_type, value, topic, offset))
                    for fact in decode_facts(value["body"])
                ]
            else:
                self._take(decoded, message, raw, topic, today, record_type, value)
        return batch

    def _take(
        self,
        decoded: Decoded,
        message: Consumed,
        raw: bytes,
        topic: str,
        today: int,
        record_type: str,
        value: dict[str, Any],
    ) -> None:
        """Take a department's record in, or reject it for every reason there is."""
        department = self._department_of[topic]
        reasons = validate(
            record_type, value, department=department, today=today, grants=self._grants[department], size=len(raw)
        )
        subject = value.get("subject", "")
        if not reasons and message.key() != subject.encode():
            reasons = (
                Reason(code="key_mismatch", field="subject", value=subject, rule="the message key is the subject"),
            )
        if not reasons and record_type == "listing" and department not in self._authorities.get(value["list_code"], ()):
            rule = f"the policy has the list and lets {department} put subjects on it"
            reasons = (Reason(code="not_the_authority", field="list_code", value=value["list_code"], rule=rule),)
        if reasons:
            self._reject(decoded, message, topic, reasons)
            return
        offset = message.offset()
        fact = read_fact(
            record_type, value, digest=crc32(raw), arrived_at=message.timestamp()[1] // 1000,
            partition=decoded.partition.number, offset=offset,
        )  # fmt: skip
        if fact.slot:
            _, owner, _ = split_key(fact.key)
            if owner != department and not self._catalogue.may_amend(department, owner):
                self._reject(
                    decoded, message, topic,
                    (Reason(code="not_the_decider", field="target_department", value=owner, rule="who determined, repairs (谁认定谁修复)"),),
                )  # fmt: skip
                return
        decoded.arrivals.append(make(Arrival, (subject, fact, record_type, value, topic, offset)))
        if record_type == "registration" and value["aliases"]:
            decoded.arrivals += [
                Arrival(subject, alias, record_type, value, topic, offset) for alias in alias_facts(value, fact.version)
            ]
        if decoded.runs.get(topic) or decoded.partition.rejected_runs.get(topic):
            decoded.runs[topic] = 0

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
