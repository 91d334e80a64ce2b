"""No leakage: what arrives or is decided after a day changes nothing about the class of that day; order and repetition do not matter."""

from datetime import date, timedelta
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import bodies
from exchange.domain.bodies import Severity
from exchange.domain.fold import fold_all
from exchange.domain.record import Fact
from exchange.domain.risk.assess import Assessment, assess
from exchange.domain.risk.known import entries_on, known_on, was_known
from tests.risk import arriving, class_of, counted, firm, penalty, real_policy, repair, rules, withdrawal
from tests.worlds import FIRM, day, fact, listing

BEGIN = date(2024, 1, 1)
DAYS = st.integers(0, 900).map(lambda n: (BEGIN + timedelta(n)).isoformat())


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """One fact about the firm: decided on one day, received on that or a later one; sometimes a revision or an amendment."""
    decided, late = draw(DAYS), draw(st.integers(0, 60))
    arrived = (date.fromisoformat(decided) + timedelta(late)).isoformat()
    number, revision = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    document = penalty(f"罚{number}", draw(st.sampled_from(Severity)), on=decided, revision=revision)
    state = draw(st.integers(0, 3))
    made = draw(
        st.sampled_from((
            document,
            withdrawal(document, f"撤{revision}", on=decided),
            repair(document, f"修{revision}", on=decided),
            counted("inspection_result", f"查{number}", state, on=decided),
            counted("annual_report", f"报{number}", state, on=decided),
            listing("TAX", f"列{number}", on=decided, revision=revision),
            fact("abnormal_entry", f"异{number}", tuple(bodies.AbnormalEntry("", state % 2, None)), on=decided, revision=revision),
            fact("rating", f"评{number}", tuple(bodies.Rating(state % 4, "D", "", None)), on=decided, revision=revision),
        ))
    )  # fmt: skip
    made = arriving(made, arrived, draw(st.integers(0, 23)))
    # A digest is of all of a record's bytes.
    return made._replace(version=made.version._replace(digest=crc32(repr(made).encode())))


def revised_in_order(history: list[Fact]) -> list[Fact]:
    """Without facts that give an older revision's number to other words, which no department may (and which leave no trace)."""
    return list({(one.key, one.slot, one.version.revision): one for one in history}.values())


def brief(found: Assessment | None) -> tuple[object, ...]:
    assert found is not None
    return found.letter, found.points, [(s.indicator.code, s.points, s.occurrences) for s in found.shares]


@settings(max_examples=120, deadline=None)
@given(st.lists(facts(), max_size=8), DAYS, st.randoms())
def test_later_facts_change_nothing_about_a_day(history: list[Fact], on: str, random: object) -> None:
    known = [one for one in history if was_known(one.version, day(on))]
    whole = [*history, *history]
    random.shuffle(whole)  # type: ignore[attr-defined] # Hypothesis' own random.Random
    assert brief(class_of(firm(), *whole, on=on)) == brief(class_of(firm(), *known, on=on))


@settings(max_examples=120, deadline=None)
@given(st.lists(facts(), max_size=8), DAYS)
def test_from_what_the_store_keeps_a_day_is_the_same_unless_it_says_what_was_revised(
    history: list[Fact], on: str
) -> None:
    history = revised_in_order(history)
    kept = known_on(fold_all([firm(), *history])[0], day(on))
    exact = entries_on([firm(), *history], day(on))
    assert {key: entry for key, entry in exact.items() if key not in kept.revised} == {
        key: entry for key, entry in kept.entries.items() if key not in kept.revised
    }
    if not kept.revised:
        from_kept = assess(FIRM, kept.entries, {}, real_policy(), rules(on))
        assert brief(from_kept) == brief(class_of(firm(), *history, on=on))


@settings(max_examples=80, deadline=None)
@given(st.lists(facts(), max_size=8), DAYS)
def test_points_are_the_shares_and_each_within_its_cap(history: list[Fact], on: str) -> None:
    found = class_of(firm(), *history, on=on)
    assert found is not None
    assert found.points == max(0, found.total)
    assert all(abs(share.points) <= share.indicator.cap for share in found.shares)
    assert found.letter == rules(on).class_of(found.points)
