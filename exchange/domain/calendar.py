"""Days of the bus: whole days since 1970-01-01 in China's time zone, and the working days among them.

Holidays and make-up days come in as data (`exchange.working_days` reads them): the State Council sets them year by year.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

DAY_MS = 86_400_000
CHINA_OFFSET_MS = 8 * 3_600_000
"""China has one time zone, UTC+8, without summer time since 1991."""

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SATURDAY = 5


def day_of(at_ms: int) -> int:
    """The day in China at a moment given in milliseconds since 1970-01-01 UTC.

    >>> day_of(0), day_of(16 * 3_600_000 - 1), day_of(16 * 3_600_000)
    (0, 0, 1)
    """
    return (at_ms + CHINA_OFFSET_MS) // DAY_MS


def to_day(day: date) -> int:
    """Days since 1970-01-01.

    >>> to_day(date(2016, 6, 24))
    16976
    """
    return day.toordinal() - _EPOCH_ORDINAL


def to_date(day: int) -> date:
    """The date of a number of days since 1970-01-01.

    >>> to_date(16976).isoformat()
    '2016-06-24'
    """
    return date.fromordinal(day + _EPOCH_ORDINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """Which days are worked, in the years for which that is decided.

    Attributes:
        holidays: days from Monday to Friday (and others) that are not worked.
        workdays: Saturdays and Sundays that are worked to make up for them (调休).
        first_year: first year for which both are complete.
        last_year: last such year. In other years Monday to Friday are taken, and answers are provisional.
    """

    holidays: frozenset[int]
    workdays: frozenset[int]
    first_year: int
    last_year: int

    def is_working(self, day: int) -> bool:
        """Whether a day is worked."""
        return day in self.workdays or ((day + 3) % 7 < _SATURDAY and day not in self.holidays)

    def is_decided(self, day: int) -> bool:
        """Whether the State Council has set the working days of that day's year."""
        return self.first_year <= to_date(day).year <= self.last_year

    def add(self, day: int, n: int) -> tuple[int, bool]:
        """The n-th working day after a day; the day itself when n is 0.

        Returns:
            The day, and whether it is provisional because it lies, or part of the way to it, in a year not decided.

        Raises:
            ValueError: n is negative.
        """
        if n < 0:
            raise ValueError(f"cannot add {n} working days")
        end = day
        while n:
            end += 1
            n -= self.is_working(end)
        return end, not (self.is_decided(day) and self.is_decided(end))

    def deadlines(self) -> Callable[[int, int], tuple[int, bool]]:
        """`add`, remembering its answers: the hot path asks about few days."""
        return lru_cache(maxsize=4096)(self.add)

    def between(self, start: int, end: int) -> int:
        """Working days after `start` up to and with `end`, so that `between(d, add(d, n)) == n`; 0 if `end` is not later."""
        return sum(self.is_working(day) for day in range(start + 1, end + 1))
