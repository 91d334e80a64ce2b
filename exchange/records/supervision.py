"""What supervision finds: inspections, ratings, annual reports, commitments.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from exchange.records.header import Record
from exchange.records.words import (
    CommitmentKind,
    CommitmentState,
    InspectionKind,
    InspectionOutcome,
    RatingScheme,
    ReportState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionResult(Record):
    """监督检查结果: What an inspection found."""

    outcome: InspectionOutcome
    kind: InspectionKind = InspectionKind.OTHER
    matter: str = ""
    findings: str = ""
    basis: str = ""
    rectify_by: date | None = None
    rectified_on: date | None = None
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating(Record):
    """信用评价: A grade in one scheme."""

    scheme: RatingScheme
    grade: str
    period: str = ""
    points: Decimal | None = None
    valid_until: date | None = None
    basis: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualReport(Record):
    """年度报告: The annual report of a subject, as filed for publicity."""

    year: int
    state: ReportState = ReportState.FILED
    filed_on: date | None = None
    employees: int = -1
    assets_yuan: Decimal | None = None
    revenue_yuan: Decimal | None = None
    tax_yuan: Decimal | None = None
    websites: tuple[str, ...] = ()
    contact_address: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment(Record):
    """信用承诺: A commitment made by a subject, and whether it was kept."""

    state: CommitmentState = CommitmentState.MADE
    kind: CommitmentKind = CommitmentKind.OTHER
    matter: str = ""
    content: str = ""
    due_on: date | None = None
    verified_on: date | None = None
    authority: str = ""
    remark: str = ""
