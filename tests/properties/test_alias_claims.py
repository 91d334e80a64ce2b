"""An older code that two subjects claim: whatever comes first, its records end with the one whose claim was decided first."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.facts import LAST_REVISION
from exchange.domain.fold import NO_LONGER, fold_all
from exchange.domain.handover import BELONGS, FROM, NO, hand_over, say_belongs, taken_in, visible, visible_entries
from exchange.domain.judge import NOTHING
from exchange.domain.links import forward, messages
from exchange.domain.oracle import compute
from exchange.domain.record import Entry, Fact, merge
from exchange.domain.standing import EMPTY
from exchange.look_up import look_up
from tests.properties.test_commit_protocol import ALIAS, BOOK, TOPICS, Processor, World
from tests.worlds import FIRM, OTHER, PERSON, day, fact, listing

Arriving = tuple[str, Fact]


CODE = "orgcode:PDY000014"


def claim(subject: str, on: str, alias: str = ALIAS) -> Arriving:
    return subject, fact("alias", alias, (), department="gd.amr", revision=LAST_REVISION - day(on), on=on)


HISTORY: list[Arriving] = [
    claim(FIRM, "2020-01-01"),
    claim(OTHER, "2021-01-01"),
    (ALIAS, listing("TAX", "a")),
    (ALIAS, listing("TAX", "a", revision=2, grounds="1")),  # corrected
    (ALIAS, listing("SAFE", "b", department="gd.em")),
    (OTHER, fact("withdrawal", "c", (0,), target="listing/gd.em/b")),  # under the wrong subject: it withdraws nothing of the alias's
    (OTHER, listing("COURT", "a")),  # of the same number as the alias's, but its own
    (FIRM, fact("penalty", "p", (1, 100, 0, None))),
    (ALIAS, fact("penalty", "p", (1, 300, 0, None), revision=3)),
    (ALIAS, fact("measure_feedback", "f", (2, 0, None, "no_procurement", 0, 1, None, ""), department="gd.fin")),
]  # fmt: skip


def settled(history: list[Arriving]) -> World:
    """The world after a history in this order, a few records a batch, when nothing is under way any more."""
    world = World(random.Random(len(history)), "")
    for topic in world.inputs:
        world.inputs[topic] = []
    world.owner = processor = Processor(world)
    for arriving in history:
        world.inputs[TOPICS.into("gd.tax")].append(arriving)
        for _ in range(6):
            processor.step()
    for _ in range(1000):
        processor.step()
        taken_up = processor.partition.offsets
        if not processor.jobs and all(taken_up.get(topic, 0) == len(all_of) for topic, all_of in world.inputs.items()):
            return world
    pytest.fail("messages without end")


def ending(history: list[Arriving]) -> dict[str, tuple[Any, ...]]:
    """Counts, entries that oblige, answers and measures of everybody, after a history in this order."""
    world = settled(history)
    found: dict[str, tuple[Any, ...]] = {}
    for subject in (FIRM, OTHER, ALIAS):
        standing = world.store.standing(0, subject)
        assert standing is not None
        measures = {who: sorted(told.measures) for who, told in standing.told.items() if told.measures}
        seen = visible_entries(world.store.entries(0, subject))
        said = {
            key: {slot: v[:2] for slot, v in one.versions.items()} for key, one in seen.items() if key[:5] != "link/"
        }
        found[subject] = (standing.counts, set(standing.active), standing.answers, standing.merged_into, measures, said)
    return found


INORDER = ending(HISTORY)


@settings(max_examples=20, deadline=None)
@given(st.permutations([*HISTORY, *HISTORY[:5]]))
def test_any_order_and_duplicates_end_the_same(history: list[Arriving]) -> None:
    assert ending(history) == INORDER


def test_records_leave_the_later_claimant() -> None:
    late_first = ending([HISTORY[1], HISTORY[2], HISTORY[8], (OTHER, listing("SAFE", "own")), HISTORY[0]])
    counts, active, _, _, measures, _ = late_first[OTHER]
    assert counts == {"listing": 1}
    assert measures == {"gd.drc": ["bond_review"], "gd.em": ["inspection"]}
    assert active == {"listing/gd.tax/own", f"alias/gd.amr/{ALIAS}"}
    assert late_first[FIRM][0] == {"listing": 1, "penalty": 1, "penalty_general": 1, "fine": 300}


@given(st.lists(st.booleans(), max_size=5), st.randoms(use_true_random=False))
def test_the_last_word_of_an_alias_counts(words: list[bool], rnd: random.Random) -> None:
    own = Entry({"": fact("penalty", "p", (1, 100, 0, None)).version})
    newer = fact("penalty", "p", (1, 300, 0, None), revision=3)
    given_away = hand_over(FIRM, {newer.key: Entry({"": newer.version})})[newer.key]
    facts = [*given_away]
    for number, belongs in enumerate(words):
        facts += say_belongs([newer.key], number, at=0, belongs=belongs).values()
    rnd.shuffle(facts)
    entry = own
    for one in facts:
        entry = merge(entry, taken_in(ALIAS, one))
    belongs = not words or words[-1]
    assert visible(entry).versions == {"": newer.version if belongs else own.versions[""]}


def test_nothing_goes_back_to_where_it_came_from() -> None:
    entries = {"penalty/gd.tax/p": Entry({f"{FROM}{FIRM}": fact("penalty", "p", (1, 1, 0, None)).version})}
    assert hand_over(FIRM, entries) == {}
    twice = hand_over(OTHER, entries)["penalty/gd.tax/p"]
    assert visible(merge(None, taken_in(ALIAS, twice[0]))).versions.keys() == {""}


OF_CODES = [(ALIAS, listing("TAX", "a")), (CODE, listing("SAFE", "b", department="gd.em"))]
CHAIN = [claim(ALIAS, "2020-01-01", CODE), claim(OTHER, "2021-01-01"), claim(FIRM, "2022-01-01"), *OF_CODES]
MUTUAL = [claim(ALIAS, "2020-01-01", CODE), claim(CODE, "2020-01-01"), *OF_CODES]
OWNED = [claim(FIRM, "2022-01-01"), claim(FIRM, "2022-01-01", CODE)]


@pytest.mark.parametrize(
    ("history", "listings"),
    [
        (CHAIN, {OTHER: 2, ALIAS: 2, CODE: 1}),
        (MUTUAL, {ALIAS: 1, CODE: 1}),
        (MUTUAL + OWNED, {FIRM: 2, ALIAS: 1, CODE: 1}),
    ],
    ids=["a code of a code", "codes that claim each other", "and an organisation that claims both"],
)
@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_codes_that_claim_codes_end_the_same(
    history: list[Arriving], listings: dict[str, int], rnd: random.Random
) -> None:
    history = rnd.sample(history, len(history))
    world, truth = settled(history), compute(history, lambda _: BOOK)
    for subject in {FIRM, OTHER, ALIAS, CODE} & truth.keys():
        standing = world.store.standing(0, subject)
        assert standing is not None
        must = truth[subject].standing
        assert (standing.counts, standing.merged_into) == (must.counts, must.merged_into), subject
        assert standing.counts.get("listing", 0) == listings.get(subject, 0), subject


def test_a_code_of_a_code_leads_to_the_organisation() -> None:
    found = look_up(settled(CHAIN).store, 1, CODE)
    assert (found.subject, sorted(found.entries)[-2:]) == (OTHER, ["listing/gd.em/b", "listing/gd.tax/a"])


def test_what_is_said_in_ones_own_name_is_nothing_handed_over() -> None:
    link, related = (fact(kind, "", (1,))._replace(key=f"{kind}/{FIRM}/x") for kind in ("link", "related"))
    assert [taken_in(FIRM, one) for one in (link, related)] == [link, related]
    assert taken_in("person:old", related).slot == f"{FROM}person:old", (
        "a pseudonym of before hands over whom it was told of"
    )


def test_after_a_rollback_an_alias_leaves_whoever_has_only_what_reached_it() -> None:
    one = fact("related", "", (1,))._replace(key=f"related/{FIRM}/x")
    entries = {one.key: Entry({"": one.version})}
    handed = {(PERSON, one.key): {taken_in("person:old", one).slot: one.version}}
    told, sent = forward("person:old", "", "", {}, lambda: entries, {}, epoch=2, at=0, handed=handed)
    (message,) = told
    assert (message.target, [(said.slot, said.version.body) for said in message.facts]) == (PERSON, [(BELONGS, NO)])
    again = forward("person:old", "", "", {}, dict, sent, epoch=2, at=0, handed=handed)
    assert again == ([], sent)


def test_entries_of_what_is_no_alias_are_not_looked_up() -> None:
    def look_up_all() -> dict[str, Entry]:
        pytest.fail("one round trip for each subject of a partition that is reconciled")

    assert forward(FIRM, "", "", {}, look_up_all, {}, epoch=2, at=0, handed={}) == ([], {})


def test_a_link_that_came_of_a_claim_handed_over_is_ended() -> None:
    _, one = claim(ALIAS, "2020-01-01", CODE)
    _, standing = fold_all([taken_in(ALIAS, one)])
    assert list(standing.active) == [one.key], "a code that the firm shows as its own"
    assert messages(FIRM, standing, NOTHING, epoch=1, at=0) == ([], {}), "but does not tell it"
    before = standing._replace(sent={f"{CODE} link/{FIRM}/": (1, 0)})
    (message,), sent = messages(FIRM, before, NOTHING, epoch=1, at=0)
    assert (message.target, message.facts[0].version.body, list(sent)) == (CODE, (NO_LONGER,), [""])
    assert fold_all(message.facts)[1].active == EMPTY.active
