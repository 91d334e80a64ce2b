"""Arrears, judgments, awards, and what society reports.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from exchange.records.header import Record
from exchange.records.words import ArrearsKind, AwardLevel, CaseKind, PartyRole, SocialOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrears(Record):
    """欠缴欠付: Taxes, wages or social insurance that a subject owes."""

    kind: ArrearsKind = ArrearsKind.OTHER
    amount_yuan: Decimal | None = None
    settled_on: date | None = None
    period: str = ""
    item: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtJudgment(Record):
    """裁判文书: A judgment or ruling that concerns a subject."""

    case_kind: CaseKind = CaseKind.OTHER
    role: PartyRole = PartyRole.OTHER
    cause: str = ""
    result: str = ""
    amount_yuan: Decimal | None = None
    effective_on: date | None = None
    performed_on: date | None = None
    court: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Award(Record):
    """表彰奖励: An honour or award."""

    title: str = ""
    level: AwardLevel = AwardLevel.OTHER
    grounds: str = ""
    valid_until: date | None = None
    revoked_on: date | None = None
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocialReport(Record):
    """社会信用信息: What credit agencies, associations, internet firms or media report."""

    origin: SocialOrigin = SocialOrigin.OTHER
    source: str = ""
    title: str = ""
    summary: str = ""
    link: str = ""
    grade: str = ""
    verified: bool = False
    remark: str = ""
