"""Early warnings, about single subjects and about series of counts.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from exchange.records.header import Record
from exchange.records.words import WarningDomain, WarningLevel, WarningSignal, WarningState


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyWarning(Record):
    """监测预警: What early warning found; a hint for supervision, never by itself a restriction of rights."""

    signal: WarningSignal = WarningSignal.OTHER
    domain: WarningDomain = WarningDomain.GENERAL
    level: WarningLevel = WarningLevel.BLUE
    state: WarningState = WarningState.RAISED
    window_from: datetime | None = None
    window_until: datetime | None = None
    observed: int = 0
    expected: Decimal | None = None
    score: Decimal | None = None
    recent_counts: tuple[int, ...] = ()
    recent_expected: tuple[int, ...] = ()
    explanation_zh: str = ""
    explanation_en: str = ""
    documents: tuple[str, ...] = ()
    valid_until: date | None = None
    basis: str = ""
    authority: str = ""
    remark: str = ""
