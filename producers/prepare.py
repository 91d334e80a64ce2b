"""Before a record leaves its department: filled in, checked by the bus's own rules, encoded.

The same rules run again in the standing processor; here they spare the department a rejection later.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from exchange.answers import check_feedback
from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.domain.calendar import day_of
from exchange.errors import Reason, RejectedError
from exchange.records import Record, record_type_of, to_avro
from exchange.validation import validate


class Prepared(NamedTuple):
    """A record ready to send: its type and document for people, the key and the bytes for Kafka."""

    record_type: str
    document: str
    key: bytes
    raw: bytes


class Preparer:
    """Prepares the records of one department.

    Args:
        department: slug such as `gd.tax`.
        codec: of the contracts.
        catalogue: says what the department may publish, and whose decisions it may amend.
    """

    def __init__(self, department: str, codec: Codec, catalogue: Catalogue) -> None:
        self.department = department
        self._codec = codec
        self._catalogue = catalogue
        self._grants = catalogue.grants(department)

    def prepare(self, record: Record | Mapping[str, Any], record_type: str = "") -> Prepared:
        """Fill in `department` and `published_at` (now) where absent, check, encode.

        Args:
            record: of `exchange.records`, or its fields by name.
            record_type: slug such as `penalty`, where the record does not say.

        Raises:
            RejectedError: the record breaks a rule of the bus; all reasons are in it. Of a classified record (涉密) nothing
                but that is kept.
            RequestError: there is no such record type.
        """
        if isinstance(record, Mapping):
            values = dict(record)
        else:
            record_type, values = record_type_of(record), to_avro(record)
        if values.get("classification") == "CLASSIFIED":
            raise RejectedError(
                (Reason(code="classified", rule="nothing classified enters the bus (涉密信息不上总线)"),)
            )
        now_ms = time.time_ns() // 1_000_000
        values.setdefault("department", self.department)
        if values.get("published_at") is None:
            values["published_at"] = datetime.fromtimestamp(now_ms / 1000, UTC)
        plain = self._codec.plain(record_type, values)
        raw = self._codec.encode_plain(record_type, plain)
        reasons = validate(
            record_type,
            plain,
            department=self.department,
            today=day_of(now_ms),
            grants=self._grants,
            size=len(raw),
            thorough=True,
        ) or self._check_target(plain)
        if record_type == "measure_feedback" and not reasons:
            reasons = check_feedback(plain)
        if reasons:
            raise RejectedError(tuple(reasons))
        return Prepared(record_type, plain["document"], plain["subject"].encode(), raw)

    def _check_target(self, plain: Mapping[str, Any]) -> tuple[Reason, ...]:
        """Who determined, repairs (谁认定谁修复): a decision is amended by its department or that one's successor."""
        owner = plain.get("target_department")
        if not owner or owner == self.department or self._catalogue.may_amend(self.department, owner):
            return ()
        rule = "who determined, repairs (谁认定谁修复)"
        return (Reason(code="not_the_decider", field="target_department", value=owner, rule=rule),)
