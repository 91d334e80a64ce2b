from exchange.domain.check import Answer, check
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook
from exchange.domain.record import Fact
from tests.worlds import SMALL, day, fact, listing, policy, rule

BOOK = RuleBook(SMALL, day("2026-06-01"))
GRADE_A = fact("rating", "2025", (0, "A", "2025", None), on="2026-04-01")


def answered(*facts: Fact, matter: str = "bidding", book: RuleBook = BOOK) -> Answer:
    return check(fold_all(facts)[1], book, matter).answer


def test_nobody_said_anything() -> None:
    assert answered() is Answer.CLEAR


def test_a_listing_refuses_only_what_its_measures_touch() -> None:
    assert answered(listing("TAX", "t1")) is Answer.REFUSE
    assert answered(listing("TAX", "t1"), matter="loan") is Answer.CLEAR


def test_incentive_and_punishment_in_one_answer() -> None:
    assert answered(GRADE_A) is Answer.FAST_TRACK
    assert answered(GRADE_A, listing("TAX", "t1")) is Answer.REFUSE


def test_reasons_come_gravest_first() -> None:
    book = RuleBook(
        policy(rule("look", "gd.em", "SAFE", effect="review"), rule("stop", "gd.fin", "TAX")), day("2026-06-01")
    )
    _, standing = fold_all([listing("SAFE", "s", until="2027-01-01"), listing("TAX", "t", until="2027-01-01")])
    assert [support.rule.measure for support in check(standing, book, "bidding").supports] == ["stop", "look"]
