"""Early warning: how soon outbreaks are found and how often there is none, on simulated provinces, beside other methods in the same run.

    python -m tests.bench.warnings [--seeds 201,202,203] [--tuning 1,2] [--days 730] [--json]

The thresholds of the baselines were chosen on the seeds 1 to 3 (101 to 105 were looked at on the way); what is printed is of others. A province
has 101 daily series (or 12 hourly ones), each with its own week, holidays, year, trend and over-dispersion, and outbreaks of three kinds
and three sizes (`tests.bench.outbreaks`). Nine series a seed come in bulk, every week, month or quarter: nothing is wrong with them. The
peers are given the threshold at which they are wrong as often on the tuning seeds as the baselines are, so that what they find can be
compared; what they do at their usual threshold is printed beside it.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles, stdev

from river import stats, time_series

from consumers.early_warning.baseline import LEARNING_DAYS, Baseline
from consumers.early_warning.season import Seasons
from consumers.early_warning.series import Counted
from exchange.domain.calendar import DAY_MS, WorkingDays
from exchange.working_days import load_working_days
from tests.bench.measured import print_result
from tests.bench.outbreaks import KINDS, TIMES, Line, batches, province

AFTER_DAYS = 14
"""A warning so soon after an outbreak is still about it."""
LATE_DAYS = 2
QUIET_DAYS = 3
"""A peer's warning is over after so many days below its threshold."""

Alarms = list[int]
"""Windows in which a warning was raised."""
Scores = Sequence[float]
"""How unusual each window is; a peer warns above a threshold."""


@dataclass(slots=True)
class Tally:
    """What a method found on some provinces."""

    found: dict[tuple[str, float], list[bool]] = field(default_factory=lambda: defaultdict(list))
    delays: dict[tuple[str, float], list[float]] = field(default_factory=lambda: defaultdict(list))
    false_alarms: int = 0
    years: float = 0.0

    def count(self, line: Line, alarms: Alarms) -> None:
        """Take in what was warned about in one series."""
        per_day = DAY_MS // line.width
        about = set()
        for one in line.outbreaks:
            hits = [at for at in alarms if one.first * per_day <= at < (one.end + LATE_DAYS) * per_day]
            self.found[one.kind, one.times].append(bool(hits))
            if hits:
                self.delays[one.kind, one.times].append((hits[0] - one.first * per_day + 1) * line.width / 3_600_000)
            about |= {at for at in alarms if one.first * per_day <= at < (one.end + AFTER_DAYS) * per_day}
        self.false_alarms += len([at for at in alarms if at not in about])
        covered = sum(one.end + AFTER_DAYS - one.first for one in line.outbreaks) + LEARNING_DAYS
        self.years += (len(line.counts) / per_day - covered) / 365

    @property
    def false_per_year(self) -> float:
        """Warnings about nothing, per series and year without an outbreak."""
        return self.false_alarms / self.years

    def sensitivity(self, kind: str = "", times: float = 0.0) -> float:
        """The share of outbreaks found: of one kind and size, or of all."""
        hits = [hit for (k, t), hits in self.found.items() if kind in ("", k) and times in (0.0, t) for hit in hits]
        return fmean(hits)

    def all_delays(self, kind: str = "", times: float = 0.0) -> list[float]:
        """Hours from the beginning of an outbreak to the end of the window that raised the warning."""
        return [d for (k, t), delays in self.delays.items() if kind in ("", k) and times in (0.0, t) for d in delays]


def warned(line: Line, seasons: Seasons) -> Alarms:
    """The windows in which this project's baseline raises a warning."""
    baseline, alarms = Baseline(seasons), []
    for at, count in enumerate(line.counts):
        found = baseline.observe(Counted(line.series, line.start + at * line.width, line.width, count))
        alarms += [at for one in found if one.windows == 1 and not one.ended]
    return alarms


def ears_c2(line: Line) -> Scores:
    """EARS C2: deviations from the seven days before the last two (surveillance::earsC; a deviation is at least 0.5)."""
    per_day, found = DAY_MS // line.width, []
    step = per_day  # an hour is compared with the same hour of other days
    for at, count in enumerate(line.counts):
        before = line.counts[at - 9 * step : at - 2 * step : step] if at >= 9 * step else []
        found.append((count - fmean(before)) / max(stdev(before), 0.5) if before else 0.0)
    return found


