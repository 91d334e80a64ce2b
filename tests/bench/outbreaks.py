"""Simulated provinces of counts: series with seasons, holidays, over-dispersion and trend, and outbreaks injected into them.

What a province is made of is independent of the detector: its own week, its own holidays' effect, its own backlog after long rests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from consumers.early_warning.series import Series
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, WorkingDays, to_day

FIRST = to_day(date(2024, 7, 1))
CITIES = [
    "440100", "440200", "440300", "440400", "440500", "440600", "440700", "440800", "440900", "441200", "441300", "441400", "441500",
    "441600", "441700", "441800", "441900", "442000", "445100", "445200", "445300",
]  # fmt: skip
INDUSTRIES = "ACDEFGHIJKLNOQR"
HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 8, 20, 30, 32, 28, 14, 16, 28, 32, 30, 22, 10, 8, 8, 6, 4, 2]) / 309.0
"""When in the day complaints come in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbreak:
    """A rise that was put in: kind, how many times the usual at its height, and its days (the end exclusive, from the first day)."""

    kind: str
    times: float
    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series of a province: counts by day or hour, and what was injected into them."""

    series: Series
    width: int
    start: int
    counts: list[int]
    outbreaks: list[Outbreak]


KINDS = {"burst": 3, "plateau": 14, "ramp": 21}
"""Days of each kind of outbreak: all at once for three, all at once for two weeks, rising over three weeks."""
TIMES = (2.0, 3.0, 5.0)
LEAST_EXTRA = 3.0
"""An outbreak brings at least so many more a day: a rise from 0.1 to 0.3 a day is none."""
QUIET_DAYS = 120
"""No outbreak before this day, and so many days of the year until the next: 90."""
BETWEEN = 90


def province(seed: int, days: WorkingDays, *, length: int, hourly: bool = False) -> Iterator[Line]:
    """The series of one province.

    Args:
        seed: of everything.
        days: the working days of China.
        length: days simulated.
        hourly: complaints by the hour in 12 series; else all four signals by the day in 101.
    """
    chance = np.random.default_rng(seed)
    if hourly:
        names = [Series("complaint", "region", city) for city in CITIES[:12]]
    else:
        names = [
            Series(signal, "region", city) for signal in ("penalty", "complaint", "abnormal_entry") for city in CITIES
        ]
        names += [Series("penalty", "industry", one) for one in INDUSTRIES]
        names += [Series("complaint", "industry", one) for one in INDUSTRIES]
        names += [
            Series("listing", "ground", one)
            for one in ("TAX", "COURT", "WAGE", "SAFE", "SER-AMR", "ENV", "CUST", "PROC")
        ]
    kinds = np.array([_kind_of_day(FIRST + day, days) for day in range(length)])
    for series in names:
        usual = _usual(series, chance, kinds, hourly=hourly)
        outbreaks = _outbreaks(chance, length)
        mean = usual.copy()
        for one in outbreaks:
            ages = np.arange(one.end - one.first)
            shape = (ages + 1) / len(ages) if one.kind == "ramp" else np.ones(len(ages))
            level = usual.mean()
            extra = np.maximum(
                (one.times - 1) * usual[one.first : one.end],
                LEAST_EXTRA * (one.times - 1) if level < LEAST_EXTRA else 0.0,
            )
            worked = usual[one.first : one.end] > 0.3 * level  # an outbreak too waits for Monday
            mean[one.first : one.end] += extra * shape * worked
        spread = chance.uniform(1.0, 3.0)
        by_window = (mean[:, None] * HOURS[None, :]).ravel() if hourly else mean
        counts = _counts(chance, by_window, 1 + (spread - 1) / (6 if hourly else 1))
        width = DAY_MS // 24 if hourly else DAY_MS
        yield Line(
            series=series, width=width, start=FIRST * DAY_MS - CHINA_OFFSET_MS, counts=counts, outbreaks=outbreaks
        )


def _kind_of_day(day: int, days: WorkingDays) -> int:
    """0 to 6 Monday to Sunday, 7 holiday, 8 worked weekend, 9 first worked day after three or more off."""
    weekday = (day + 3) % 7
    if not days.is_working(day):
        return weekday if weekday > 4 else 7
    if not any(days.is_working(day - back) for back in (1, 2, 3)):
        return 9
    return 8 if weekday > 4 else weekday


def _usual(series: Series, chance: np.random.Generator, kinds: np.ndarray, *, hourly: bool) -> np.ndarray:
    """Expected events by day without any outbreak."""
    low, high = (
        (60, 400)
        if hourly
        else {"penalty": (0.3, 60), "complaint": (2, 300), "abnormal_entry": (0.5, 150), "listing": (0.1, 25)}[
            series.signal
        ]
    )
    level = np.exp(chance.uniform(np.log(low), np.log(high)))
    weekend = chance.uniform(0.5, 0.9) if series.signal == "complaint" else chance.uniform(0.02, 0.15)
    week = chance.uniform(0.85, 1.15, 5)
    factors = np.array(
        [
            *week,
            weekend,
            weekend * chance.uniform(0.8, 1.0),
            weekend * chance.uniform(0.6, 1.1),
            week.mean(),
            week.mean() * chance.uniform(1.0, 1.4),
        ]
    )
    at = np.arange(len(kinds))
    year = 1 + chance.uniform(0, 0.2) * np.sin(2 * np.pi * (at / 365.25 + chance.uniform()))
    trend = (1 + chance.uniform(-0.2, 0.3)) ** (at / 365.25)
    return np.asarray(level * factors[kinds] * year * trend)


def _outbreaks(chance: np.random.Generator, length: int) -> list[Outbreak]:
    found, day = [], QUIET_DAYS + int(chance.integers(0, 60))
    while day + 30 < length:
        kind = str(chance.choice(list(KINDS)))
        found.append(Outbreak(kind=kind, times=float(chance.choice(TIMES)), first=day, end=day + KINDS[kind]))
        day += KINDS[kind] + BETWEEN + int(chance.integers(0, 60))
    return found


def _counts(chance: np.random.Generator, mean: np.ndarray, spread: float) -> list[int]:
    """Over-dispersed counts: a gamma mixture of Poisson, of variance `spread` times the mean."""
    mean = np.maximum(mean, 1e-6)
    rate = chance.gamma(mean / (spread - 1), spread - 1) if spread > 1.01 else mean
    return [int(one) for one in chance.poisson(rate)]


def batches(seed: int, days: WorkingDays, *, length: int) -> Iterator[Line]:
    """Series that come in bulk, as departments hand in lists: one event a day, and every week, month or quarter 20 to 1,000 at once."""
    chance = np.random.default_rng(seed)
    for every in (7, 30, 90):
        for size in (20, 100, 1000):
            due, counts = int(chance.integers(0, every)), []
            for day in range(length):
                count = int(chance.poisson(1))
                if day >= due and days.is_working(FIRST + day):
                    count += int(chance.poisson(size * chance.uniform(0.7, 1.3)))
                    due += every + int(chance.integers(-1, 2))
                counts.append(count)
            series = Series("listing", "ground", f"B{every}-{size}")
            start = FIRST * DAY_MS - CHINA_OFFSET_MS
            yield Line(series=series, width=DAY_MS, start=start, counts=counts, outbreaks=[])
