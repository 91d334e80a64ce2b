from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.calendar import DAY_MS, WorkingDays, day_of, to_date, to_day
from exchange.working_days import load_working_days
from tests.worlds import day

REAL = load_working_days()
NONE = WorkingDays(holidays=frozenset(), workdays=frozenset(), first_year=2020, last_year=2020)


def added(start: str, n: int) -> tuple[str, bool]:
    end, provisional = REAL.add(day(start), n)
    return str(to_date(end)), provisional


def test_national_day_of_2025_with_its_make_up_days() -> None:
    # Worked: Sunday 28 September and Saturday 11 October; not worked: 1 to 8 October.
    assert REAL.is_working(day("2025-09-28"))
    assert not REAL.is_working(day("2025-10-08"))
    assert REAL.is_working(day("2025-10-11"))
    assert added("2025-09-26", 6) == ("2025-10-11", False)
    assert added("2025-09-26", 7) == ("2025-10-13", False)


def test_seven_working_days_over_an_ordinary_week() -> None:
    assert added("2025-06-03", 7) == ("2025-06-12", False)


def test_no_working_day_is_the_day_itself() -> None:
    assert added("2025-10-01", 0) == ("2025-10-01", False)
    with pytest.raises(ValueError, match="-1"):
        REAL.add(0, -1)


def test_outside_the_years_known_it_is_provisional() -> None:
    assert REAL.first_year <= 2016
    assert REAL.last_year >= 2026
    year = REAL.last_year + 1
    monday = next(d for d in range(to_day(date(year, 6, 1)), to_day(date(year, 6, 8))) if (d + 3) % 7 == 0)
    assert REAL.add(monday, 4) == (monday + 4, True)
    assert REAL.add(monday, 5) == (monday + 7, True)
    assert REAL.add(to_day(date(year - 1, 12, 31)), 1)[1]
    assert not REAL.add(to_day(date(year - 1, 12, 1)), 1)[1]


def test_days_are_chinas() -> None:
    midnight = to_day(date(2026, 4, 1)) * DAY_MS - 8 * 3_600_000
    assert day_of(midnight) == to_day(date(2026, 4, 1))
    assert day_of(midnight - 1) == to_day(date(2026, 3, 31))


@given(st.integers(to_day(date(2000, 1, 1)), to_day(date(2040, 1, 1))), st.integers(0, 300))
def test_between_undoes_add(start: int, n: int) -> None:
    end, _ = REAL.add(start, n)
    assert REAL.between(start, end) == n
    assert n == 0 or REAL.is_working(end)


@given(st.integers(to_day(date(2000, 1, 1)), to_day(date(2040, 1, 1))), st.integers(0, 60), st.integers(0, 60))
def test_adding_twice_is_adding_the_sum(start: int, first: int, second: int) -> None:
    assert REAL.add(REAL.add(start, first)[0], second)[0] == REAL.add(start, first + second)[0]


@given(st.integers(-30000, 60000))
def test_dates_and_days_are_the_same(number: int) -> None:
    assert to_day(to_date(number)) == number
    assert NONE.is_working(number) == (to_date(number).weekday() < 5)
