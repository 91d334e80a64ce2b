"""Assess: occurrences become each indicator's share, shares become points, points become a class. A pure function of a day."""

from collections.abc import Mapping
from typing import NamedTuple

from exchange.domain.policy import Policy
from exchange.domain.record import Entry
from exchange.domain.risk.model import Indicator, Rules
from exchange.domain.risk.occurrences import IN_BUSINESS, Firm, Occurrence, firm_of, occurrences
from exchange.domain.terms import add_months


class Share(NamedTuple):
    """What one indicator adds: points in hundredths, and the occurrences that they come from."""

    indicator: Indicator
    points: int
    occurrences: tuple[Occurrence, ...]


class Assessment(NamedTuple):
    """A firm's class on a day.

    points: the sum of all shares, or 0 where that is negative. shares: of the indicators that say something, the greatest first.
    """

    firm: Firm
    letter: str
    points: int
    shares: tuple[Share, ...]

    @property
    def total(self) -> int:
        """The plain sum of the shares; below zero the points are 0."""
        return sum(share.points for share in self.shares)


def is_classed(firm: Firm | None, rules: Rules) -> bool:
    """Whether a subject is a firm of a kind that is classed, and still there."""
    return firm is not None and firm.kind in rules.method.kinds and firm.status in IN_BUSINESS


def assess(
    subject: str,
    entries: Mapping[str, Entry],
    representative: Mapping[str, Entry],
    policy: Policy,
    rules: Rules,
) -> Assessment | None:
    """A firm's class on the day of the rules; None for a subject that is not classed.

    Args:
        subject: its id.
        entries: as known on that day (`exchange.domain.risk.known`).
        representative: entries of its legal representative, likewise.
        policy: of the lists.
        rules: the model on that day.
    """
    firm = firm_of(entries)
    if firm is None or not is_classed(firm, rules):
        return None
    found: dict[str, tuple[Indicator, list[tuple[int, Occurrence]]]] = {}
    for one in occurrences(entries, representative, subject, policy, rules.day):
        for indicator in rules.by_state.get((one.record, one.state), ()):
            points = _points(indicator, one.day, rules.day)
            if points:
                found.setdefault(indicator.code, (indicator, []))[1].append((points, one))
    shares = sorted(
        (_share(indicator, counted) for indicator, counted in found.values()),
        key=lambda share: (-share.points, share.indicator.code),
    )
    points = max(0, sum(share.points for share in shares))
    return Assessment(firm, rules.class_of(points), points, tuple(shares))


def _points(indicator: Indicator, since: int, day: int) -> int:
    """What is left on a day of an occurrence's points: all while it has no term, else less each day, evenly."""
    if since > day:
        return 0
    if not indicator.term_months:
        return indicator.points
    until = add_months(since, indicator.term_months)
    if day >= until:
        return 0
    left = abs(indicator.points) * (until - day) // (until - since)
    return left if indicator.points > 0 else -left


def _share(indicator: Indicator, counted: list[tuple[int, Occurrence]]) -> Share:
    points = sum(points for points, _ in counted)
    capped = min(points, indicator.cap) if points > 0 else max(points, -indicator.cap)
    return Share(indicator, capped, tuple(sorted((one for _, one in counted), key=lambda one: (one.day, one.key))))
