"""What must come out of the shipped policy: the acceptance scenarios of the field that rest on data alone."""

import pytest

from exchange.catalogue import load_catalogue
from exchange.domain import bodies
from exchange.domain.check import Answer, check
from exchange.domain.fold import fold_all
from exchange.domain.judge import Judgement, RuleBook, judge
from exchange.domain.policy import NO_REPAIR, OPEN
from exchange.domain.record import Fact
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from tests.worlds import PERSON, day, fact, listing, registration

CATALOGUE = load_catalogue(SCHEMAS)
POLICY = load_policy(SCHEMAS, CATALOGUE)
TODAY = "2026-06-01"
BLACK = {"SER-AMR", "COURT", "TAX", "WAGE", "SAFE", "CUST", "PROC", "FOOD", "ENV", "COMM", "ELDER"}


def judged(*facts: Fact, on: str = TODAY, person: bool = False) -> Judgement:
    return judge(fold_all(facts)[1], RuleBook(POLICY, day(on)), person=person)


def departments(judgement: Judgement) -> set[str]:
    return set(judgement.measures)


def answer(matter: str, *facts: Fact, on: str = TODAY, person: bool = False) -> Answer:
    return check(fold_all(facts)[1], RuleBook(POLICY, day(on)), matter, person=person).answer


def tier(grade: str, on: str = "2026-05-01") -> Fact:
    return fact("rating", f"海关 {grade}", (1, grade, "2026", None), department="gd.customs", on=on)


def test_twelve_lists_and_two_red_ones() -> None:
    assert {code for code, one in POLICY.lists.items() if one.colour == "black"} == BLACK
    assert {code for code, one in POLICY.lists.items() if one.colour == "red"} == {"TAX-A", "AEO"}
    assert {code for code, one in POLICY.lists.items() if one.colour == "abnormal"} == {"ABN"}
    assert set(POLICY.rules_by_list) == set(POLICY.lists)


@pytest.mark.parametrize(
    ("list_code", "grounds", "decided_on", "months"),
    [
        ("COURT", "3", "2026-01-01", 24),
        ("COURT", "1", "2026-01-01", None),
        ("COURT", "3", "2016-01-01", None),
        ("SER-AMR", "1", "2020-01-01", 60),
        ("SER-AMR", "2", "2021-09-01", 36),
        ("TAX", "虚开发票", "2018-12-31", 24),
        ("TAX", "虚开发票", "2019-01-01", 36),
        ("WAGE", "1", "2021-12-31", 12),
        ("WAGE", "1", "2022-01-01", 36),
        ("SAFE", "1", "2023-09-30", 12),
        ("SAFE", "1", "2023-10-01", 36),
        ("ABN", "4", "2026-01-01", None),
        ("PROC", "1", "2026-01-01", 36),
    ],
)
def test_terms_are_those_of_the_day_of_decision(
    list_code: str, grounds: str, decided_on: str, months: int | None
) -> None:
    assert POLICY.term_months(list_code, grounds, day(decided_on)) == months


def test_minimum_before_repair() -> None:
    least = {code: POLICY.repair_min_months(code, day(TODAY)) for code in ("WAGE", "SAFE", "SER-AMR", "TAX", "COURT")}
    assert least == {"WAGE": 6, "SAFE": 12, "SER-AMR": 12, "TAX": 6, "COURT": 0}
    assert POLICY.repair_min_months("SER-AMR", day("2020-01-01")) == NO_REPAIR


def test_court_ground_one_ends_on_performance_only() -> None:
    entry = listing("COURT", "c1", department="gd.court", grounds="1", on="2018-01-01")
    assert judged(entry, on="2030-01-01").measures
    performed = listing(
        "COURT", "c1", department="gd.court", grounds="1", on="2018-01-01", performed_on="2026-05-01", revision=2
    )
    assert not judged(entry, performed).measures


def test_wages_paid_on_day_40_lift_seven_departments_six_months_later() -> None:
    entry = listing("WAGE", "w1", department="gd.hrss", grounds="1", on="2026-01-01")
    before = judged(entry, on="2026-01-02")
    assert departments(before) == {"gd.fin", "gd.prtc", "gd.pbc", "gd.tax", "gd.drc", "gd.csrc", "gd.hrss"}
    repair = fact(
        "repair", "r1", tuple(bodies.Repair(bodies.RepairState.GRANTED, day("2026-02-10"), 1)), department="gd.hrss",
        on="2026-03-01", target="listing/gd.hrss/w1",
    )  # fmt: skip
    assert departments(judged(entry, repair, on="2026-08-09")) == departments(before)
    assert not departments(judged(entry, repair, on="2026-08-10"))


