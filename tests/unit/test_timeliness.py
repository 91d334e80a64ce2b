"""Acceptance scenario 4 in the pure core: the 7th working day over a long holiday with make-up days, terms of their own day."""

import pytest

from exchange.catalogue import load_catalogue
from exchange.domain.bodies import Severity
from exchange.domain.completeness import filled
from exchange.domain.cycles import pace_of
from exchange.domain.league import Conduct, rank
from exchange.domain.timeliness import Timeliness, Timing, timing_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy, read_policy
from exchange.working_days import load_working_days
from tests.worlds import day

CATALOGUE = load_catalogue(SCHEMAS)
POLICY = load_policy(SCHEMAS, CATALOGUE)
CALENDAR = load_working_days()
TIMELINESS = Timeliness(POLICY, CALENDAR.deadlines())
GENERAL, MINOR = Severity.GENERAL, Severity.MINOR


@pytest.mark.parametrize(
    ("published", "timing"),
    [("2025-10-11", Timing.ON_TIME), ("2025-10-13", Timing.ON_TIME), ("2025-10-14", Timing.LATE)],
)
def test_decided_before_national_day_it_is_late_after_the_seventh_working_day(published: str, timing: Timing) -> None:
    """Of 2025: worked are Sunday 28 September and Saturday 11 October; not worked are 1 to 8 October."""
    due = TIMELINESS.due("penalty", day("2025-09-26"), GENERAL)
    assert due is not None
    assert (due.by, due.provisional) == (day("2025-10-13"), False)
    assert "国办发〔2015〕51号" in due.basis
    assert timing_of(due, day(published)) is timing


def test_a_decision_keeps_the_term_of_its_own_day() -> None:
    before, since = TIMELINESS.due("licence", day("2015-06-23")), TIMELINESS.due("licence", day("2015-06-24"))
    assert before is not None
    assert since is not None
    assert before.by == CALENDAR.add(day("2015-06-23"), 20)[0]
    assert since.by == CALENDAR.add(day("2015-06-24"), 7)[0]
    assert TIMELINESS.due("licence", day("2014-01-01")) is None


def test_what_is_not_published_in_principle_has_no_term() -> None:
    assert TIMELINESS.due("penalty", day("2026-04-01"), MINOR) is None
    assert TIMELINESS.due("penalty", day("2026-03-31"), MINOR) is not None
    assert TIMELINESS.due("listing", day("2026-04-01")) is None


def test_it_is_provisional_where_the_year_is_not_set_yet() -> None:
    due = TIMELINESS.due("licence", day(f"{CALENDAR.last_year}-12-30"))
    assert due is not None
    assert due.provisional


def test_what_is_not_public_is_pending_then_due_soon_then_overdue() -> None:
    due = TIMELINESS.due("penalty", day("2026-06-01"), GENERAL)
    assert due is not None
    assert due.by == day("2026-06-10")
    days = {
        "2026-06-05": Timing.PENDING,
        "2026-06-08": Timing.DUE_SOON,
        "2026-06-10": Timing.DUE_SOON,
        "2026-06-11": Timing.OVERDUE,
    }
    assert {text: TIMELINESS.open_timing(due, day(text)) for text in days} == days


def test_terms_of_disclosure_have_a_basis() -> None:
    assert {one.within_working_days for one in POLICY.disclosure} == {20, 7}
    assert all(one.basis for one in POLICY.disclosure)
    assert not read_policy(SCHEMAS, CATALOGUE)[1]


def test_a_cycle_is_kept_until_it_is_over() -> None:
    days = [day("2026-01-05"), day("2026-02-05"), day("2026-02-05"), day("2026-04-01")]
    pace = pace_of(4, days, day("2026-05-02"))
    assert (pace.promised, pace.typical, pace.longest, pace.since, pace.is_late) == (31, 55, 55, 31, False)
    assert pace_of(4, days, day("2026-05-03")).is_late
    assert pace_of(4, [], 20_000) == (31, None, None, None, False)
    assert not pace_of(1, days, day("2027-05-03")).is_late, "real time says nothing of a quiet day"
    assert pace_of(99, days[:1], day("2026-01-06")) == (None, None, 1, 1, False)


def test_completeness_counts_recommended_fields_and_asks_no_name_of_persons() -> None:
    record: dict[str, object] = {
        "subject_name": "",
        "division": "440300",
        "categories": [],
        "fine_yuan": None,
        "simple_procedure": False,
    }
    assert filled(record, ["subject_name", "division", "categories", "fine_yuan"], person=False) == (1, 4)
    assert filled(record, ["subject_name", "division"], person=True) == (1, 1)
    assert filled(record, [], person=False) == (0, 0)


def test_the_league_ranks_by_timeliness_then_completeness_and_equals_share_a_rank() -> None:
    one = Conduct("gd.amr", on_time=9, late=1, accepted=20, filled=8, asked=10, decisions=10, corrections=1)
    table = rank([
        one, one._replace(department="gd.tax"), one._replace(department="gd.eco", filled=9),
        one._replace(department="gd.em", overdue=5), Conduct("gd.court", accepted=5, rejected=5),
    ])  # fmt: skip
    assert [(place.rank, place.conduct.department) for place in table] == [
        (1, "gd.eco"), (2, "gd.amr"), (2, "gd.tax"), (4, "gd.em"), (None, "gd.court"),
    ]  # fmt: skip
    assert table[3].conduct.timeliness == 9 / 15, "what is overdue counts as late"
    assert (one.correction_rate, one.rejection_rate, one.cycle_rate) == (0.1, 0.0, None)
    assert rank([]) == []
