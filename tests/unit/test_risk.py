"""Risk classes of one firm: what counts, for how long, what leaves, and that the shares add up."""

import pytest

from exchange.domain import bodies
from exchange.domain.bodies import Severity
from exchange.domain.calendar import to_date
from exchange.domain.fold import fold_all
from exchange.domain.record import Fact
from exchange.domain.risk.assess import Assessment
from exchange.domain.risk.known import known_on
from exchange.domain.risk.occurrences import KINDS, STATES
from exchange.domain.risk.publish import NOTHING, Observed, document_of, observe, wanted
from exchange.domain.risk.sample import Member, checksum_of, draw
from exchange.records.words import (
    CommitmentState,
    InspectionOutcome,
    PartyRole,
    ReportState,
    SubjectKind,
)  # fmt: skip
from tests.risk import arriving, class_of, counted, firm, must_class, penalty, repair, rules, withdrawal
from tests.worlds import FIRM, OTHER, PERSON, day, fact, listing


def codes(found: Assessment) -> dict[str, float]:
    return {share.indicator.code: share.points / 100 for share in found.shares}


def test_a_firm_of_which_nothing_is_known_but_its_registration_is_of_class_a() -> None:
    found = must_class(firm())
    assert (found.letter, found.points, found.shares) == ("A", 0, ())


def test_whoever_is_no_enterprise_or_gone_has_no_class() -> None:
    assert class_of() is None
    for kind, status in (("SELF_EMPLOYED", 0), ("ENTERPRISE", 3), ("ENTERPRISE", 4)):
        body = bodies.Registration("合成", KINDS.index(kind), status, "440300", "", "")
        assert class_of(arriving(fact("registration", "设立", tuple(body)), "2018-01-01")) is None


def test_penalties_add_points_up_to_the_cap_and_fade_to_nothing() -> None:
    one = must_class(firm(), penalty("罚1", Severity.SERIOUS, on="2026-11-28"))
    assert codes(one) == {"penalty_serious": rules().by_state["penalty", "SERIOUS"][0].points / 100}
    many = must_class(firm(), *(penalty(f"罚{n}", Severity.SERIOUS, on="2026-11-28") for n in range(9)))
    assert codes(many)["penalty_serious"] == rules().by_state["penalty", "SERIOUS"][0].cap / 100
    half = must_class(firm(), penalty("罚1", Severity.SERIOUS, on="2026-11-28"), on="2028-05-28")
    assert half.points == pytest.approx(one.points / 2, rel=0.01)
    assert must_class(firm(), penalty("罚1", Severity.SERIOUS, on="2026-11-28"), on="2029-11-28").shares == ()


@pytest.mark.parametrize("ends", [withdrawal, repair])
def test_what_is_withdrawn_or_repaired_leaves_from_the_day_that_is_known(ends: object) -> None:
    one = penalty("罚1", Severity.SERIOUS, on="2026-06-01")
    end = ends(one, on="2026-08-01")  # type: ignore[operator] # both make a fact of a fact
    assert must_class(firm(), one, end, on="2026-07-31").shares
    assert not must_class(firm(), one, end, on="2026-08-01").shares


def test_a_listing_counts_in_full_while_it_holds() -> None:
    one = arriving(listing("TAX", "列1", on="2026-06-01"), "2026-06-01")
    assert must_class(firm(), one).letter == "C"
    assert must_class(firm(), one, on="2029-05-31").letter == "C"
    assert must_class(firm(), one, on="2029-06-01").letter == "A"


def test_good_marks_speak_for_a_firm_but_never_below_nothing() -> None:
    award = counted("award", "奖1", 0, on="2026-11-01")
    minor = penalty("罚1", Severity.MINOR, on="2026-11-01")
    alone, both = must_class(firm(), award), must_class(firm(), award, minor)
    assert alone.total < 0 == alone.points
    assert both.total == both.points or both.points == 0
    assert both.points < must_class(firm(), minor).points


def test_a_class_does_not_feed_on_itself() -> None:
    body = bodies.Rating(2, "D", "2026", None, 90_00)
    own = arriving(fact("rating", "风险分类-2026", tuple(body), department="gd.amr", on="2026-11-01"), "2026-11-01")
    assert must_class(firm(), own).shares == ()


def test_other_grades_count_as_the_newest_of_their_scheme_says() -> None:
    def grade(letter: str, on: str) -> Fact:
        return arriving(fact("rating", f"评{on}", tuple(bodies.Rating(0, letter, "", None)), on=on), on)

    assert "low_grade" in codes(must_class(firm(), grade("D", "2026-04-01")))
    assert "low_grade" not in codes(must_class(firm(), grade("D", "2026-04-01"), grade("B", "2026-05-01")))


def test_the_representative_counts_but_not_by_the_firms_own_listing() -> None:
    own = arriving(fact("listing", "执1", tuple(bodies.Listing("COURT", "", 0, None, 1, None, ""))), "2026-02-01")
    related = bodies.Related("LEGAL_REPRESENTATIVE", "TAX", "1", 1, None, 0)

    def of(subject: str) -> Fact:
        key = f"related/{subject}/listing/gd.tax/列1|LEGAL_REPRESENTATIVE"
        return arriving(fact("x", "", tuple(related))._replace(key=key), "2026-02-01")

    known = firm(representative=PERSON)
    assert codes(must_class(known, representative=(own,))) == {"representative_listed": 5}
    assert codes(must_class(known, representative=(of(OTHER),))) == {"related_listed": 3}
    assert codes(must_class(known, representative=(of(FIRM),))) == {}