def test_bond_review_has_two_supports_and_outlives_one() -> None:
    tax, safe = listing("TAX", "t1", department="gd.tax"), listing("SAFE", "s1", department="gd.em")
    assert {s.holding.list_code for s in judged(tax, safe).measures["gd.drc"]["bond_review"]} == {"TAX", "SAFE"}
    repaired = fact(
        "repair", "r1", tuple(bodies.Repair(bodies.RepairState.GRANTED, day("2025-06-01"), 1)), department="gd.tax",
        on="2026-01-02", target="listing/gd.tax/t1",
    )  # fmt: skip
    left = judged(tax, safe, repaired).measures["gd.drc"]["bond_review"]
    assert [support.holding.list_code for support in left] == ["SAFE"]


def test_customs_dishonesty_alone_moves_nobody_since_2021() -> None:
    mild = listing("CUST", "c1", department="gd.customs", serious=False, on="2021-06-01")
    assert "bond_review" in judged(mild, on="2021-10-31").measures["gd.drc"]
    assert not judged(mild, on="2021-11-01").measures
    serious = listing("CUST", "c2", department="gd.customs", serious=True, on="2025-06-01")
    assert {"gd.fin", "gd.drc", "gd.tax", "gd.prtc"} <= departments(judged(serious))


def test_a_rule_whose_basis_ended_obliges_nobody_and_is_counted() -> None:
    found = judged(listing("TAX", "t1"))
    assert ("TAX", "production_licence_limit") in found.without_basis
    assert not any("production_licence_limit" in measures for measures in found.measures.values())
    then = judged(listing("TAX", "t1", on="2017-01-01"), on="2017-06-01")
    assert "production_licence_limit" in then.measures["gd.qts"]
    later = judged(listing("TAX", "t1", on="2018-01-01"), on="2019-06-01")
    assert "production_licence_limit" in later.measures["gd.amr"]
    assert "gd.qts" not in later.measures


def test_a_listing_counts_each_measure_once_for_each_department() -> None:
    for code in sorted(BLACK | {"ABN"}):
        for on in ("2016-12-31", "2018-11-01", "2021-11-02", "2025-04-01", TODAY):
            for person in (False, True):
                found = judged(
                    listing(code, "x", department="gd.x", on="2016-07-01", until="2030-01-01"), on=on, person=person
                )
                for measures in found.measures.values():
                    assert all(len(supports) == 1 for supports in measures.values()), (code, on)


@pytest.mark.parametrize("list_code", sorted(BLACK))
def test_the_default_measures_of_2025_follow_from_every_serious_list(list_code: str) -> None:
    entry = listing(list_code, "x", department="gd.x", on="2026-01-01", until="2027-01-01")
    found = {
        f"{department}/{measure}" for department, measures in judged(entry).measures.items() for measure in measures
    }
    assert {
        "gd.drc/government_funds_limit", "gd.fin/government_funds_limit", "gd.tax/tax_benefit_limit",
        "gd.prtc/bidding_limit", "gd.csrc/bond_issue_limit", "gd.csrc/share_issue_limit", "gd.fin/no_awards",
    } <= found  # fmt: skip
    person = judged(entry, person=True).measures
    assert "civil_service_limit" in person["gd.hrss"]
    assert "share_issue_limit" not in person.get("gd.csrc", {})


def test_the_entity_and_its_representative_are_kept_apart() -> None:
    firm = judged(registration(representative=PERSON), listing("COURT", "c1", department="gd.court", grounds="1"))
    assert "ext.railway" not in firm.measures
    assert [h.role for h in firm.reaching[PERSON]] == ["LEGAL_REPRESENTATIVE"]
    body = bodies.Related("LEGAL_REPRESENTATIVE", "COURT", "1", 1, None, 0)
    person = judged(
        fact("related", "listing/gd.court/c1|LEGAL_REPRESENTATIVE", tuple(body), department="org:x"), person=True
    )
    assert person.measures.keys() == {"ext.railway", "ext.caac"}


