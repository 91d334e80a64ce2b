from exchange.domain import bodies
from exchange.domain.fold import fold_all
from exchange.domain.judge import Judgement, RuleBook, judge
from exchange.domain.notice import Action, settle
from exchange.domain.policy import OPEN
from exchange.domain.record import Fact
from exchange.domain.response import ResponseRules
from exchange.domain.standing import Standing
from exchange.domain.terms import add_months
from tests.worlds import PERSON, SMALL, day, fact, listed, listing, policy, registration, rule


def judged(*facts: Fact, on: str = "2026-06-01", book: object = SMALL) -> Judgement:
    _, standing = fold_all(facts)
    return judge(standing, RuleBook(book, day(on)))  # type: ignore[arg-type]


def measures(judgement: Judgement) -> set[str]:
    return {f"{department}/{measure}" for department, found in judgement.measures.items() for measure in found}


def withdrawn(document: str, target: str) -> Fact:
    return fact("withdrawal", document, (0,), target=target)


def repaired(target: str, *, on: str, corrected_on: str) -> Fact:
    body = bodies.Repair(bodies.RepairState.GRANTED, day(corrected_on), 1)
    return fact("repair", "r1", tuple(body), target=target, on=on)


def test_a_listing_obliges_each_department_of_its_rules() -> None:
    assert measures(judged(listing("TAX", "t1"))) == {"gd.drc/bond_review", "gd.fin/no_procurement"}


def test_the_last_support_lifts() -> None:
    both = (listing("TAX", "t1"), listing("SAFE", "s1", department="gd.em"))
    assert len(judged(*both).measures["gd.drc"]["bond_review"]) == 2
    one_left = judged(*both, withdrawn("w1", "listing/gd.tax/t1"))
    assert measures(one_left) == {"gd.drc/bond_review", "gd.em/inspection"}


def test_delisting_before_listing_is_harmless() -> None:
    assert measures(judged(withdrawn("w1", "listing/gd.tax/t1"), listing("TAX", "t1"))) == set()


def test_a_term_ends_by_itself_and_says_when() -> None:
    found = judged(listing("COURT", "c1", grounds="3", on="2024-06-01"), on="2026-05-31")
    assert measures(found) == {"gd.fin/no_procurement"}
    assert found.due == day("2026-06-01")
    over = judged(listing("COURT", "c1", grounds="3", on="2024-06-01"), on="2026-06-01")
    assert measures(over) == set()
    assert over.expired == ("listing/gd.tax/c1",)


def test_an_extension_adds_to_the_term() -> None:
    extension = fact("listing_extension", "x1", (24,), target="listing/gd.tax/c1")
    found = judged(listing("COURT", "c1", grounds="3", on="2024-06-01"), extension, on="2028-05-31")
    assert found.due == day("2028-06-01")


def test_without_a_term_only_performance_ends() -> None:
    assert judged(listing("COURT", "c1", grounds="1", on="2020-01-01"), on="2040-01-01").measures
    performed = listing("COURT", "c1", grounds="1", on="2020-01-01", performed_on="2026-05-01", revision=2)
    assert not judged(performed, on="2026-05-01").measures


def test_a_repair_takes_effect_after_the_minimum() -> None:
    facts = (
        listing("SAFE", "s1", department="gd.em", on="2026-01-01"),
        repaired("listing/gd.em/s1", on="2026-03-01", corrected_on="2026-02-10"),
    )
    assert judged(*facts, on="2027-02-09").measures
    assert not judged(*facts, on="2027-02-10").measures


def test_a_rule_without_basis_obliges_nobody_and_is_counted() -> None:
    expired = policy(rule("old", "gd.fin", "TAX", effective_to=day("2025-01-01")), lists=(listed("TAX", ("", 36)),))
    found = judged(listing("TAX", "t1"), book=expired)
    assert not found.measures
    assert found.without_basis == (("TAX", "old"),)


def test_a_policy_edge_is_a_due_day() -> None:
    coming = policy(rule("m", "gd.fin", "TAX", effective_to=day("2026-09-01")), lists=(listed("TAX", ("", 36)),))
    found = judged(listing("TAX", "t1"), book=coming)
    assert found.due == day("2026-09-01")


def test_only_serious_entries_since_the_rule_changed() -> None:
    book = policy(rule("m", "gd.fin", "CUST"), lists=(listed("CUST", ("", 24), serious_from=day("2021-11-01")),))
    mild = listing("CUST", "c", serious=False, on="2021-06-01")
    assert judged(mild, on="2021-10-01", book=book).measures
    assert not judged(mild, on="2022-01-01", book=book).measures
    assert judged(listing("CUST", "c", on="2021-06-01"), on="2022-01-01", book=book).measures


def test_a_better_grade_is_followed_by_a_worse_one() -> None:
    grade_a = fact("rating", "2024", (0, "A", "2024", None), on="2025-04-01")
    grade_c = fact("rating", "2025", (0, "C", "2025", None), on="2026-04-01")
    assert measures(judged(grade_a, on="2026-03-01")) == {"gd.amr/green_channel"}
    assert measures(judged(grade_c, grade_a, on="2026-05-01")) == set()


def test_a_listing_reaches_the_representative_only_where_the_policy_says() -> None:
    found = judged(registration(representative=PERSON), listing("TAX", "t1"), listing("SAFE", "s1"))
    assert [(h.list_code, h.role) for h in found.reaching[PERSON]] == [("TAX", "LEGAL_REPRESENTATIVE")]


def test_what_reaches_a_person_obliges_by_role_alone() -> None:
    body = bodies.Related("LEGAL_REPRESENTATIVE", "TAX", "", 1, None, 0)
    _, standing = fold_all([fact("related", "listing/gd.tax/t1|LEGAL_REPRESENTATIVE", tuple(body), department="org:x")])
    assert measures(judge(standing, RuleBook(SMALL, day("2026-06-01")), person=True)) == {"gd.amr/office_ban"}


def settled(standing: Standing, on: str) -> tuple[Standing, list[tuple[str, int, tuple[tuple[str, Action], ...]]]]:
    book = RuleBook(SMALL, day(on))
    rules = ResponseRules(deadline=lambda start, days: (start + days, False))
    after, drafts = settle(standing, judge(standing, book), book, rules, epoch=0)
    return after, [(draft.department, draft.told.n, draft.changes) for draft in drafts]


def test_notices_are_the_difference_and_their_numbers_rise() -> None:
    _, standing = fold_all([listing("TAX", "t1", until="2026-07-01")])
    standing, first = settled(standing, "2026-06-01")
    assert sorted(first) == [
        ("gd.drc", 1, (("bond_review", Action.IMPOSED),)),
        ("gd.fin", 1, (("no_procurement", Action.IMPOSED),)),
    ]
    standing, again = settled(standing, "2026-06-02")
    assert again == []
    standing, last = settled(standing, "2026-07-01")
    assert [n for _, n, _ in last] == [2, 2]
    assert {changes[0][1] for _, _, changes in last} == {Action.LIFTED}
    assert standing.active == {}


def test_months_are_added_as_the_calendar_has_them() -> None:
    assert add_months(day("2024-01-31"), 1) == day("2024-02-29")
    assert add_months(day("2024-12-31"), 2) == day("2025-02-28")
    assert add_months(day("2024-06-15"), 24) == day("2026-06-15")
    assert day("9999-12-31") < OPEN
