"""What the bus itself writes: notices, standing changes, rejections, messages between subjects.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from exchange.domain.identity import SubjectId
from exchange.errors import Reason
from exchange.plain import EPOCH
from exchange.records.words import MeasureAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """起因: The record that set the change off; empty for a day that came or a policy that changed."""

    type: str = ""
    department: str = ""
    document: str = ""
    topic: str = ""
    partition: int = -1
    offset: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureChange:
    """措施变化: What happened to one measure."""

    measure: str
    action: MeasureAction


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportingListing:
    """支持名单: One listing, and the rule that makes it require the measure."""

    list_code: str
    department: str = ""
    document: str = ""
    subject: SubjectId | Literal[""] = ""
    role: str = ""
    entry: str = ""
    decided_on: date
    until: date | None = None
    memorandum: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureInForce:
    """现行措施: One measure, with all that supports it."""

    measure: str
    listings: tuple[SupportingListing, ...] = ()
    respond_by: date | None = None
    basis: str = ""
    respond_by_provisional: bool = False
    since_epoch: int = 0
    since_n: int = 0
    since_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedMeasure:
    """待确认解除: A measure that was lifted and whose end the department has not confirmed yet."""

    measure: str
    respond_by: date | None = None
    respond_by_provisional: bool = False
    respond_within: int = 0
    since_epoch: int = 0
    since_n: int = 0
    since_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueResponse:
    """逾期反馈: A response that a department owes and whose day has passed."""

    department: str
    measure: str
    lift: bool = False
    respond_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """联合奖惩通知: What one department must know about one subject: what changed, and every measure now in force."""

    id: str
    subject: SubjectId
    subject_name: str = ""
    department: str
    epoch: int
    n: int
    issued_at: datetime
    published_at: datetime = EPOCH
    received_at: datetime = EPOCH
    cause: Cause = Cause()
    changes: tuple[MeasureChange, ...] = ()
    measures: tuple[MeasureInForce, ...] = ()
    policy_version: str = ""
    lifted: tuple[LiftedMeasure, ...] = ()
    overdue: tuple[OverdueResponse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChange:
    """信用状况变化: Which listings and measures of a subject are in force now."""

    subject: SubjectId
    epoch: int
    n: int
    changed_at: datetime
    listings: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """拒收记录: A message that was not accepted, with every reason, kept so that it can be replayed."""

    topic: str
    partition: int
    offset: int
    received_at: datetime
    department: str = ""
    raw: bytes
    raw_key: bytes
    raw_size: int = 0
    schema_id: int = -1
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalMessage:
    """内部消息: What one subject's standing tells another's (credit.internal, keyed by the target)."""

    subject: SubjectId
    source: SubjectId
    epoch: int
    sent_at: datetime
    body: bytes
