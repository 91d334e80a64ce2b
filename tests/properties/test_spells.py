"""What a lifted measure rested on is read off the records: it must be what supported it while it held, whatever came when."""

from hypothesis import example, given
from hypothesis import strategies as st

from exchange.domain.bodies import Related
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.record import Entry, Fact
from exchange.domain.spells import find_spells, rested_on
from tests.worlds import FIRM, SMALL, day, fact, listing, policy, rule

MEASURE = ("gd.drc", "bond_review")
BEGIN = day("2026-03-02")
Listed = tuple[str, int, int]
"""List, first day, and days until it is withdrawn."""


def iso(after: int) -> str:
    """A day so many days after the beginning."""
    return f"2026-{3 + (after + 1) // 30:02}-{(after + 1) % 30 + 1:02}"


def history(listings: list[Listed]) -> list[tuple[int, Fact]]:
    """Facts by the day on which they come."""
    facts = []
    for number, (code, begun, lasts) in enumerate(listings):
        document = f"{code}{number}"
        facts.append((begun, listing(code, document, on=iso(begun))))
        withdrawal = fact("withdrawal", f"w{number}", (0,), target=f"listing/gd.tax/{document}", on=iso(begun + lasts))
        facts.append((begun + lasts, withdrawal))
    return facts


def rested(facts: list[Fact], by: int) -> set[str]:
    entries, _ = fold_all(facts)
    spells = find_spells(entries, SMALL, person=False, find_entry=lambda *_: None)
    return {document for _, document in rested_on(spells.get(MEASURE, ()), by)}


listings = st.lists(
    st.tuples(st.sampled_from(["TAX", "SAFE", "COURT"]), st.integers(0, 40), st.integers(1, 20)), min_size=1, max_size=5
)


@given(listings, st.data())
@example([("TAX", 0, 5), ("SAFE", 3, 9), ("SAFE", 20, 2)], None)
def test_a_lift_rests_on_all_that_supported_it_since_it_was_imposed(
    listings: list[Listed], data: st.DataObject | None
) -> None:
    facts = history(listings)
    ever: set[str] = set()
    for today in range(62):
        known = [one for on, one in facts if on <= today]
        _, standing = fold_all(known)
        supports = judge(standing, RuleBook(SMALL, day(iso(today)))).measures.get("gd.drc", {}).get("bond_review", ())
        if supports:
            ever |= {one.holding.document for one in supports}
        elif ever:
            shuffled = data.draw(st.permutations(known)) if data else known
            assert rested(shuffled, day(iso(today))) == ever
            ever = set()


def test_a_listing_taken_back_on_the_day_it_came_counts() -> None:
    withdrawal = fact("withdrawal", "w", (0,), target="listing/gd.tax/t1", on="2026-03-02")
    assert rested([listing("TAX", "t1", on="2026-03-02"), withdrawal], BEGIN) == {"t1"}


def test_a_rule_that_ends_lifts_and_its_listing_is_named() -> None:
    ended = policy(rule("bond_review", "gd.drc", "TAX", effective_to=BEGIN), rule("other", "gd.fin", "TAX"))
    entries, _ = fold_all([listing("TAX", "t1"), listing("TAX", "t2", on="2026-03-03")])
    spells = find_spells(entries, ended, person=False, find_entry=lambda *_: None)
    assert rested_on(spells[MEASURE], BEGIN) == [("gd.tax", "t1")], "the other came when there was no rule any more"
    assert len(spells["gd.fin", "other"]) == 3, "before and after the edge, and the later listing"


def test_a_grade_ends_with_the_next_of_its_scheme() -> None:
    grades = [
        fact("rating", grade, (0, grade, "2025", None), on=on)
        for grade, on in (("A", "2026-01-05"), ("B", "2026-03-02"))
    ]
    spells = find_spells(fold_all(grades)[0], SMALL, person=False, find_entry=lambda *_: None)
    (spell,) = spells["gd.amr", "green_channel"]
    assert (spell.document, spell.ended) == ("A", BEGIN)


def test_what_no_longer_reaches_a_person_is_looked_up_where_it_came_from() -> None:
    withdrawal = fact("withdrawal", "w", (0,), target="listing/gd.tax/t1", on="2026-03-02")
    firm, _ = fold_all([listing("TAX", "t1"), withdrawal])
    ended = tuple(Related("", "", "", 0, None, 1))
    reached, _ = fold_all([fact("related", "listing/gd.tax/t1|LEGAL_REPRESENTATIVE", ended, department=FIRM)])

    def find_entry(subject: str, key: str) -> Entry | None:
        return firm.get(key) if subject == FIRM else None

    spells = find_spells(reached, SMALL, person=True, find_entry=find_entry)
    assert rested_on(spells["gd.amr", "office_ban"], BEGIN) == [("gd.tax", "t1")]
