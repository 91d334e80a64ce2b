"""Licences and penalties, with the fields of the double publicity of 2018 (双公示, 发改办财金〔2018〕424号).

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from exchange.domain.identity import SubjectId
from exchange.records.header import Record
from exchange.records.registration import Alias
from exchange.records.words import LicenceState, Severity, SubjectCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence(Record):
    """行政许可 (XK): An administrative licence, with the fields of the double publicity of 2018 (发改办财金〔2018〕424号)."""

    aliases: tuple[Alias, ...] = ()
    subject_category: SubjectCategory = SubjectCategory.UNSTATED
    identity_document_type: str = ""
    legal_representative_name: str = ""
    legal_representative_document_type: str = ""
    legal_representative: SubjectId | Literal[""] = ""
    document_title: str = ""
    category: str = ""
    certificate_name: str = ""
    certificate_number: str = ""
    content: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    state: LicenceState = LicenceState.VALID
    authority: str = ""
    authority_code: str = ""
    source: str = ""
    source_code: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty(Record):
    """行政处罚 (CF): An administrative penalty, with the fields of the double publicity of 2018 (发改办财金〔2018〕424号)."""

    aliases: tuple[Alias, ...] = ()
    subject_category: SubjectCategory = SubjectCategory.UNSTATED
    identity_document_type: str = ""
    legal_representative_name: str = ""
    legal_representative_document_type: str = ""
    legal_representative: SubjectId | Literal[""] = ""
    violation: str = ""
    facts: str = ""
    basis: str = ""
    categories: tuple[str, ...] = ()
    content: str = ""
    fine_yuan: Decimal | None = None
    confiscated_yuan: Decimal | None = None
    revoked_certificate: str = ""
    valid_until: date | None = None
    publicity_until: date | None = None
    severity: Severity = Severity.GENERAL
    simple_procedure: bool = False
    authority: str = ""
    authority_code: str = ""
    source: str = ""
    source_code: str = ""
    remark: str = ""