def z_score(line: Line) -> Scores:
    """Deviations from the 28 windows before."""
    found = []
    for at, count in enumerate(line.counts):
        before = line.counts[max(at - 28, 0) : at]
        found.append((count - fmean(before)) / max(stdev(before), 0.5) if len(before) == 28 else 0.0)
    return found


def river_holt_winters(line: Line) -> Scores:
    """River's Holt-Winters with a week's season; its errors in their own running deviations (`river.stats.EWVar`)."""
    per_day = DAY_MS // line.width
    model = time_series.HoltWinters(alpha=0.1, beta=0.01, gamma=0.2, seasonality=7 * per_day)
    errors, found = stats.EWVar(fading_factor=0.02), []
    for at, count in enumerate(line.counts):
        if at < 14 * per_day:
            found.append(0.0)
        else:
            error = count + 0.5 - model.forecast(1)[0]
            found.append(error / max(errors.get() ** 0.5, 0.5))
            errors.update(error)
        model.learn_one(count + 0.5)  # it divides by its first level
    return found


PEERS: dict[str, tuple[Callable[[Line], Scores], float]] = {
    "ears_c2": (ears_c2, 3.09),
    "z_score": (z_score, 3.0),
    "river_holt_winters": (river_holt_winters, 3.0),
}
"""Other methods, and their usual thresholds."""


def above(line: Line, scores: Scores, threshold: float) -> Alarms:
    """The windows in which a score passes the threshold after some days below it, with at least five events as in the baselines."""
    per_day = DAY_MS // line.width
    alarms, last = [], -QUIET_DAYS * per_day
    for at, score in enumerate(scores):
        if score > threshold and line.counts[at] >= 5 and at >= LEARNING_DAYS * per_day:
            if at - last >= QUIET_DAYS * per_day:
                alarms.append(at)
            last = at
    return alarms


def threshold_for(lines: Sequence[Line], scored: Sequence[Scores], wanted: float) -> float:
    """The threshold at which a peer warns wrongly as often as wanted (per series and year)."""
    low, high = 1.0, 200.0
    for _ in range(24):
        middle = (low * high) ** 0.5
        tally = Tally()
        for line, scores in zip(lines, scored, strict=True):
            tally.count(line, above(line, scores, middle))
        low, high = (middle, high) if tally.false_per_year > wanted else (low, middle)
    return high


def lines_of(seeds: Iterable[int], days: WorkingDays, length: int, *, hourly: bool) -> list[Line]:
    """The series of some provinces."""
    return [line for seed in seeds for line in province(seed, days, length=length, hourly=hourly)]


def measure(
    seeds: Sequence[int], tuning: Sequence[int], length: int, *, hourly: bool
) -> tuple[dict[str, Tally], dict[str, float], float]:
    """Every method on the same provinces: what it found, the peers' thresholds, and the microseconds that a window costs here."""
    days = load_working_days()
    seasons = Seasons(days)
    tried, lines = lines_of(tuning, days, length, hourly=hourly), lines_of(seeds, days, length, hourly=hourly)
    ours_tried, found, thresholds = Tally(), {"baseline": Tally()}, {}
    for line in tried:
        ours_tried.count(line, warned(line, seasons))
    began = time.perf_counter()
    for line in lines:
        found["baseline"].count(line, warned(line, seasons))
    cost = (time.perf_counter() - began) / sum(len(line.counts) for line in lines) * 1e6
    for name, (score, usual) in PEERS.items():
        thresholds[name] = threshold_for(tried, [score(line) for line in tried], ours_tried.false_per_year)
        found[name], found[f"{name}_usual"] = Tally(), Tally()
        for line in lines:
            scores = score(line)
            found[name].count(line, above(line, scores, thresholds[name]))
            found[f"{name}_usual"].count(line, above(line, scores, usual))
    return found, thresholds, cost


