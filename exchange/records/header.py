"""The header of every record that departments publish."""

from dataclasses import dataclass
from datetime import date, datetime

from exchange.domain.identity import SubjectId
from exchange.records.words import Classification


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """信用信息: What every record of a department begins with: whose, about whom, which document."""

    subject: SubjectId
    subject_name: str = ""
    department: str
    document: str
    revision: int
    decided_on: date
    published_at: datetime
    classification: Classification = Classification.UNCLASSIFIED
    division: str = ""
