"""The disclosure calendar: what was decided on each day of a month, and until when that had to be public (`exchange.domain.timeliness`)."""

from calendar import monthrange
from datetime import date
from typing import NamedTuple

from exchange.directory import Directory
from exchange.domain.calendar import to_day
from exchange.domain.timeliness import Timeliness
from exchange.errors import RequestError


class Day(NamedTuple):
    """A day of the month (since 1970-01-01); due: last day on which what was decided then is public in time, None without a rule."""

    day: int
    penalties: int
    licences: int
    due: int | None
    provisional: bool


class Month(NamedTuple):
    """A month, and its neighbours as `2026-11`."""

    name: str
    before: str
    after: str
    days: list[Day]


def month_of(text: str, today: date) -> tuple[int, int]:
    """Year and month of `2026-11`; this month for "".

    Raises:
        RequestError: `bad_month`.
    """
    if not text:
        return today.year, today.month
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise RequestError(f"{text!r} is no month", code="bad_month", remedy="write it like 2026-11") from error
    return first.year, first.month


def read_month(directory: Directory, timeliness: Timeliness, year: int, month: int) -> Month:
    """The days of a month on which something was decided."""
    first = to_day(date(year, month, 1))
    last = first + monthrange(year, month)[1] - 1
    penalties = directory.count_by_day("penalty", first, last)
    licences = directory.count_by_day("licence", first, last)
    days = []
    for day in sorted(penalties.keys() | licences.keys()):
        due = timeliness.due("licence", day)
        of_day = penalties.get(day, 0), licences.get(day, 0)
        days.append(Day(day, *of_day, due.by if due else None, provisional=due is not None and due.provisional))
    return Month(_name(year, month), _name(year, month - 1), _name(year, month + 1), days)


def _name(year: int, month: int) -> str:
    years, month = divmod(month - 1, 12)
    return f"{year + years}-{month + 1:02}"
