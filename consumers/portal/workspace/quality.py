"""Data quality and timeliness of a department's resources, over what it has published of late. Pure.

Computed from the newest records on the department's own topics when somebody looks (`SAMPLE` at most, kept for a minute): exact for
them, the same cost however much there is, and nothing is added to the path that records take. Older ones are not counted, and the
page says from when on it counts.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from consumers.portal.workspace.submissions import Fate, Submission
from exchange.catalogue_resources import Resource
from exchange.domain.bodies import Severity
from exchange.domain.calendar import WorkingDays, day_of, to_day
from exchange.domain.completeness import filled
from exchange.domain.cycles import pace_of
from exchange.domain.identity import is_person
from exchange.domain.timeliness import Timeliness, Timing, timing_of

SAMPLE = 2_000
CHART_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceQuality:
    """One resource of a department.

    Attributes:
        accepted, rejected, waiting: records of the sample.
        median_days, slowest_days: working days from decision to publication, of accepted records; None without any.
        in_time: share within their term of disclosure; None where there is none with a term.
        completeness: share of recommended fields filled, of accepted records; None where nothing is recommended or there is none.
        last_at: newest publication, milliseconds since 1970-01-01 UTC; None where the sample has none.
        is_late: the newest publication is longer ago than the update cycle.
    """

    resource: Resource
    accepted: int
    rejected: int
    waiting: int
    median_days: int | None
    slowest_days: int | None
    in_time: float | None
    completeness: float | None
    last_at: int | None
    is_late: bool


class Measures(NamedTuple):
    """What a department is measured by, as in the league table."""

    timeliness: Timeliness
    working_days: WorkingDays
    recommended: Mapping[str, tuple[str, ...]]


class Day(NamedTuple):
    """Records published on a day (since 1970-01-01, in China), and how many of them were rejected."""

    day: int
    published: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How a department publishes.

    Attributes:
        since: publication of the oldest record counted, milliseconds; None without any. whole: whether it is the first ever.
        reasons: (code, how many records were rejected for it), the most frequent first.
        unreadable: rejected records whose type cannot be read.
    """

    sample: int
    since: int | None
    whole: bool
    accepted: int
    rejected: int
    resources: tuple[ResourceQuality, ...]
    reasons: tuple[tuple[str, int], ...]
    unreadable: int
    days: tuple[Day, ...]


def assess(
    rows: Sequence[Submission], resources: Iterable[Resource], measures: Measures, *, now: int, whole: bool
) -> Quality:
    """How a department publishes.

    Args:
        rows: its newest records.
        resources: that it provides.
        measures: what it is measured by.
        now: milliseconds since 1970-01-01 UTC.
        whole: whether the rows are all there are.
    """
    by_type: defaultdict[str, list[Submission]] = defaultdict(list)
    for row in rows:
        by_type[row.record_type].append(row)
    fates = Counter(row.fate for row in rows)
    reasons = Counter(code for row in rows for code in {reason.code for reason in row.reasons})
    return Quality(
        sample=len(rows), since=min((row.at for row in rows), default=None), whole=whole,
        accepted=fates[Fate.ACCEPTED], rejected=fates[Fate.REJECTED],
        resources=tuple(_assess(one, by_type[one.record_type], measures, now) for one in resources),
        reasons=tuple(reasons.most_common()), unreadable=len(by_type[""]), days=_days(rows, day_of(now)),
    )  # fmt: skip


def _assess(resource: Resource, rows: Collection[Submission], measures: Measures, now: int) -> ResourceQuality:
    fates = Counter(row.fate for row in rows)
    records = [row.record for row in rows if row.fate is Fate.ACCEPTED and row.record is not None]
    taken = sorted(measures.working_days.between(to_day(one["decided_on"]), published_on(one)) for one in records)
    timings = [timing for one in records if (timing := _timing(resource.record_type, one, measures)) is not None]
    recommended = measures.recommended.get(resource.record_type, ())
    counts = [filled(one, recommended, person=is_person(str(one.get("subject", "")))) for one in records]
    asked = sum(of for _, of in counts)
    pace = pace_of(resource.update_cycle, {day_of(row.at) for row in rows}, day_of(now))
    return ResourceQuality(
        resource=resource, accepted=fates[Fate.ACCEPTED], rejected=fates[Fate.REJECTED], waiting=fates[Fate.WAITING],
        median_days=taken[len(taken) // 2] if taken else None, slowest_days=taken[-1] if taken else None,
        in_time=timings.count(Timing.ON_TIME) / len(timings) if timings else None,
        completeness=sum(full for full, _ in counts) / asked if asked else None,
        last_at=max((row.at for row in rows), default=None), is_late=pace.is_late,
    )  # fmt: skip


def published_on(record: Mapping[str, Any]) -> int:
    """The day in China on which a record was handed to the bus."""
    return day_of(int(record["published_at"].timestamp() * 1000))


def _timing(record_type: str, record: Mapping[str, Any], measures: Measures) -> Timing | None:
    severity = Severity[record["severity"]] if "severity" in record else None
    due = measures.timeliness.due(record_type, to_day(record["decided_on"]), severity)
    return due and timing_of(due, published_on(record))


def _days(rows: Iterable[Submission], today: int) -> tuple[Day, ...]:
    published: Counter[int] = Counter()
    rejected: Counter[int] = Counter()
    for row in rows:
        day = day_of(row.at)
        published[day] += 1
        rejected[day] += row.fate is Fate.REJECTED
    return tuple(Day(day, published[day], rejected[day]) for day in range(today - CHART_DAYS + 1, today + 1))
