from exchange.domain import bodies
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook
from exchange.domain.record import DOCUMENT, Fact, Version
from exchange.domain.simulate import Effect, Simulation
from tests.worlds import FIRM, OTHER, PERSON, SMALL, day, listed, listing, policy, registration, rule

TODAY = day("2026-06-01")
STRICTER = policy(
    rule("bond_review", "gd.drc", "TAX"),
    rule("new", "gd.amr", "TAX"),
    rule("office_ban", "gd.amr", "TAX", role="LEGAL_REPRESENTATIVE"),
    rule("no_flights", "ext.civil", "TAX", role="LEGAL_REPRESENTATIVE"),
    lists=(listed("TAX", ("", 60)),),
)


def simulated(*subjects: tuple[str, tuple[Fact, ...]]) -> Effect:
    simulation = Simulation(RuleBook(SMALL, TODAY), RuleBook(STRICTER, TODAY))
    for subject, facts in subjects:
        simulation.add(subject, fold_all(facts)[0])
    return simulation.finish()


def test_gains_and_losses_are_counted_by_list_department_and_measure() -> None:
    effect = simulated((FIRM, (listing("TAX", "t1"),)), (OTHER, (listing("TAX", "t2"),)))
    assert effect.gained == {("TAX", "gd.amr", "new"): 2}
    assert effect.lost == {("TAX", "gd.fin", "no_procurement"): 2}
    assert (effect.subjects, effect.affected, effect.before, effect.after) == (2, 2, 4, 4)


def test_a_longer_term_brings_back_what_has_ended() -> None:
    effect = simulated((FIRM, (listing("TAX", "t1", on="2022-06-01"),)))
    assert (effect.before, effect.after) == (0, 2)


def test_persons_are_reached_through_their_firms_by_the_other_policy() -> None:
    related = bodies.Related("LEGAL_REPRESENTATIVE", "TAX", "", 1, None, 0)
    reaching = Fact(
        f"related/{FIRM}/listing/gd.tax/t1|LEGAL_REPRESENTATIVE",
        DOCUMENT,
        Version(1, 0, TODAY - 9, 0, 0, -1, tuple(related)),
    )
    effect = simulated((FIRM, (registration(representative=PERSON), listing("TAX", "t1"))), (PERSON, (reaching,)))
    assert effect.gained["TAX", "ext.civil", "no_flights"] == 1
    assert ("TAX", "gd.amr", "office_ban") not in effect.gained + effect.lost
    assert effect.subjects == 2


def test_the_same_policy_changes_nothing() -> None:
    book = RuleBook(SMALL, TODAY)
    simulation = Simulation(book, book)
    simulation.add(FIRM, fold_all((registration(representative=PERSON), listing("TAX", "t1")))[0])
    effect = simulation.finish()
    assert (effect.affected, +effect.gained, +effect.lost) == (0, {}, {})
