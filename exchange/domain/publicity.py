"""Publicity: on which days a penalty is in the public picture (公示), by the rules of the day on which it was decided.

The clock starts on the date of the document. Repair takes it out of the picture before its term, but not before the minimum.
"""

from typing import NamedTuple

from exchange.domain.bodies import Penalty, Repair, RepairState, Severity
from exchange.domain.fold import is_void
from exchange.domain.policy import Policy
from exchange.domain.record import Entry
from exchange.domain.terms import add_months


class Publicity(NamedTuple):
    """When a penalty is public: from a day (inclusive) until a day (exclusive), and from when repair can end it sooner.

    Days since 1970-01-01; `until` equals `begin` where the penalty is not published at all. `basis` is the rule it follows.
    """

    begin: int
    until: int
    repairable_from: int
    basis: str

    @property
    def is_published(self) -> bool:
        """Whether there is a day on which it is public."""
        return self.until > self.begin


def publicity_of(severity: Severity, decided_on: int, policy: Policy, *, stated_until: int | None = None) -> Publicity:
    """The publicity of a penalty (信用修复管理办法, NDRC Order 36, and its predecessors).

    A penalty for which the policy has no rule on the day of its decision is not published: no basis, no publicity.

    Args:
        severity: how grave it is.
        decided_on: date of the document.
        policy: with dated publicity terms.
        stated_until: first day no longer public by the record itself (公示截止期); it shortens the term, never lengthens it.
    """
    term = policy.publicity_for(severity.name, decided_on)
    if term is None or not term.published:
        return Publicity(decided_on, decided_on, decided_on, term.basis if term else "")
    until = add_months(decided_on, term.max_months)
    if stated_until is not None:
        until = max(decided_on, min(until, stated_until))
    return Publicity(decided_on, until, add_months(decided_on, term.min_months), term.basis)


def is_public(entry: Entry, policy: Policy, day: int) -> bool:
    """Whether a penalty's entry is in the public picture on a day: published, not withdrawn, not repaired."""
    document = entry.document
    if document is None or is_void(entry):
        return False
    penalty = Penalty._make(document.body)
    term = publicity_of(
        Severity(penalty.severity), document.decided_on, policy, stated_until=penalty.publicity_until
    )  # fmt: skip
    if not term.begin <= day < term.until:
        return False
    repaired = [
        max(version.decided_on, term.repairable_from)
        for version in entry.amendments("repair")
        if Repair._make(version.body).state == RepairState.GRANTED
    ]
    return not repaired or day < min(repaired)


def is_open_grade(scheme: str, grade: str) -> bool:
    """Whether a grade may be public: the condition of the catalogue's resource of ratings. A risk class never may (国市监信发〔2022〕6号).

    >>> is_open_grade("TAX_CREDIT", "A"), is_open_grade("TAX_CREDIT", "D"), is_open_grade("RISK_CLASS", "A")
    (True, False, False)
    """
    return scheme == "CUSTOMS_TIER" or (scheme, grade) == ("TAX_CREDIT", "A")
