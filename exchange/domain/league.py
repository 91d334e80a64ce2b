"""League table: departments ranked by how timely, complete and correct what they publish is. Pure; counts come in."""

from collections.abc import Iterable
from typing import NamedTuple

LEAST_DECISIONS = 5
"""Decisions with a term that a department must have published to have a rank: a share of fewer says little."""


class Conduct(NamedTuple):
    """What a department has done in a time.

    on_time, late: decisions published, by their term. overdue: decisions known and not published, whose term is over. accepted,
    rejected: records. decisions: accepted licences and penalties, corrections: those that replace an earlier one of the same document.
    withdrawn: documents withdrawn, or objected to with success. filled, asked: recommended fields. cycles_kept, cycles: resources with a promised cycle.
    """

    department: str
    on_time: int = 0
    late: int = 0
    overdue: int = 0
    accepted: int = 0
    rejected: int = 0
    decisions: int = 0
    corrections: int = 0
    withdrawn: int = 0
    filled: int = 0
    asked: int = 0
    cycles_kept: int = 0
    cycles: int = 0

    @property
    def timeliness(self) -> float | None:
        """Share of decisions public in time; one that is overdue counts as late. None without any."""
        return _share(self.on_time, self.on_time + self.late + self.overdue)

    @property
    def completeness(self) -> float | None:
        """Share of recommended fields that are filled."""
        return _share(self.filled, self.asked)

    @property
    def correction_rate(self) -> float | None:
        """Share of licences and penalties that correct an earlier one; revisions of other records are what happened next, not errors."""
        return _share(self.corrections, self.decisions)

    @property
    def rejection_rate(self) -> float | None:
        """Share of records that were rejected."""
        return _share(self.rejected, self.accepted + self.rejected)

    @property
    def cycle_rate(self) -> float | None:
        """Share of promised update cycles that are kept."""
        return _share(self.cycles_kept, self.cycles)


class Ranked(NamedTuple):
    """A place in the table; None for who has published too few decisions to have one. Equals share a rank."""

    rank: int | None
    conduct: Conduct


def rank(conducts: Iterable[Conduct]) -> list[Ranked]:
    """The table: the timeliest first, among equals the more complete, then the less often rejected; those without a rank at the end."""
    found = sorted(conducts, key=lambda one: (*_order(one), one.department))
    ranked = [one for one in found if _counts(one)]
    table: list[Ranked] = []
    for number, one in enumerate(ranked, 1):
        same = bool(table) and _order(table[-1].conduct) == _order(one)
        table.append(Ranked(table[-1].rank if same else number, one))
    return table + [Ranked(None, one) for one in found if not _counts(one)]


def _counts(one: Conduct) -> bool:
    return one.on_time + one.late + one.overdue >= LEAST_DECISIONS


def _order(one: Conduct) -> tuple[float, float, float]:
    return -(one.timeliness or 0.0), -(one.completeness or 0.0), one.rejection_rate or 0.0


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