def test_exit_and_office_touch_the_representative_of_a_tax_violator_only() -> None:
    firm = judged(registration(representative=PERSON), listing("TAX", "t1"))
    assert "exit_ban" not in firm.measures["gd.psd"]
    assert PERSON in firm.reaching
    safe = judged(registration(representative=PERSON), listing("SAFE", "s1", department="gd.em"))
    assert PERSON not in safe.reaching


@pytest.mark.parametrize(
    ("list_code", "matter", "expected"),
    [
        ("TAX", "government_procurement", Answer.REFUSE),
        ("TAX", "land_supply", Answer.REFUSE),
        ("TAX", "customs_certification", Answer.REFUSE),
        ("TAX", "loan", Answer.REVIEW),
        ("SAFE", "safety_permit", Answer.REFUSE),
        ("SAFE", "inspection", Answer.REVIEW),
        ("SAFE", "land_supply", Answer.CLEAR),
        ("ABN", "government_procurement", Answer.REVIEW),
        ("FOOD", "tariff_quota", Answer.REVIEW),
        ("TAX-A", "licence_approval", Answer.FAST_TRACK),
        ("AEO", "customs_clearance", Answer.FAST_TRACK),
        ("ENV", "electricity_price", Answer.CLEAR),
    ],
)
def test_what_a_counter_is_told(list_code: str, matter: str, expected: Answer) -> None:
    entry = listing(list_code, "x", department="gd.x", on="2026-01-01", until="2027-01-01")
    assert answer(matter, entry) is expected


def test_company_law_changes_the_basis_not_the_measure() -> None:
    def basis(on: str) -> str:
        (support,) = judged(listing("TAX", "t1", on="2024-01-01"), on=on, person=True).measures["gd.amr"]["office_ban"]
        return support.rule.basis

    assert basis("2024-06-30") == "公司法第一百四十六条"
    assert basis("2024-07-01") == "公司法（2023年修订）第一百七十八条"


def test_grades_that_are_a_place_on_a_red_list() -> None:
    grade_a = fact("rating", "2025", (0, "A", "2025", None), on="2026-04-01")
    assert "green_channel" in judged(grade_a).measures["gd.drc"]
    assert judged(tier("高级认证")).measures["gd.customs"].keys() >= {"fast_clearance", "green_channel"}
    assert "fast_clearance" in judged(tier("认证")).measures["gd.customs"]
    assert not judged(tier("常规")).measures
    assert not judged(tier("高级认证"), tier("失信", "2026-05-20")).measures


def test_successors_act_after_2018() -> None:
    safe = listing("SAFE", "s1", department="gd.em", on="2018-06-01")
    assert departments(judged(safe, on="2018-10-24")) >= {"gd.qts", "gd.amr"}
    assert "gd.qts" not in departments(judged(safe, on="2018-10-25"))
    tax = listing("TAX", "t1", department="gd.statetax", on="2018-01-01")
    assert departments(judged(tax, on="2018-06-14")) >= {"gd.statetax", "gd.localtax"}
    assert "tax_strict_management" in judged(tax, on="2018-06-15").measures["gd.tax"]
    assert "insurance_limit" in judged(tax, on="2018-12-17").measures["gd.cbirc"]


def test_every_rule_in_force_names_a_department_that_exists_then() -> None:
    for rules in POLICY.rules_by_list.values():
        for rule in rules:
            department = CATALOGUE.departments[rule.department]
            assert rule.effective_to <= department.existed_to
            assert rule.effective_from >= department.existed_from
            assert rule.basis
            assert rule.matters <= POLICY.matters.keys()


def test_a_minor_penalty_of_2026_is_not_public_and_one_of_2025_is() -> None:
    new, old = POLICY.publicity_for("MINOR", day("2026-04-01")), POLICY.publicity_for("MINOR", day("2026-03-31"))
    assert new is not None
    assert old is not None
    assert (new.published, new.min_months, new.max_months) == (False, 0, 3)
    assert (old.published, old.min_months, old.max_months) == (True, 3, 36)
    serious = POLICY.publicity_for("SERIOUS", day("2026-04-01"))
    assert serious is not None
    assert (serious.published, serious.min_months, serious.max_months) == (True, 12, 36)


def test_edges_are_in_order_and_hold_every_change() -> None:
    assert list(POLICY.edges) == sorted(set(POLICY.edges))
    assert OPEN not in POLICY.edges
    for change in ("2018-10-25", "2021-11-01", "2021-12-31", "2024-07-01", "2025-03-31"):
        assert day(change) in POLICY.edges
