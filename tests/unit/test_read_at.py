"""What a zombie read of its successor is not committed, though the store has come back as of the zombie's own last commit."""

import random
from collections.abc import Callable, Sequence

import pytest

from consumers.standing.decode import INTERNAL_TYPE, Arrival, Decoded
from consumers.standing.reconcile import Told, tell_differences
from exchange.domain.record import Fact
from exchange.errors import FencedError
from exchange.standing_store import Loaded, Wanted
from tests.properties.test_commit_protocol import ALIAS, CODEC, INPUTS, TOPICS, Processor, World
from tests.worlds import FIRM, fact

PENALTY = fact("penalty", "a", (1, 100, 0, None), department="gd.tax")
NAMED = fact("alias", ALIAS, (), department="gd.amr")
INTO = TOPICS.into("gd.tax")


def world_with(topic: str, *records: tuple[str, Fact]) -> World:
    world = World(random.Random(0), "")
    world.inputs = {one: [] for one in INPUTS}
    world.inputs[topic] = [*records]
    return world


def step_until(owner: Processor, done: Callable[[], object]) -> None:
    for _ in range(200):
        if done():
            return
        owner.step()
    pytest.fail("it never came")


def test_standings_and_entries_that_were_loaded() -> None:
    world = world_with(INTO, (FIRM, PENALTY))
    zombie, before = Processor(world), world.store.snapshot()
    step_until(Processor(world), lambda: world.store.entries(0, FIRM))
    known = Decoded(zombie.partition, arrivals=[Arrival(FIRM, PENALTY, "penalty", {}, INTO, 0)], offsets={INTO: 1})
    (work,) = zombie.join.begin([known], {})
    assert not work.changed, "it takes the record for known"
    world.store.restore(before)
    assert isinstance(world.store.commit([zombie.join.finish(work, now=0)])[0], FencedError)
    assert INTO not in world.store.cursor(0).offsets, "it will be read again"


def test_records_of_an_alias_that_were_read_when_it_was_judged() -> None:
    world = world_with(TOPICS.into("gd.amr"), (FIRM, NAMED))
    world.owner = Processor(world)
    step_until(world.owner, lambda: world.inputs[TOPICS.internal])
    (record,) = world.inputs[TOPICS.internal]
    assert record is not None
    zombie, before = Processor(world), world.store.snapshot()
    link = Decoded(zombie.partition, arrivals=[Arrival(*record, INTERNAL_TYPE, {}, TOPICS.internal, 0)])
    (work,) = zombie.join.begin([link], {})
    Processor(world)
    zombie.join.judge(work, now=0)
    assert work.standings[ALIAS].merged_into == FIRM, "so its records were read, to hand them over"
    world.store.restore(before)
    assert isinstance(world.store.commit([zombie.join.finish(work, now=0)])[0], FencedError)


def test_standings_that_were_compared_with_what_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(INTO)
    owner = Processor(world)
    load = world.store.load

    def of_a_successor(wanted: Sequence[Wanted]) -> list[Loaded]:
        return [one._replace(token="another") for one in load(wanted)]

    def tell() -> None:
        tell_differences(
            owner.partition, world.store, owner.join, Told(), lambda: None, decode=CODEC.decode_plain, now=0
        )

    tell()
    monkeypatch.setattr(world.store, "load", of_a_successor)
    with pytest.raises(FencedError):
        tell()


def test_one_foreign_token_is_enough() -> None:
    owner = Processor(world_with(INTO))
    (work,) = owner.join.begin([Decoded(owner.partition)], {})
    assert work.commit.expected == owner.partition.token
    work.note_read_at("another")
    work.note_read_at(owner.partition.token)
    assert isinstance(owner.world.store.commit([owner.join.finish(work, now=0)])[0], FencedError)
