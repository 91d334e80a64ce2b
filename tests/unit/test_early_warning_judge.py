"""What follows from a warning by the shipped policy: whom it reaches, from when to when, and what it never does."""

import pytest

from exchange.domain.bodies import WARNING_DOMAINS, WarningLevel, WarningState
from exchange.domain.fold import fold_all
from exchange.domain.identity import IdentityError, parse_subject
from exchange.domain.judge import RuleBook, judge
from exchange.domain.record import Fact
from exchange.domain.spells import find_spells
from exchange.domain.standing import Standing
from tests.portal import CATALOGUE, POLICY
from tests.worlds import day, fact

MARKET = WARNING_DOMAINS.index("MARKET")


def warning(
    level: int = WarningLevel.YELLOW, state: int = WarningState.RAISED, *, domain: int = MARKET, until: str = "2026-06-18", revision: int = 1
) -> Fact:  # fmt: skip
    body = (domain, level, state, day(until) if until else None)
    return fact("early_warning", "YJ-1", body, department="gd.data", on="2026-05-20", revision=revision)


def measures(standing: Standing, on: str) -> dict[str, set[str]]:
    return {name: set(found) for name, found in judge(standing, RuleBook(POLICY, day(on))).measures.items()}


def test_it_holds_to_the_end_of_its_last_day_and_from_orange_on_asks_for_more() -> None:
    _, standing = fold_all([warning()])
    assert measures(standing, "2026-06-18") == {"gd.amr": {"warning_prompt"}}
    assert measures(standing, "2026-06-19") == {}
    assert judge(standing, RuleBook(POLICY, day("2026-06-19"))).expired == ("early_warning/gd.data/YJ-1",)
    _, grave = fold_all([warning(WarningLevel.ORANGE)])
    assert measures(grave, "2026-05-21") == {"gd.amr": {"warning_prompt", "priority_attention"}}
    _, without_end = fold_all([warning(until="")])
    assert measures(without_end, "2026-06-19")
    assert not measures(without_end, "2026-06-20"), "a month"


def test_its_end_is_the_end_in_whatever_order() -> None:
    over = warning(state=WarningState.ENDED, revision=2)
    for history in ([warning(), over], [over, warning()]):
        entries, standing = fold_all(history)
        assert standing.active == {}
        spells = find_spells(entries, POLICY, person=False, find_entry=lambda *_: None)
        assert {(one.document, one.begun) for one in spells["gd.amr", "warning_prompt"]} == {
            ("YJ-1", day("2026-05-20"))
        }


@pytest.mark.parametrize("domain", WARNING_DOMAINS)
def test_every_domain_reaches_a_department_and_bears_on_no_check(domain: str) -> None:
    _, standing = fold_all([warning(WarningLevel.RED, domain=WARNING_DOMAINS.index(domain))])
    judgement = judge(standing, RuleBook(POLICY, day("2026-05-21")))
    assert judgement.measures
    assert judgement.without_basis == ()
    for department, found in judgement.measures.items():
        assert department in CATALOGUE.departments
        for supports in found.values():
            assert all(
                (one.rule.category, one.rule.effect, one.rule.matters) == ("b", "clear", frozenset())
                for one in supports
            )
            assert all(one.rule.basis and not one.rule.urgent for one in supports)


def test_every_department_that_decides_is_addressed_by_its_own_series() -> None:
    named = [department for rule in POLICY.warning_rules for department in rule.departments]
    deciders = set(CATALOGUE.groups["deciders"])
    assert deciders <= set(named)


@pytest.mark.parametrize(
    "text", ["series:penalty.region.440300", "series:complaint.industry.F", "series:listing.ground.SER-AMR", "series:penalty.department.gd.tax"]
)  # fmt: skip
def test_a_series_is_a_subject(text: str) -> None:
    assert parse_subject(text) == text


@pytest.mark.parametrize(
    "text", ["series:", "series:penalty", "series:rain.region.440300", "series:penalty.region.44030", "series:penalty.region.440300 ", "series:penalty.ground.<b>"]
)  # fmt: skip
def test_what_is_no_series(text: str) -> None:
    with pytest.raises(IdentityError, match="series_shape"):
        parse_subject(text)
