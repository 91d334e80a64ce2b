"""A check's quick way changes nothing: what it reads of a packed standing gives the answer that the whole standing gives."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from consumers.portal.checks.answers import Checker
from consumers.portal.checks.reading import Found
from consumers.portal.checks.words import Names
from exchange.domain.check import check
from exchange.domain.judge import RuleBook
from exchange.domain.record import Fact
from exchange.domain.standing import EMPTY, Imposed, Told
from exchange.standing_part import unpack
from tests.portal import CATALOGUE
from tests.properties.test_fold import facts, incrementally
from tests.worlds import FIRM, PERSON, SMALL, day

CHECKER = Checker(RuleBook(SMALL, day("2026-06-01")), Names(SMALL, CATALOGUE))
told = st.dictionaries(
    st.sampled_from(["gd.fin", "gd.drc"]), st.builds(lambda n: Told(n, {"m": Imposed(n, 0, n, 1)}, {}), st.integers(1, 9)),
)  # fmt: skip


@given(st.lists(facts, max_size=8), told, st.sampled_from([FIRM, PERSON]), st.sampled_from(["bidding", "loan"]))
def test_the_quick_answer_is_the_whole_answer(
    history: list[Fact], said: dict[str, Told], who: str, matter: str
) -> None:
    standing = incrementally(history)[1]._replace(told=said, updated_at=1_780_000_000)
    whole = check(standing, CHECKER.book, matter, person=who == PERSON)
    quick = CHECKER.answer(Found(who, unpack(msgspec.msgpack.encode(standing))), matter, str)
    assert quick.answer == whole.answer
    assert [(one.measure, one.document) for one in quick.grounds] == [
        (support.rule.measure, support.holding.document) for support in whole.supports
    ]
    assert quick.data_as_of == "2026-05-28T20:26:40+00:00"


def test_nobody_is_clear_and_unknown() -> None:
    found = CHECKER.answer(Found(FIRM, unpack(None)), "bidding", str)
    assert (found.answer, found.known, found.data_as_of) == ("clear", False, None)
    assert unpack(msgspec.msgpack.encode(EMPTY._replace(merged_into=FIRM))).merged_into == FIRM


def test_standings_of_before_and_after_a_new_field_are_read() -> None:
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(EMPTY._replace(merged_into=FIRM, updated_at=7)))
    for fields in (packed[:12], packed, [*packed, {"new": 1}]):
        found = unpack(msgspec.msgpack.encode(fields))
        assert (found.merged_into, found.updated_at) == (FIRM, 7)
