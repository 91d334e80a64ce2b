from exchange.domain.explain import WhyNot, compare, explain, without_document
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.policy import MeasureRule, Policy
from exchange.domain.record import Fact
from exchange.domain.standing import Standing
from tests.worlds import SMALL, day, listed, listing, policy, rule

TODAY = day("2026-06-01")


def standing(*facts: Fact) -> Standing:
    return fold_all(facts)[1]


def passed_over(one: MeasureRule, *, serious: bool = True) -> list[WhyNot]:
    book = RuleBook(policy(one, lists=(listed("TAX", ("", 36)),)), TODAY)
    return [found.why for found in explain(standing(listing("TAX", "t1", serious=serious)), book).passed_over]


def test_each_measure_names_all_its_supports() -> None:
    both = standing(listing("TAX", "t1"), listing("SAFE", "s1", department="gd.em"))
    found = explain(both, RuleBook(SMALL, TODAY))
    supports = {(one.department, one.measure): one.supports for one in found.measures}
    assert sorted(s.holding.document for s in supports["gd.drc", "bond_review"]) == ["s1", "t1"]
    assert [s.rule.memorandum for s in supports["gd.fin", "no_procurement"]] == ["memo TAX"]
    assert found.policy_version == "test"


def test_an_explanation_agrees_with_the_judgement() -> None:
    one = standing(listing("TAX", "t1"), listing("TAX-A", "a1"))
    book = RuleBook(SMALL, TODAY)
    told = {(measure.department, measure.measure): measure.supports for measure in explain(one, book).measures}
    judged = judge(one, book).measures
    assert told == {(d, m): supports for d, found in judged.items() for m, supports in found.items()}


def test_a_rule_whose_basis_has_ended_is_named() -> None:
    assert passed_over(rule("old", "gd.fin", "TAX", effective_to=day("2025-01-01"))) == [WhyNot.NO_BASIS]


def test_a_rule_for_serious_cases_is_named_where_the_listing_is_not() -> None:
    grave = rule("ban", "gd.fin", "TAX", requires_serious=True)
    assert passed_over(grave, serious=False) == [WhyNot.NOT_SERIOUS]
    assert passed_over(grave, serious=True) == []


def test_a_rule_for_persons_is_named_for_a_firm() -> None:
    assert passed_over(rule("no_flights", "ext.civil", "TAX", target="PERSON")) == [WhyNot.OTHER_TARGET]


def test_a_rule_for_a_role_is_named_for_the_listed_itself() -> None:
    assert passed_over(rule("office_ban", "gd.amr", "TAX", role="LEGAL_REPRESENTATIVE")) == [WhyNot.OTHER_ROLE]


def test_without_one_of_two_supports_the_measure_stays() -> None:
    both = standing(listing("TAX", "t1"), listing("SAFE", "s1", department="gd.em"))
    book = RuleBook(SMALL, TODAY)
    lost = compare(judge(both, book), judge(without_document(both, "t1"), book))
    assert lost.lost == (("gd.fin", "no_procurement"),)
    assert lost.gained == ()


def test_a_document_is_named_by_its_number_or_its_key() -> None:
    one = standing(listing("TAX", "t1"))
    assert not without_document(one, "listing/gd.tax/t1").active
    assert without_document(one, "t2") == one


def test_another_policy_gains_and_loses() -> None:
    other: Policy = policy(
        rule("bond_review", "gd.drc", "TAX"), rule("new", "gd.amr", "TAX"), lists=(listed("TAX", ("", 36)),)
    )
    one = standing(listing("TAX", "t1"))
    found = compare(judge(one, RuleBook(SMALL, TODAY)), judge(one, RuleBook(other, TODAY)))
    assert found.gained == (("gd.amr", "new"),)
    assert found.lost == (("gd.fin", "no_procurement"),)
