"""Seasons: which windows of a series are alike, by weekday, working day, holiday and hour in China."""

from functools import lru_cache

from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, WorkingDays, day_of

HOUR_MS = 3_600_000

_SUNDAY = 6
HOLIDAY, MAKE_UP, RETURN = 7, 8, 9
"""Slots of days beside those of Monday (0) to Sunday (6): a holiday on a weekday, a weekend that is worked, the first working day
after three days or more without work, when what has piled up comes in."""
DAY_SLOTS = 10
HOUR_SLOTS = 48
LIKE = {HOLIDAY: _SUNDAY, MAKE_UP: 0, RETURN: 0}
"""What a rare day is like as long as it has no history of its own."""
_LONG_REST = 3


class Seasons:
    """Knows the slot of each window.

    Args:
        days: the working days of China.
    """

    def __init__(self, days: WorkingDays) -> None:
        self._days = days
        self._slot_of_day = lru_cache(maxsize=4096)(self._day_slot)

    def size(self, width: int) -> int:
        """How many slots windows of this width (ms) have."""
        return DAY_SLOTS if width >= DAY_MS else DAY_SLOTS + HOUR_SLOTS

    def slots(self, start: int, width: int) -> tuple[int, ...]:
        """The slots of a window, whose factors multiply: the kind of its day, and for less than a day its hour, on days worked and not."""
        day = day_of(start)
        if width >= DAY_MS:
            return (self._slot_of_day(day),)
        hour = int((start + CHINA_OFFSET_MS) % DAY_MS // HOUR_MS)
        return (self._slot_of_day(day), DAY_SLOTS + hour + (0 if self._days.is_working(day) else 24))

    def _day_slot(self, day: int) -> int:
        weekday = (day + 3) % 7
        working = self._days.is_working(day)
        if not working:
            return weekday if weekday > 4 else HOLIDAY
        if not any(self._days.is_working(day - back) for back in range(1, _LONG_REST + 1)):
            return RETURN
        return MAKE_UP if weekday > 4 else weekday
