"""Baselines: seasons, cold start, outbreaks of each kind, low counts, gaps, and a state that can be put away."""

import random
from collections.abc import Callable
from datetime import date

import pytest

from consumers.early_warning.baseline import LEARNING_DAYS, MIN_COUNT, QUIET_DAYS, RECENT, Baseline
from consumers.early_warning.findings import Finding
from consumers.early_warning.season import HOLIDAY, MAKE_UP, RETURN, Seasons
from consumers.early_warning.series import Counted, Series
from exchange.domain.bodies import WarningLevel
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, to_day
from exchange.working_days import load_working_days

SERIES = Series("penalty", "region", "440300")
DAYS = load_working_days()
SEASONS = Seasons(DAYS)
FIRST = to_day(date(2025, 3, 3))
"""A Monday."""
HOUR_MS = 3_600_000


def start_of(day: int) -> int:
    return (FIRST + day) * DAY_MS - CHINA_OFFSET_MS


def usual(day: int) -> int:
    """About thirty on days worked, none on others; the same in each run."""
    chance = random.Random(day)  # not for secrets
    return sum(chance.random() < 0.3 for _ in range(100)) if DAYS.is_working(FIRST + day) else 0


def run(
    count_of: Callable[[int], int], days: int, baseline: Baseline | None = None, *, first: int = 0
) -> list[tuple[int, Finding]]:
    """(day, finding) of everything that was found."""
    baseline = baseline or Baseline(SEASONS)
    return [
        (day, found)
        for day in range(first, days)
        for found in baseline.observe(Counted(SERIES, start_of(day), DAY_MS, count_of(day)))
    ]


def test_a_usual_year_with_its_weekends_and_holidays_is_nothing_to_warn_about() -> None:
    assert run(usual, 365) == []


def test_a_burst_is_found_on_its_first_day_and_ends_when_it_is_over() -> None:
    found = run(lambda day: usual(day) + (120 if 200 <= day < 203 else 0), 230)
    (day, raised), *_, (last, over) = found
    assert (day, raised.windows, raised.ended) == (200, 1, False)
    assert raised.level >= WarningLevel.ORANGE
    assert raised.expected == pytest.approx(30, rel=0.3)
    assert (over.ended, over.began) == (True, raised.began)
    assert last <= 203 + QUIET_DAYS + 2
    assert len({one.began for _, one in found}) == 1, "one warning"


