"""Cycles: how often a resource is updated, beside what the catalogue promises (更新周期)."""

from collections.abc import Collection
from itertools import pairwise
from statistics import median_high
from typing import NamedTuple

CYCLE_DAYS = {2: 1, 3: 7, 4: 31, 5: 92, 6: 184, 7: 366}
"""Days of the catalogue's update cycles. Real time (1) says nothing of a quiet day, and 99 promises nothing."""


class Pace(NamedTuple):
    """How a resource keeps its cycle, over the days looked at.

    promised: days, None where nothing is. typical, longest: days between two days with records, None with fewer than two; the longest
    also counts until today. since: days since the newest record, None without any. is_late: the promise is broken now.
    """

    promised: int | None
    typical: int | None
    longest: int | None
    since: int | None
    is_late: bool


def pace_of(update_cycle: int, days: Collection[int], today: int) -> Pace:
    """How a resource keeps its cycle.

    Args:
        update_cycle: code of the catalogue.
        days: on which it had records (since 1970-01-01).
        today: likewise.
    """
    promised = CYCLE_DAYS.get(update_cycle)
    ordered = sorted(set(days))
    if not ordered:
        return Pace(promised, None, None, None, is_late=False)
    gaps = [after - before for before, after in pairwise(ordered)]
    since = today - ordered[-1]
    longest = max([*gaps, since])
    is_late = promised is not None and since > promised
    return Pace(promised, median_high(gaps) if gaps else None, longest, since, is_late)