def test_shares_add_up_to_the_points_and_name_what_they_come_from() -> None:
    found = must_class(
        firm(), penalty("罚1", Severity.SERIOUS), penalty("罚2"), counted("inspection_result", "查1", 1),
        counted("annual_report", "报1", 3), counted("commitment", "诺1", 2), counted("court_judgment", "案1", 3),
    )  # fmt: skip
    assert found.points == sum(share.points for share in found.shares) > 0
    assert [share.points for share in found.shares] == sorted((s.points for s in found.shares), reverse=True)
    assert {one.key for share in found.shares for one in share.occurrences} == {
        "penalty/gd.eco/罚1", "penalty/gd.eco/罚2", "inspection_result/gd.amr/查1", "annual_report/gd.amr/报1",
        "commitment/gd.amr/诺1", "court_judgment/gd.amr/案1",
    }  # fmt: skip


def test_a_document_revised_later_is_said_to_be_unknown_and_never_guessed() -> None:
    first, second = penalty("罚1", on="2026-06-01"), penalty("罚1", Severity.SERIOUS, on="2026-09-01", revision=2)
    entries, _ = fold_all([first, second])
    known = known_on(entries, day("2026-07-01"))
    assert (known.entries, known.revised) == ({}, ("penalty/gd.eco/罚1",))
    assert known_on(entries, day("2026-09-01")).revised == ()


def test_one_document_a_year_and_a_revision_for_each_difference() -> None:
    found, today = must_class(firm(), penalty("罚1", Severity.SERIOUS)), rules()
    first = wanted(found, NOTHING, today)
    assert first is not None
    assert (first.document, first.revision, first.letter, first.period) == ("风险分类-2026", 1, found.letter, "2026")
    assert to_date(first.valid_until).isoformat() == "2027-03-31"
    known = Observed(1, found.letter, found.points, first.valid_until)
    assert wanted(found, known, today) is None
    assert wanted(found, known._replace(points=found.points + 499), today) is None
    assert wanted(found, known._replace(points=found.points + 500), today)._asdict()["revision"] == 2  # type: ignore[union-attr]
    other = wanted(found, known._replace(letter="D"), today)
    assert other is not None
    assert other.revision == 2


def test_a_firm_that_goes_loses_its_class_once_and_may_come_back() -> None:
    today = rules()
    known = Observed(3, "C", 3000, day("2027-03-31"))
    gone = wanted(None, known, today)
    assert gone is not None
    assert (gone.revision, gone.letter, gone.valid_until) == (4, "C", today.day)
    assert wanted(None, Observed(4, "C", 3000, gone.valid_until), today) is None
    assert wanted(None, NOTHING, today) is None
    assert wanted(must_class(firm()), Observed(4, "A", 0, gone.valid_until), today) is not None


def test_what_the_bus_knows_is_this_years_document_of_the_authority() -> None:
    document, _ = document_of(rules().day)
    body = bodies.Rating(2, "C", "2026", day("2027-03-31"), 30_00)
    ours = fact("rating", document, tuple(body), department="gd.amr", revision=7)
    theirs = fact("rating", document, tuple(body), department="gd.eco", revision=9)
    of_before = fact("rating", document, tuple(body[:4]), department="gd.amr", revision=6)
    assert observe(fold_all([theirs, ours])[0], rules()) == Observed(7, "C", 3000, day("2027-03-31"))
    assert observe(fold_all([of_before])[0], rules()) == Observed(6, "C", 0, day("2027-03-31"))
    assert observe(fold_all([theirs, withdrawal(theirs)])[0], rules()) == NOTHING


def test_the_positions_of_states_are_those_of_the_schemas() -> None:
    assert tuple(SubjectKind) == KINDS
    words = {
        "inspection_result": InspectionOutcome, "annual_report": ReportState, "commitment": CommitmentState,
        "court_judgment": PartyRole,
    }  # fmt: skip
    assert {record: tuple(symbols) for record, symbols in words.items()} | {
        "social_report": STATES["social_report"]
    } == STATES


def test_a_draw_is_the_same_whatever_the_order_and_takes_its_share_of_each_class() -> None:
    frame = [Member(f"org:{n}", "AABD"[n % 4]) for n in range(400)]
    shares = {"A": 500, "B": 1000, "D": 10_000}
    first, second = draw(frame, shares, "2026-11-28"), draw([*reversed(frame), frame[0]], shares, "2026-11-28")
    assert first == second
    assert [(s.letter, s.firms, s.drawn) for s in first.strata] == [
        ("A", 200, 10),
        ("B", 100, 10),
        ("C", 0, 0),
        ("D", 100, 100),
    ]
    assert draw(frame, shares, "another").drawn != first.drawn
    assert checksum_of(frame[1:]) != first.frame
