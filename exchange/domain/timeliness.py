"""Timeliness: whether a licence or penalty was public in time, and by when one that is not yet public must be (双公示).

The one definition, for the processor's metric, the deadlines, the league table and the workspace's quality page. A decision is
public when the record of it is handed to the bus and accepted; what counts is the first accepted record of the document.
"""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from exchange.domain.bodies import Severity
from exchange.domain.policy import Policy
from exchange.domain.response import Deadline

DUE_SOON_WORKING_DAYS = 2
"""A decision that is not public yet is due soon from so many working days before its last day."""


class Timing(StrEnum):
    """How the publication of a decision stands to its term."""

    ON_TIME = "on_time"
    LATE = "late"
    PENDING = "pending"
    """Not public yet, and there is time."""
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


class Due(NamedTuple):
    """The last day on which a decision must be public (since 1970-01-01); `provisional` where its year's working days are not set yet."""

    by: int
    provisional: bool
    basis: str


class Timeliness:
    """Judges publications by the policy of the day of the decision.

    Args:
        policy: with dated terms of disclosure and of publicity.
        deadline: working-day arithmetic.
    """

    def __init__(self, policy: Policy, deadline: Deadline) -> None:
        self._policy = policy
        self._deadline = deadline
        self.due = lru_cache(maxsize=4096)(self._due)
        self.record_types = frozenset(one for term in policy.disclosure for one in term.record_types)

    def _due(self, record_type: str, decided_on: int, severity: int | None = None) -> Due | None:
        """By when a decision must be public; None where no rule asks for it.

        Args:
            record_type: of the decision.
            decided_on: its day.
            severity: of a penalty (`Severity`): one that is not published in principle has no term. None where it is not known.
        """
        if record_type not in self.record_types:
            return None
        term = self._policy.disclosure_for(record_type, decided_on)
        if term is None or (severity is not None and not self._is_published(severity, decided_on)):
            return None
        by, provisional = self._deadline(decided_on, term.within_working_days)
        return Due(by, provisional, term.basis)

    def _is_published(self, severity: int, decided_on: int) -> bool:
        publicity = self._policy.publicity_for(Severity(severity).name, decided_on)
        return publicity is not None and publicity.published

    def open_timing(self, due: Due, today: int) -> Timing:
        """How a decision stands that is not public yet."""
        if today > due.by:
            return Timing.OVERDUE
        soon, _ = self._deadline(today, DUE_SOON_WORKING_DAYS)
        return Timing.DUE_SOON if due.by <= soon else Timing.PENDING


def timing_of(due: Due, published_on: int) -> Timing:
    """How a decision that became public on a day stands to its term; the last day is in time."""
    return Timing.ON_TIME if published_on <= due.by else Timing.LATE
