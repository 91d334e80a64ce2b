"""What the fold keeps of each record type: few values, all the join needs; the full text stays in Kafka.

Days since 1970-01-01, amounts in fen. The enums have the positions of the schemas; a contract test compares.
"""

from enum import IntEnum
from typing import NamedTuple

RATING_SCHEMES = ("TAX_CREDIT", "CUSTOMS_TIER", "RISK_CLASS", "ENVIRONMENT", "COMPREHENSIVE")
"""Names of the positions of `Rating.scheme`."""
WARNING_DOMAINS = (
    "GENERAL", "MARKET", "TAX", "LABOUR", "SAFETY", "ENVIRONMENT", "CONSTRUCTION", "TRANSPORT", "FINANCE", "SECURITIES", "CUSTOMS",
    "BUDGET", "LAND", "SECURITY", "CIVIL_AFFAIRS", "COMMERCE", "AGRICULTURE", "HEALTH", "CULTURE", "JUSTICE", "STATISTICS",
    "INSOLVENCY",
)  # fmt: skip
"""Names of the positions of `EarlyWarning.domain`."""


class Severity(IntEnum):
    """How grave a penalty is (NDRC Order 36, 2026)."""

    MINOR = 0
    GENERAL = 1
    SERIOUS = 2


class AbnormalState(IntEnum):
    """Whether a firm is on the list of abnormal operations."""

    ENTERED = 0
    REMOVED = 1


class RepairState(IntEnum):
    """How far an application for credit repair has come."""

    APPLIED = 0
    ACCEPTED = 1
    GRANTED = 2
    REFUSED = 3


class FeedbackState(IntEnum):
    """What became of a measure in the department that had to take it."""

    ACKNOWLEDGED = 0
    EXECUTED = 1
    DECLINED = 2
    NOT_APPLICABLE = 3
    ENDED = 4


class ObjectionState(IntEnum):
    """How far an objection to a record has come."""

    RAISED = 0
    UPHELD = 1
    DISMISSED = 2


class WarningLevel(IntEnum):
    """How grave a warning is: 蓝, 黄, 橙, 红."""

    BLUE = 0
    YELLOW = 1
    ORANGE = 2
    RED = 3


class WarningState(IntEnum):
    """Whether a warning is in force."""

    RAISED = 0
    ENDED = 1


class Registration(NamedTuple):
    """Who the subject is; officers are space-separated, each as `ROLE=person`. Its aliases are facts of their own."""

    name: str
    kind: int
    status: int
    division: str
    representative: str
    officers: str


class Penalty(NamedTuple):
    """An administrative penalty; `fine` and `confiscated` in fen (0.01 yuan)."""

    severity: int
    fine: int
    confiscated: int
    publicity_until: int | None


class Listing(NamedTuple):
    """An entry on a list; `term_months` 0 leaves the term to the policy, `until` is the first day no longer listed."""

    list_code: str
    grounds: str
    term_months: int
    until: int | None
    serious: int
    performed_on: int | None
    sector: str


class AbnormalEntry(NamedTuple):
    """An entry on the list of abnormal operations (经营异常名录)."""

    grounds: str
    state: int
    removed_on: int | None


class Rating(NamedTuple):
    """A grade in one scheme; a later decision in the same scheme replaces it. `points` in hundredths; not in bodies of before."""

    scheme: int
    grade: str
    period: str
    valid_until: int | None
    points: int | None = None


class EarlyWarning(NamedTuple):
    """An early warning; `valid_until` is its last day if it is not renewed."""

    domain: int
    level: int
    state: int
    valid_until: int | None


class Amount(NamedTuple):
    """A state and an amount in fen: arrears, commitments and whatever else the fold only counts."""

    state: int
    amount: int
    until: int | None


class Feedback(NamedTuple):
    """What a department did about a measure; `state` is a position in the schema's FeedbackState, `amount` in fen."""

    state: int
    amount: int
    executed_on: int | None
    measure: str
    epoch: int
    n: int
    snoozed_until: int | None
    officer: str


class Receipt(NamedTuple):
    """Proof that a notice reached a department; `receiver` is empty where that is the publishing one."""

    epoch: int
    n: int
    receiver: str


class Repair(NamedTuple):
    """A step of credit repair (信用修复)."""

    state: int
    corrected_on: int | None
    commitment: int


class Related(NamedTuple):
    """A listing of another subject that reaches this one by its role there; `ended` once it no longer does."""

    role: str
    list_code: str
    grounds: str
    serious: int
    until: int | None
    ended: int
