"""From a message of the bus to what the ledger says of it."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from consumers.standing.consumed import Consumed
from exchange.codec import Codec
from exchange.domain.ledger import CLASSIFIED, Draft, Kind, notice_text, place_text
from exchange.errors import UndecodableError
from exchange.faults import has_id, subject_faults
from exchange.field_rules import NUMBER_CHARACTERS
from exchange.topics import Topics

ANSWERS: Mapping[str, Kind] = {"delivery_receipt": Kind.RECEIPT, "measure_feedback": Kind.FEEDBACK}
_CLASSIFIED_HEADER = ("classification", b"CLASSIFIED")


class Describer:
    """Makes drafts. A message that cannot be decoded has one too: its place, its department and its digests.

    Args:
        codec: of the schemas.
        topics: names of the bus's topics.
        departments: all of them.
    """

    def __init__(self, codec: Codec, topics: Topics, departments: Iterable[str]) -> None:
        self._decode = codec.decode_plain
        self.sources: dict[str, tuple[Kind, str]] = {topics.standing: (Kind.STANDING_CHANGE, "")}
        for slug in departments:
            self.sources[topics.into(slug)] = (Kind.RECORD, slug)
            self.sources[topics.out_of(slug)] = (Kind.NOTICE, slug)
            self.sources[topics.rejected_of(slug)] = (Kind.REJECTION, slug)

    def describe(self, message: Consumed) -> Draft:
        """The draft of a message of one of the sources."""
        topic, raw, key = message.topic(), message.value() or b"", message.key() or b""
        kind, department = self.sources[topic]
        subject, record_type, document, cause = "", "", "", ""
        try:
            record_type, value = self._decode(raw)
            if kind is Kind.RECORD:
                kind = ANSWERS.get(record_type, kind)
                subject, document, cause = _record(value)
                if value.get("classification"):
                    record_type = CLASSIFIED
            else:
                subject, document, cause = _BUS_MADE[kind](value, key)
        except (UndecodableError, KeyError):  # not decodable, or not what belongs into this topic
            subject = _safe_subject(key.decode(errors="replace"))
        if (headers := message.headers()) and _CLASSIFIED_HEADER in headers:
            record_type = CLASSIFIED
        if record_type == CLASSIFIED:
            kind, subject, document, cause, key = self.sources[topic][0], "", "", "", b""
        return Draft(
            kind, topic, message.partition(), message.offset(), message.timestamp()[1], subject, department, record_type,
            document, cause, hashlib.sha256(raw).digest(), hashlib.sha256(key).digest(),
        )  # fmt: skip


def _record(value: dict[str, Any]) -> tuple[str, str, str]:
    """A department's record, which nobody has judged yet: a citizen ID in it goes no further."""
    notice_id = _safe_number(value.get("notice_id", ""))
    return _safe_subject(value["subject"]), _safe_number(value["document"]), notice_text(notice_id) if notice_id else ""


def _rejection(value: dict[str, Any], _key: bytes) -> tuple[str, str, str]:
    subject = _safe_subject(value["raw_key"].decode(errors="replace"))
    return subject, "", place_text(value["topic"], value["partition"], value["offset"])


def _notice(value: dict[str, Any], _key: bytes) -> tuple[str, str, str]:
    cause = value["cause"]
    place = place_text(cause["topic"], cause["partition"], cause["offset"]) if cause["topic"] else ""
    return value["subject"], value["id"], place


def _standing_change(value: dict[str, Any], _key: bytes) -> tuple[str, str, str]:
    return value["subject"], f"{value['epoch']}.{value['n']}", ""


_BUS_MADE = {Kind.REJECTION: _rejection, Kind.NOTICE: _notice, Kind.STANDING_CHANGE: _standing_change}


def _safe_subject(text: str) -> str:
    return "" if subject_faults(text) else text


def _safe_number(text: str) -> str:
    return "" if len(text) > NUMBER_CHARACTERS or has_id(text) else text
