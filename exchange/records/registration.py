"""Registration: who a subject is, its older codes, and who stands for it.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from exchange.domain.identity import SubjectId
from exchange.records.header import Record
from exchange.records.words import AliasKind, OfficerRole, SubjectKind, SubjectStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """曾用或并用代码: Another code of the same organisation, in standard form."""

    kind: AliasKind
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """任职人员: A person and the office held."""

    person: SubjectId
    role: OfficerRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(Record):
    """市场主体登记: Who a subject is, its older codes, and who stands for it."""

    status: SubjectStatus = SubjectStatus.ACTIVE
    kind: SubjectKind = SubjectKind.OTHER
    aliases: tuple[Alias, ...] = ()
    legal_representative: SubjectId | Literal[""] = ""
    legal_representative_name: str = ""
    officers: tuple[Officer, ...] = ()
    established_on: date | None = None
    registered_capital_yuan: Decimal | None = None
    industry: str = ""
    business_scope: str = ""
    address: str = ""
    authority: str = ""
    remark: str = ""
