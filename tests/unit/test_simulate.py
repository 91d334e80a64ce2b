from collections import Counter
from itertools import permutations

import pytest

from exchange.domain import bodies
from exchange.domain.effect import Effect, Kind
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.policy import Policy
from exchange.domain.record import DOCUMENT, Fact, Version
from exchange.domain.simulate import PERSONS, Books, Share, Simulation, conclude, region_of
from tests.worlds import FIRM, OTHER, PERSON, SMALL, day, listed, listing, policy, registration, rule

TODAY = day("2026-06-01")
STRICTER = policy(
    rule("bond_review", "gd.drc", "TAX"),
    rule("new", "gd.amr", "TAX"),
    rule("office_ban", "gd.amr", "TAX", role="LEGAL_REPRESENTATIVE"),
    rule("no_flights", "ext.civil", "TAX", role="LEGAL_REPRESENTATIVE"),
    lists=(listed("TAX", ("", 60)),),
)
Town = dict[str, tuple[Fact, ...]]
LISTED: Town = {FIRM: (registration(), listing("TAX", "t1")), OTHER: (listing("TAX", "t2"),)}


def share_of(town: Town, books: Books) -> Share:
    """Subjects as the processor leaves them: what is over is gone from the standing, and in the records still."""
    simulation = Simulation(books)
    for subject, facts in town.items():
        entries, standing = fold_all(facts)
        over = judge(standing, books.now).expired
        active = {key: entry for key, entry in standing.active.items() if key not in over}
        standing = standing._replace(active=active, as_of=TODAY)
        simulation.add(subject, standing, entries if simulation.wants_records(standing) else None)
    return simulation.share


def simulated(town: Town, then: Policy = STRICTER, *, as_of: int = TODAY) -> Effect:
    books = Books(RuleBook(SMALL, as_of), RuleBook(then, as_of))
    return conclude([share_of(town, books)], books)


def counted(effect: Effect, kind: Kind) -> Counter[tuple[str, str, str, str]]:
    return Counter({tuple(change[1:]): n for change, n in effect.changes.items() if change.kind is kind})  # type: ignore[misc] # all of a Change but its kind


def test_changes_are_counted_by_list_region_department_and_measure() -> None:
    effect = simulated(LISTED)
    assert counted(effect, Kind.GAINED) == {
        ("TAX", "440300", "gd.amr", "new"): 1,
        ("TAX", "440100", "gd.amr", "new"): 1,
    }
    assert counted(effect, Kind.LOST) == {
        ("TAX", "440300", "gd.fin", "no_procurement"): 1,
        ("TAX", "440100", "gd.fin", "no_procurement"): 1,
    }
    assert (effect.subjects, effect.affected, effect.before, effect.after) == (2, 2, 4, 4)
    assert effect.by_list == {"TAX": 2}
    assert effect.by_region == {"440300": 1, "440100": 1}
    assert effect.by_place == {("TAX", "440300"): 1, ("TAX", "440100"): 1}


def test_a_longer_term_restates_what_holds_and_each_department_gets_one_notice() -> None:
    effect = simulated({FIRM: LISTED[FIRM]})
    assert counted(effect, Kind.RESTATED) == {("TAX", "440300", "gd.drc", "bond_review"): 1}
    assert effect.by_department == {"gd.drc": 1, "gd.amr": 1, "gd.fin": 1}
    assert effect.notices == 3


def test_a_longer_term_brings_back_what_has_ended_and_left_the_standing() -> None:
    effect = simulated({FIRM: (listing("TAX", "t1", on="2022-06-01"),)})
    assert (effect.before, effect.after) == (0, 2)


def test_a_day_before_an_end_needs_the_records_too() -> None:
    town: Town = {FIRM: (listing("TAX", "t1", on="2022-06-01"),)}
    assert simulated(town, SMALL).before == 0
    assert simulated(town, SMALL, as_of=day("2024-01-01")).before == 2


def test_a_later_day_is_asked_of_both_policies() -> None:
    later = simulated(LISTED, SMALL, as_of=day("2029-02-01"))
    assert (later.before, later.after, later.affected) == (0, 0, 0)


def related(until: int | None = None) -> Fact:
    body = bodies.Related("LEGAL_REPRESENTATIVE", "TAX", "", 1, until, 0)
    key = f"related/{FIRM}/listing/gd.tax/t1|LEGAL_REPRESENTATIVE"
    return Fact(key, DOCUMENT, Version(1, 0, TODAY - 9, 0, 0, -1, tuple(body)))


def test_persons_are_reached_through_their_firms_by_the_other_policy() -> None:
    town: Town = {FIRM: (registration(representative=PERSON), listing("TAX", "t1")), PERSON: (related(),)}
    effect = simulated(town)
    assert counted(effect, Kind.GAINED)["TAX", PERSONS, "ext.civil", "no_flights"] == 1
    assert ("TAX", PERSONS, "gd.amr", "office_ban") in counted(effect, Kind.RESTATED), "the term is another"
    assert effect.subjects == 2
    assert effect.by_region[PERSONS] == 1


def test_a_persons_own_listing_and_a_firms_support_one_measure() -> None:
    then = policy(*(one for rules in SMALL.rules_by_list.values() for one in rules if one.list_code != "COURT"),
                  rule("no_procurement", "gd.fin", "TAX", role="LEGAL_REPRESENTATIVE"), lists=tuple(SMALL.lists.values()))  # fmt: skip
    town: Town = {
        FIRM: (registration(representative=PERSON), listing("TAX", "t1")), PERSON: (listing("COURT", "c1", department="gd.court"),),
    }  # fmt: skip
    kinds = {change.kind for change in simulated(town, then).changes if change.measure == "no_procurement"}
    assert kinds == {Kind.RESTATED}, "it loses the court's support and gains the firm's"


def test_consortia_are_counted() -> None:
    then = policy(rule("bidding_limit", "gd.prtc", "TAX", target="CONSORTIUM"), lists=(listed("TAX", ("", 36)),))
    effect = simulated(LISTED, then)
    assert (effect.consortia_gained, effect.consortia_lost) == (2, 0)


def test_the_same_policy_changes_nothing() -> None:
    town: Town = {FIRM: (registration(representative=PERSON), listing("TAX", "t1"))}
    effect = simulated(town, SMALL)
    assert (effect.affected, effect.notices, +effect.changes) == (0, 0, {})
    assert (effect.subjects, effect.before) == (2, 3)


@pytest.mark.parametrize("order", [*permutations([FIRM, OTHER, PERSON])])
def test_shares_in_any_order_come_to_the_same(order: tuple[str, ...]) -> None:
    town: Town = {FIRM: (registration(representative=PERSON), listing("TAX", "t1")), OTHER: LISTED[OTHER], PERSON: (related(),)}  # fmt: skip
    books = Books(RuleBook(SMALL, TODAY), RuleBook(STRICTER, TODAY))
    apart = conclude([share_of({one: town[one]}, books) for one in order], books)
    assert apart == simulated(town)


def test_examples_are_few_and_the_same_whatever_the_order() -> None:
    town: Town = {f"org:91440300PDY{number:05}X{number % 10}": (listing("TAX", f"t{number}"),) for number in range(40)}
    backwards = dict(reversed(town.items()))
    assert simulated(town).examples == simulated(backwards).examples
    [examples] = simulated(town).examples.values()
    assert len(examples) == 5


def test_the_region_is_the_registrations_else_the_codes() -> None:
    assert region_of(OTHER, fold_all((registration(),))[1].active) == "440300"
    assert region_of(OTHER, {}) == "440100"
    assert region_of("reg:440301103097413", {}) == ""
