"""What departments answer: receipts and feedback.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from exchange.records.header import Record
from exchange.records.words import DeliveryChannel, FeedbackState


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt(Record):
    """送达回执: Proof that a notice reached its department."""

    notice_id: str
    channel: DeliveryChannel = DeliveryChannel.OTHER
    epoch: int = 0
    n: int = 0
    delivered_at: datetime | None = None
    attempts: int = 1
    detail: str = ""
    receiver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFeedback(Record):
    """措施反馈: What a department did about a measure of a notice."""

    notice_id: str
    measure: str
    state: FeedbackState = FeedbackState.ACKNOWLEDGED
    detail: str = ""
    amount_yuan: Decimal | None = None
    executed_on: date | None = None
    evidence: str = ""
    epoch: int = 0
    n: int = 0
    officer: str = ""
    snoozed_until: date | None = None