def bulk(seeds: Sequence[int], length: int) -> dict[str, float]:
    """How often series that come in bulk are warned about though nothing is wrong, per series and year, by how often they come."""
    days = load_working_days()
    seasons = Seasons(days)
    found: dict[str, Tally] = defaultdict(Tally)
    for seed in seeds:
        for line in batches(seed, days, length=length):
            every = line.series.value[1:].partition("-")[0]
            found[f"bulk_every_{every}_days_baseline"].count(line, warned(line, seasons))
            for name, (score, usual) in PEERS.items():
                found[f"bulk_every_{every}_days_{name}_usual"].count(line, above(line, score(line), usual))
    return {f"{name}_false_per_series_year": round(one.false_per_year, 2) for name, one in found.items()}


def result(found: dict[str, Tally], thresholds: dict[str, float], prefix: str) -> dict[str, float]:
    """Flat figures."""
    flat: dict[str, float] = {}
    for name, tally in found.items():
        delays = tally.all_delays()
        flat |= {
            f"{prefix}_{name}_sensitivity": round(tally.sensitivity(), 3),
            f"{prefix}_{name}_false_per_series_year": round(tally.false_per_year, 3),
            f"{prefix}_{name}_delay_hours_p50": round(median(delays), 1) if delays else -1,
            f"{prefix}_{name}_delay_hours_p90": round(quantiles(delays, n=10)[8], 1) if len(delays) > 1 else -1,
        }
    for name, threshold in thresholds.items():
        flat[f"{prefix}_{name}_threshold"] = round(threshold, 2)
    return flat


def scenarios(tally: Tally, width_hours: int, prefix: str) -> dict[str, float]:
    """Figures of each kind and size of outbreak."""
    flat: dict[str, float] = {}
    for kind in KINDS:
        for times in TIMES:
            name, delays = f"{prefix}_{kind}_x{times:g}", tally.all_delays(kind, times)
            flat[f"{name}_outbreaks"] = len(tally.found[kind, times])
            flat[f"{name}_sensitivity"] = round(tally.sensitivity(kind, times), 3)
            flat[f"{name}_delay_windows_p50"] = median(delays) / width_hours if delays else -1
            flat[f"{name}_delay_hours_p50"] = median(delays) if delays else -1
            flat[f"{name}_delay_hours_p90"] = round(quantiles(delays, n=10)[8], 1) if len(delays) > 1 else -1
    return flat


def print_table(title: str, found: dict[str, Tally]) -> None:
    """Methods side by side."""
    print(f"\n{title}\n{'method':26} {'found':>7} {'false/series-year':>18} {'delay h p50':>12} {'p90':>7}")
    for name, tally in found.items():
        delays = tally.all_delays()
        p90 = quantiles(delays, n=10)[8] if len(delays) > 1 else -1
        print(
            f"{name:26} {tally.sensitivity():7.1%} {tally.false_per_year:18.3f} {median(delays) if delays else -1:12.1f} {p90:7.1f}"
        )
    ours = found["baseline"]
    print(f"{'scenario':26} {'found':>7} {'of':>18} {'delay h p50':>12} {'p90':>7}")
    for kind in KINDS:
        for times in TIMES:
            delays, hits = ours.all_delays(kind, times), ours.found[kind, times]
            p90 = quantiles(delays, n=10)[8] if len(delays) > 1 else -1
            print(
                f"{kind + f' x{times:g}':26} {fmean(hits):7.1%} {len(hits):18} {median(delays) if delays else -1:12.1f} {p90:7.1f}"
            )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="201,202,203,204,205", help="provinces that are measured")
    parser.add_argument("--tuning", default="1,2,3", help="provinces on which the peers' thresholds are set")
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--hourly-days", type=int, default=365)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seeds, tuning = ([int(one) for one in text.split(",")] for text in (given.seeds, given.tuning))
    flat: dict[str, object] = {"seeds": given.seeds, "tuning_seeds": given.tuning}
    for prefix, hourly, length in (("daily", False, given.days), ("hourly", True, given.hourly_days)):
        found, thresholds, cost = measure(seeds, tuning, length, hourly=hourly)
        flat |= result(found, thresholds, prefix) | scenarios(found["baseline"], 1 if hourly else 24, prefix)
        flat[f"{prefix}_series_years"] = round(found["baseline"].years, 1)
        flat[f"{prefix}_us_per_window"] = round(cost, 1)
        if not given.json:
            print_table(f"{prefix}, seeds {given.seeds}, thresholds of peers from seeds {given.tuning}", found)
    flat |= bulk(seeds, given.days)
    print_result(flat, as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
