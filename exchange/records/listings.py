"""Listings, entries on the list of abnormal operations, and what is said about them afterwards.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date

from exchange.records.header import Record
from exchange.records.words import AbnormalState, ObjectionState, RepairState, WithdrawalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Record):
    """列入名单: A subject is put on a black, red or watch list, with grounds, term and legal basis."""

    list_code: str
    grounds: str = ""
    circumstances: str = ""
    term_months: int = 0
    until: date | None = None
    serious: bool = False
    basis: str = ""
    performed_on: date | None = None
    sector: str = ""
    legal_representative_name: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingExtension(Record):
    """名单期限延长: The term of a listing is extended."""

    target_department: str = ""
    target_document: str
    extend_months: int
    basis: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbnormalEntry(Record):
    """经营异常名录: An entry on the list of abnormal operations (list ABN), or its removal."""

    grounds: str = ""
    state: AbnormalState = AbnormalState.ENTERED
    removed_on: date | None = None
    removal_grounds: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Record):
    """撤销、撤回: A department takes a record back, as if it had not been."""

    target_department: str = ""
    target_type: str
    target_document: str
    reason: WithdrawalReason = WithdrawalReason.WITHDRAWN
    detail: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair(Record):
    """信用修复: A step of credit repair; the steps of one application are revisions of one document."""

    target_department: str = ""
    target_type: str
    target_document: str
    state: RepairState = RepairState.APPLIED
    corrected_on: date | None = None
    commitment: bool = False
    detail: str = ""
    authority: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection(Record):
    """异议: A subject objects to a record."""

    target_department: str = ""
    target_type: str
    target_document: str
    state: ObjectionState = ObjectionState.RAISED
    detail: str = ""
    authority: str = ""
    remark: str = ""
