"""Quality and timeliness of what a department publishes: counted from its newest records, by the State Council's calendar."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from consumers.portal.workspace.quality import Measures, assess
from consumers.portal.workspace.submissions import Fate, Submission
from exchange.catalogue import load_catalogue
from exchange.domain.timeliness import Timeliness
from exchange.errors import Reason
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.working_days import load_working_days

RESOURCES = [one for one in load_catalogue(SCHEMAS).resources if "gd.tax" in one.providers]
CATALOGUE = load_catalogue(SCHEMAS)
DAYS = load_working_days()
MEASURES = Measures(Timeliness(load_policy(SCHEMAS, CATALOGUE), DAYS.deadlines()), DAYS, CATALOGUE.recommended)
CHINA = timezone(timedelta(hours=8))


def at(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=CHINA).timestamp() * 1000)


def row(kind: str, decided_on: str, published: str, fate: Fate = Fate.ACCEPTED, *codes: str) -> Submission:
    reasons = tuple(Reason(code=code) for code in codes)
    published_at = datetime.fromtimestamp(at(published) / 1000, CHINA)
    record: dict[str, Any] | None = (
        {"decided_on": date.fromisoformat(decided_on), "published_at": published_at, "division": "440100"}
        if kind
        else None
    )
    return Submission((0, 0), at(published), kind, record, fate, reasons, None)


def assessed(*rows: Submission, now: str = "2026-10-20") -> Any:
    return assess(rows, RESOURCES, MEASURES, now=at(now), whole=True)


def of(quality: Any, kind: str) -> Any:
    return next(one for one in quality.resources if one.resource.record_type == kind)


def test_days_are_working_days_of_the_calendar() -> None:
    """Decided before the National Day holiday of 2026, published on the 7th working day after it, and on the 8th."""
    days = load_working_days()
    seventh, _ = days.add((date(2026, 9, 29) - date(1970, 1, 1)).days, 7)
    text = (date(1970, 1, 1) + timedelta(days=seventh)).isoformat()
    late = (date(1970, 1, 1) + timedelta(days=days.add(seventh, 1)[0])).isoformat()
    found = of(assessed(row("penalty", "2026-09-29", text), row("penalty", "2026-09-29", late)), "penalty")
    assert (found.median_days, found.slowest_days, found.in_time) == (8, 8, 0.5)
    assert found.completeness == 1 / len(CATALOGUE.recommended["penalty"]), "the division alone"


def test_rejected_records_are_counted_by_reason_once_each() -> None:
    found = assessed(
        row("listing", "2026-10-19", "2026-10-20"),
        row("listing", "2026-10-19", "2026-10-20", Fate.REJECTED, "empty_field", "empty_field", "bad_division"),
        row("", "2026-10-19", "2026-10-20", Fate.REJECTED, "truncated"),
        row("listing", "2026-10-19", "2026-10-20", Fate.WAITING),
    )
    assert (found.sample, found.accepted, found.rejected, found.unreadable) == (4, 1, 2, 1)
    assert dict(found.reasons) == {"empty_field": 1, "bad_division": 1, "truncated": 1}
    assert of(found, "listing").in_time is None, "seven working days are promised for licences and penalties"
    assert (found.days[-1].published, found.days[-1].rejected) == (4, 2)


def test_what_was_last_published_longer_ago_than_its_cycle_is_late() -> None:
    monthly = next(one for one in RESOURCES if one.update_cycle in (4, 5, 6, 7))
    quality = assessed(row(monthly.record_type, "2024-01-01", "2024-01-02"))
    assert of(quality, monthly.record_type).is_late
    assert not any(one.is_late for one in quality.resources if one.last_at is None)


def test_a_department_that_published_nothing_has_a_picture_too() -> None:
    found = assessed()
    assert (found.sample, found.since, found.reasons) == (0, None, ())
    assert len(found.days) == 30
