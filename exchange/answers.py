"""What departments answer to notices, whatever the channel: how receipts and feedback are numbered, and what makes them whole."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from exchange.domain.calendar import day_of, to_date
from exchange.errors import Reason
from exchange.records.words import FeedbackState

Fields = dict[str, Any]
"""A record's fields by name, as people write them."""

_DECLINED = list(FeedbackState).index(FeedbackState.DECLINED)


def receipt_document(notice_id: str) -> str:
    """The number of a notice's receipt: one a notice, so that a receipt given twice counts once.

    >>> receipt_document("c0ffee00")
    '回执-c0ffee00'
    """
    return f"回执-{notice_id}"


def feedback_document(notice_id: str, measure: str) -> str:
    """The number of the feedback about one measure of a notice, where the department gives none; its steps are revisions.

    >>> feedback_document("c0ffee00", "procurement_ban")
    '反馈-c0ffee00-procurement_ban'
    """
    return f"反馈-{notice_id}-{measure}"


def receipt_of(notice: Mapping[str, Any], channel: str, now: datetime) -> Fields:
    """The receipt of a notice that its department got by pulling it (INBOX) or by file (FILE).

    Args:
        notice: its `id`, `subject`, `epoch` and `n`, and its `subject_name` if known.
        channel: symbol of `DeliveryChannel`.
        now: when it arrived.
    """
    return {
        "subject": notice["subject"],
        "subject_name": notice.get("subject_name", ""),
        "document": receipt_document(notice["id"]),
        "revision": 1,
        "decided_on": _day(now),
        "notice_id": notice["id"],
        "channel": channel,
        "epoch": notice["epoch"],
        "n": notice["n"],
        "delivered_at": now,
    }


def complete_feedback(given: Mapping[str, Any], *, revision: int, today: date) -> Fields:
    """Feedback with what a department may leave out: number, revision, day.

    Args:
        given: the fields that it gave; None and "" count as left out.
        revision: where none is given; it must rise from step to step, as seconds do.
        today: in China.
    """
    fields = {name: value for name, value in given.items() if value not in (None, "")}
    if "document" not in fields and "notice_id" in fields and "measure" in fields:
        fields["document"] = feedback_document(str(fields["notice_id"]), str(fields["measure"]))
    fields.setdefault("revision", revision)
    fields.setdefault("decided_on", today)
    return fields


def check_feedback(plain: Mapping[str, Any]) -> tuple[Reason, ...]:
    """The rules between the fields of a feedback in its plain form: a refusal says why, a respite says who answers for it."""
    reasons = []
    if plain["state"] == _DECLINED and not plain["detail"].strip():
        rule = "不予执行须写明法律理由: who declines says the legal reason"
        reasons.append(Reason(code="legal_reason_missing", field="detail", rule=rule))
    if plain["snoozed_until"] is not None and not plain["officer"].strip():
        rule = "暂缓须写明经办人: a respite names the officer who answers for it"
        reasons.append(Reason(code="officer_missing", field="officer", rule=rule))
    return tuple(reasons)


def seconds_now() -> int:
    """Seconds since 1970: the revision of feedback that gives none, so that the steps of one document rise."""
    return int(time.time())


def today_in_china() -> date:
    """The day in China."""
    return _day(datetime.now(UTC))


def _day(moment: datetime) -> date:
    return to_date(day_of(int(moment.timestamp() * 1000)))