def test_a_slow_rise_is_found_though_no_day_stands_out() -> None:
    found = run(lambda day: usual(day) * 3 // 2 if 200 <= day < 230 else usual(day), 230)
    assert found
    day, raised = found[0]
    assert day < 215
    assert raised.level == WarningLevel.BLUE


def test_an_outbreak_does_not_become_its_own_baseline() -> None:
    baseline = Baseline(SEASONS)
    run(lambda day: usual(day) * (4 if day >= 200 else 1), 214, baseline)
    assert baseline.is_raised
    (again,) = (
        baseline.observe(Counted(SERIES, start_of(214), DAY_MS, 4 * usual(210)))
        or run(lambda day: usual(day) * 4, 216, baseline, first=215)[0][1:]
    )
    assert again.expected < 45, "thirty are still usual"


def test_what_stays_is_the_new_usual_in_the_end() -> None:
    found = run(lambda day: usual(day) * (2 if day >= 200 else 1), 330)
    assert found[-1][1].ended
    assert found[-1][0] < 290
    assert len({one.began for _, one in found}) == 1


def test_nothing_is_warned_about_before_four_weeks_are_known() -> None:
    assert run(lambda day: 500 if day == LEARNING_DAYS - 5 else usual(day), 60) == []
    found = run(lambda day: 500 if day == LEARNING_DAYS + 4 else usual(day), 60)
    assert found[0][0] == LEARNING_DAYS + 4


def test_few_events_are_no_outbreak() -> None:
    def rare(day: int) -> int:  # one event in three weeks
        return int(day % 23 == 0)

    assert run(lambda day: MIN_COUNT - 1 if day == 200 else rare(day), 230) == []
    assert run(lambda day: 9 if day == 200 else rare(day), 230)[0][0] == 200


def test_what_is_handed_in_every_month_is_warned_about_twice_and_then_known() -> None:
    def bulk(day: int) -> int:
        return 1 + 200 * (day % 30 == 10)

    found = run(bulk, 365)
    assert len({one.began for _, one in found}) == 2
    larger = run(lambda day: 3 * bulk(day) if day == 340 else bulk(day), 365)
    assert max(one.began for _, one in larger) == start_of(340), "three times as much is no usual batch"
    longer = run(lambda day: 200 if 340 <= day < 345 else bulk(day), 365)
    assert max(one.began for _, one in longer) == start_of(342), "five days in a row are none"


def test_the_same_counts_give_the_same_findings_through_any_number_of_restarts() -> None:
    def counts(day: int) -> int:
        return usual(day) + (80 if 100 <= day < 104 else 0)

    straight, baseline, restarted = run(counts, 140), Baseline(SEASONS), []
    for day in range(140):
        baseline = Baseline.load(baseline.dump(), SEASONS)
        restarted += run(counts, day + 1, baseline, first=day)
    assert restarted == straight
    assert len(baseline.dump()) < 600


def test_a_window_that_comes_again_changes_nothing() -> None:
    baseline = Baseline(SEASONS)
    run(usual, 100, baseline)
    before = baseline.dump()
    assert run(lambda _: 10_000, 100, baseline, first=90) == []
    assert baseline.dump() == before


def test_windows_that_were_left_out_had_nothing_in_them() -> None:
    baseline, whole = Baseline(SEASONS), Baseline(SEASONS)
    for day in range(150):
        count = 100 if day == 100 else 0 if 100 < day < 110 else usual(day)
        counted = Counted(SERIES, start_of(day), DAY_MS, count)
        whole.observe(counted)
        if count:
            baseline.observe(counted)
    baseline.observe(Counted(SERIES, start_of(150), DAY_MS, 0))
    whole.observe(Counted(SERIES, start_of(150), DAY_MS, 0))
    assert baseline.dump() == whole.dump()


def test_a_finding_carries_the_newest_counts_beside_what_was_usual() -> None:
    (_, raised), *_ = run(lambda day: 200 if day == 150 else usual(day), 151)
    assert len(raised.recent) == RECENT
    assert raised.recent[-1] == (200, round(100 * raised.expected))
    assert [count for count, _ in raised.recent[:-1]] == [usual(day) for day in range(151 - RECENT, 150)]


def test_hours_have_the_season_of_their_hour() -> None:
    baseline = Baseline(SEASONS)

    def count(hour: int) -> int:
        chance = random.Random(hour)
        return sum(chance.random() < (0.4 if 9 <= hour % 24 < 18 else 0.02) for _ in range(50))

    found = []
    for hour in range(24 * 60):
        extra = 25 if hour == 24 * 50 + 3 else 0
        found += [
            (hour, one)
            for one in baseline.observe(Counted(SERIES, start_of(0) + hour * HOUR_MS, HOUR_MS, count(hour) + extra))
        ]
    assert found[0][0] == 24 * 50 + 3, "as many at noon would be usual"
    assert found[-1][1].ended


@pytest.mark.parametrize(
    ("day", "slot"),
    [
        ("2025-05-12", 0),
        ("2025-05-17", 5),
        ("2025-05-01", HOLIDAY),
        ("2025-04-27", MAKE_UP),
        ("2025-05-06", RETURN),
        ("2025-10-09", RETURN),
    ],
)
def test_days_are_like_their_kind(day: str, slot: int) -> None:
    assert SEASONS.slots(to_day(date.fromisoformat(day)) * DAY_MS - CHINA_OFFSET_MS, DAY_MS) == (slot,)
