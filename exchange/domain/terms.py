"""How long a listing holds: from its own words, its extensions, its repair, and the policy of the day it was decided."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from exchange.domain.bodies import (
    RATING_SCHEMES,
    WARNING_DOMAINS,
    EarlyWarning,
    Listing,
    Rating,
    Related,
    Repair,
    RepairState,
    WarningLevel,
)
from exchange.domain.calendar import to_date, to_day
from exchange.domain.policy import Policy
from exchange.domain.record import DOCUMENT, Entry, Version, split_key

RATING_MONTHS = 24
"""A grade without an end of its own is looked at for two years: a tax grade D stays so long (SAT 2014 No. 40)."""


WARNING_MONTHS = 1
"""A warning without an end of its own that nobody renews is over after a month."""


class Holding(NamedTuple):
    """A subject's place on a list: whose decision, from which day, until which day (exclusive; None is open).

    `subject` and `role` are empty for a listing of the subject itself, else they name whose listing reaches it, and why.
    """

    key: str
    list_code: str
    department: str
    document: str
    subject: str
    role: str
    grounds: str
    serious: bool
    decided_on: int
    until: int | None


@lru_cache(maxsize=65_536)
def add_months(day: int, months: int) -> int:
    """The same day of a later month, or that month's last day where it is shorter. Days since 1970-01-01."""
    start = to_date(day)
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return to_day(date(year, month, min(start.day, monthrange(year, month)[1])))


def _earliest(days: Iterable[int | None]) -> int | None:
    return min((day for day in days if day is not None), default=None)


def _repaired_from(entry: Entry, list_code: str, policy: Policy) -> int | None:
    """The day a granted repair takes effect: its own, but not before the list's minimum after correction."""
    days = []
    for version in entry.amendments("repair"):
        repair = Repair._make(version.body)
        if repair.state == RepairState.GRANTED:
            base = repair.corrected_on if repair.corrected_on is not None else version.decided_on
            minimum = policy.repair_min_months(list_code, version.decided_on)
            days.append(max(version.decided_on, add_months(base, minimum)))
    return _earliest(days)


def _listing(key: str, entry: Entry, document: Version, policy: Policy) -> Holding:
    listing = Listing._make(document.body)
    _, department, number = split_key(key)
    until = listing.until
    if until is None:
        months = listing.term_months or policy.term_months(listing.list_code, listing.grounds, document.decided_on)
        until = listing.performed_on if not months else add_months(document.decided_on, months)
    if until is not None:
        extension = sum(int(version.body[0] or 0) for version in entry.amendments("listing_extension"))
        until = add_months(until, extension) if extension else until
    until = _earliest((until, _repaired_from(entry, listing.list_code, policy)))
    return Holding(
        key, listing.list_code, department, number, "", "", listing.grounds, bool(listing.serious),
        document.decided_on, until,
    )  # fmt: skip


def _abnormal(key: str, entry: Entry, document: Version, policy: Policy) -> Holding:
    _, department, number = split_key(key)
    until = _repaired_from(entry, "ABN", policy)
    grounds = str(document.body[0])
    return Holding(
        key, "ABN", department, number, "", "", grounds, serious=False, decided_on=document.decided_on, until=until
    )


def _related(key: str, document: Version) -> Holding:
    related = Related._make(document.body)
    _, subject, source = split_key(key)
    _, department, number = split_key(source.rpartition("|")[0])
    return Holding(
        key, related.list_code, department, number, subject, related.role, related.grounds, bool(related.serious),
        document.decided_on, related.until,
    )  # fmt: skip


def _rating(key: str, document: Version, policy: Policy, *, newest: bool) -> Holding:
    rating = Rating(*document.body)  # type: ignore[arg-type] # a body is flat; one of before has no points
    _, department, number = split_key(key)
    list_code = policy.rating_lists.get((RATING_SCHEMES[rating.scheme], rating.grade), "") if newest else ""
    months = (policy.term_months(list_code, "", document.decided_on) if list_code else None) or RATING_MONTHS
    # A grade is valid to the end of its last day, a listing until the beginning of its first day off the list.
    until = add_months(document.decided_on, months) if rating.valid_until is None else rating.valid_until + 1
    return Holding(
        key, list_code, department, number, "", "", rating.grade, serious=False, decided_on=document.decided_on,
        until=until,
    )  # fmt: skip


def _warning(key: str, document: Version, policy: Policy) -> Holding:
    """An early warning holds a place on the watch list of its domain; from orange on it is serious."""
    warning = EarlyWarning._make(document.body)
    _, department, number = split_key(key)
    domain = WARNING_DOMAINS[warning.domain] if warning.domain < len(WARNING_DOMAINS) else ""
    until = add_months(document.decided_on, WARNING_MONTHS) if warning.valid_until is None else warning.valid_until + 1
    return Holding(
        key, policy.warning_lists.get(domain, ""), department, number, "", "", WarningLevel(warning.level).name,
        serious=warning.level >= WarningLevel.ORANGE, decided_on=document.decided_on, until=until,
    )  # fmt: skip


def holdings(active: Mapping[str, Entry], policy: Policy) -> list[Holding]:
    """Every place on a list that the active entries give, whether begun, in force or over.

    A grade that no list follows from has the empty list code: it holds its place so that its term is seen to end.
    """
    found = []
    ratings = []
    for key, entry in active.items():
        record_type = key[: key.index("/")]
        if record_type == "rating":
            ratings.append((key, entry.versions[DOCUMENT]))
        elif record_type == "listing":
            found.append(_listing(key, entry, entry.versions[DOCUMENT], policy))
        elif record_type == "abnormal_entry":
            found.append(_abnormal(key, entry, entry.versions[DOCUMENT], policy))
        elif record_type == "early_warning":
            found.append(_warning(key, entry.versions[DOCUMENT], policy))
        elif record_type == "related":
            found.append(_related(key, entry.versions[DOCUMENT]))
    if ratings:
        newest: dict[int | str | None, tuple[int, int, str]] = {}
        for key, document in ratings:
            rank, scheme = (document.decided_on, document.revision, key), document.body[0]
            if scheme not in newest or newest[scheme] < rank:
                newest[scheme] = rank
        found += [_rating(key, doc, policy, newest=newest[doc.body[0]][2] == key) for key, doc in ratings]
    return found
