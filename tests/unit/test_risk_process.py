"""The parts of the process of risk classes without servers: what waits, what is whole, what a round has still to see."""

from collections.abc import Sequence
from typing import Any

from consumers.risk.classing import UNDER_WAY_SECONDS, Classer
from consumers.risk.monthly import PIECE, SLOWEST, MonthlyRound, month_of
from consumers.risk.waiting import Waiting
from exchange.catalogue import load_catalogue
from exchange.domain import bodies
from exchange.domain.fold import fold_all
from exchange.domain.record import Entry, Fact
from exchange.domain.standing import EMPTY
from exchange.paths import SCHEMAS
from exchange.risk_rounds import MemoryRounds
from exchange.standing_store import Commit, Cursor
from exchange.store_memory import MemoryStore
from tests.risk import TODAY, firm, model, penalty, real_policy
from tests.worlds import FIRM, day, fact

NOON = (day(TODAY) * 24 + 4) * 3_600_000


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def store_of(facts: Sequence[Fact]) -> MemoryStore:
    """A store in which the firm has these facts, all in one partition."""
    store = MemoryStore()
    put(store, facts)
    return store


def put(store: MemoryStore, facts: Sequence[Fact]) -> None:
    entries: dict[str, Entry] = fold_all(facts)[0]
    commit = Commit(partition=0, expected=store.cursor(0).token, token=f"t{len(facts)}{store.cursor(0).token}")
    commit.standings.append((FIRM, EMPTY))
    commit.entries += [(FIRM, key, entry) for key, entry in entries.items()]
    assert store.commit([commit]) == [None]


def classer(store: MemoryStore, clock: Clock) -> Classer:
    return Classer(store, real_policy(), model(), load_catalogue(SCHEMAS), 1, clock)


def published(records: list[tuple[str, dict[str, Any]]]) -> list[tuple[int, str]]:
    return [(record["revision"], record["grade"]) for _, record in records]


def test_a_record_waits_for_the_standing_processor_topic_by_topic() -> None:
    waiting = Waiting(limit=4)
    waiting.begin({("in.tax", 0): 5, ("in.amr", 0): 0, ("in.amr", 1): 0})
    for place in (("in.tax", 0, 5, "a"), ("in.tax", 0, 6, "b"), ("in.amr", 0, 0, "c"), ("in.amr", 2, 0, "not ours")):
        waiting.add(*place)
    cursor = Cursor(offsets={"in.tax": 6})
    assert waiting.ready(0, cursor, 10) == ({"a": None}, {("in.tax", 0): 6})
    waiting.done({("in.tax", 0): 6})
    assert len(waiting) == 2
    assert waiting.ready(0, Cursor(offsets={"in.tax": 7, "in.amr": 1}), 1)[0] == {"b": None}, (
        "no more than is asked for"
    )
    assert waiting.ready(1, cursor, 10) == ({}, {})


def test_a_partition_that_is_rebuilt_is_not_looked_at() -> None:
    waiting = Waiting(limit=4)
    waiting.begin({("in.tax", 0): 5})
    assert waiting.is_whole(0, Cursor(offsets={"in.tax": 5}))
    assert not waiting.is_whole(0, Cursor(offsets={"in.tax": 4}))
    assert not waiting.is_whole(0, Cursor(offsets={"in.tax": 9}, reconcile=True))


def test_a_place_with_too_much_waiting_is_read_no_further_until_there_is_room() -> None:
    waiting = Waiting(limit=4)
    waiting.begin({("in.tax", 0): 0})
    for offset in range(4):
        waiting.add("in.tax", 0, offset, "a")
    assert [(one.topic, one.partition) for one in waiting.crowded()[0]] == [("in.tax", 0)]
    waiting.done({("in.tax", 0): 3})
    full, free = waiting.crowded()
    assert (len(full), len(free)) == (0, 1)


def test_what_was_published_is_known_until_it_is_seen_and_not_for_ever() -> None:
    clock, store = Clock(), store_of([firm()])
    working = classer(store, clock)
    first = working.work_out(0, [FIRM], NOON)
    assert published(first.records) == [(1, "A")]
    assert not working.work_out(0, [FIRM], NOON).records, "it is under way"
    put(store, [penalty(f"罚{n}", bodies.Severity.SERIOUS, on="2026-11-27") for n in range(2)])
    assert published(working.work_out(0, [FIRM], NOON).records) == [(2, "C")], "a difference has a revision of its own"
    clock.now += UNDER_WAY_SECONDS + 1
    assert published(working.work_out(0, [FIRM], NOON).records) == [(1, "C")], (
        "nothing came of it: the store is believed"
    )
    known = bodies.Rating(2, "C", "2026", day("2027-03-31"), 20_00)
    put(store, [fact("rating", "风险分类-2026", tuple(known), department="gd.amr", revision=7)])
    assert not working.work_out(0, [FIRM, "person:k1.00", "reg:1"], NOON).records


def test_a_record_explains_itself() -> None:
    classed = classer(store_of([firm(), penalty("罚1", on="2026-11-28")]), Clock()).work_out(0, [FIRM], NOON)
    ((subject, record),) = classed.records
    assert (subject, record["department"], record["document"], str(record["points"])) == (
        FIRM,
        "gd.amr",
        "风险分类-2026",
        "7",
    )
    assert record["remark"].startswith("一般行政处罚 +7.00（口径 ")
    assert dict(classed.letters) == {"B": 1}


def test_a_round_goes_through_everybody_once_a_month_and_is_taken_up_where_it_was_left() -> None:
    clock, rounds = Clock(), MemoryRounds()
    store = MemoryStore()
    everybody = [f"org:{number:05d}" for number in range(2 * PIECE + 7)]
    commit = Commit(partition=0, expected="", token="t")
    commit.standings += [(subject, EMPTY) for subject in [*everybody, "person:k1.00"]]
    store.commit([commit])

    def walk(monthly: MonthlyRound, month: str, pieces: int) -> list[str]:
        seen = []
        for _ in range(pieces):
            clock.now += PIECE / SLOWEST + 1
            piece = monthly.next(month, whole=lambda _: True)
            if piece is None:
                break
            seen += piece.subjects
            monthly.done(piece, {"A": len(piece.subjects)})
            assert monthly.next(month, whole=lambda _: True) is None or not piece.subjects, "not before its time"
        return seen

    first, second = (MonthlyRound(store, rounds, 2.0, clock) for _ in range(2))
    first.own([0])
    assert first.next("2026-11", whole=lambda _: False) is None
    begun = walk(first, "2026-11", 1)
    second.own([0])
    assert begun + walk(second, "2026-11", 9) == everybody
    assert rounds.read(0).letters["A"] == len(everybody)
    assert walk(second, "2026-11", 9) == []
    assert walk(second, "2026-12", 9) == everybody


def test_a_month_begins_on_its_day() -> None:
    assert month_of(day("2026-11-01"), 1) == "2026-11"
    assert month_of(day("2026-11-04"), 5) == "2026-10"
    assert month_of(day("2026-01-04"), 5) == "2025-12"
