"""Obligations end as the newest notice says, whatever came before it, in any order and however often; and nothing is done twice."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.reference.book import State, open_book
from consumers.reference.market_entry_desk import PRACTICE
from consumers.reference.obligations import Taken
from consumers.reference.office import Office
from consumers.reference.outbox import Feedback, waiting
from tests.pushing import FIRM, decoded, in_force, lifted, notice

MEASURES = ("office_ban", "licence_review", "no_awards")
Step = tuple[str, bool]
"""A measure that is imposed or, when it holds, lifted; and whether the lifts so far are confirmed by then."""


class Bus:
    """Makes the notices of one subject as the bus does: full sets, with since and the lifts not yet confirmed."""

    def __init__(self) -> None:
        self.holding: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def step(self, n: int, measure: str, *, confirmed: bool) -> dict[str, Any]:
        if confirmed:
            self.ended.clear()
        if self.holding.pop(measure, 0):
            self.ended[measure] = n
        else:
            self.holding[measure] = n
            self.ended.pop(measure, None)
        measures = [in_force(one, since) for one, since in self.holding.items()]
        return decoded(notice(n, *measures, ended=tuple(lifted(one, since) for one, since in self.ended.items())))


async def _never(records: Sequence[Feedback]) -> None:
    raise AssertionError(f"nothing is sent here: {records}")


steps = st.lists(st.tuples(st.sampled_from(MEASURES), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(steps, st.data())
def test_any_order_ends_as_the_newest_notice_says(history: list[Step], data: st.DataObject) -> None:
    bus = Bus()
    notices = [bus.step(n, measure, confirmed=confirmed) for n, (measure, confirmed) in enumerate(history, 1)]
    some = data.draw(st.lists(st.sampled_from(notices), max_size=12))
    arriving = data.draw(st.permutations([*some, notices[-1]]))
    acts = data.draw(st.lists(st.booleans(), min_size=len(arriving), max_size=len(arriving)))

    database = open_book(":memory:")
    office = Office(PRACTICE, database, _never, now=lambda: 1_780_000_000_000)
    newest, acted = 0, 0
    for one, acts_now in zip(arriving, acts, strict=True):
        expected = Taken.NEW if one["n"] > newest else Taken.REPEATED if one["n"] == newest else Taken.STALE
        assert office.take(one) is expected
        newest = max(newest, one["n"])
        acted += office.act() if acts_now else 0
    office.act()

    found = office.obligations.of(FIRM)
    assert {one.measure: one.since.n for one in found if one.state is State.EXECUTED} == bus.holding
    assert all(one.state in (State.EXECUTED, State.ENDED) for one in found)
    registered = database.execute("SELECT measure, since_n, struck_on FROM register").fetchall()
    assert {row["measure"]: row["since_n"] for row in registered if not row["struck_on"]} == bus.holding
    assert max(Counter((row["measure"], row["since_n"]) for row in registered).values(), default=1) == 1, "acted twice"

    told = [one.record for one in waiting(database)]
    assert max(Counter((one["document"], one["state"]) for one in told).values()) == 1, "told twice"
    revisions: dict[str, list[int]] = {}
    for one in told:
        revisions.setdefault(one["document"], []).append(one["revision"])
    assert all(each == sorted(set(each)) for each in revisions.values())
    ends = {(one["measure"], one["n"]) for one in told if one["state"] == "ENDED"}
    assert all(any(measure == m and n >= since for m, n in ends) for measure, since in bus.ended.items())
    # An end that is confirmed must not be read as the end of what was imposed later.
    assert not any(m in bus.holding and n >= bus.holding[m] for m, n in ends)
    database.close()


def test_a_notice_that_comes_back_under_the_same_number_is_acted_on_anew() -> None:
    # Notices of before `since` was known have it 0: a measure lifted and imposed again is then the same obligation.
    database = open_book(":memory:")
    office = Office(PRACTICE, database, _never)
    holding, gone = in_force("office_ban", 0, epoch=0), lifted("office_ban", 0, epoch=0)
    for n, (measures, ended) in enumerate([((holding,), ()), ((), (gone,)), ((holding,), ())], 1):
        office.take(decoded(notice(n, *measures, ended=ended)))
        office.act()
    told = [(one.record["revision"], one.record["state"]) for one in waiting(database)]
    assert told == [(1, "ACKNOWLEDGED"), (2, "EXECUTED"), (3, "ENDED"), (4, "ACKNOWLEDGED"), (5, "EXECUTED")]
    assert [one.state for one in office.obligations.of(FIRM)] == [State.EXECUTED]
    database.close()


def test_a_lift_of_what_was_never_known_is_confirmed() -> None:
    database = open_book(":memory:")
    office = Office(PRACTICE, database, _never)
    office.take(decoded(notice(4, ended=(lifted("office_ban", 4),))))
    office.take(decoded(notice(5, in_force("no_awards", 5), ended=(lifted("office_ban", 4),))))
    office.act()
    told = [(one.record["measure"], one.record["state"], one.record["n"]) for one in waiting(database)]
    assert told == [("no_awards", "ACKNOWLEDGED", 5), ("office_ban", "ENDED", 4), ("no_awards", "EXECUTED", 5)]
    database.close()


def test_a_measure_without_a_basis_is_declined_and_bears_on_nothing() -> None:
    database = open_book(":memory:")
    office = Office(PRACTICE, database, _never)
    office.take(decoded(notice(1, in_force("office_ban", 1) | {"basis": ""})))
    office.act()
    office.take(decoded(notice(2, ended=(lifted("office_ban", 2),))))
    assert office.advise([FIRM]).answer == "clear"
    office.act()
    told = [(one.record["revision"], one.record["state"]) for one in waiting(database)]
    assert told == [(1, "ACKNOWLEDGED"), (2, "DECLINED"), (3, "ENDED")]
    assert not database.execute("SELECT * FROM register").fetchall()
    database.close()


def test_a_reminder_sends_the_same_answer_again() -> None:
    database = open_book(":memory:")
    office = Office(PRACTICE, database, _never)
    office.take(decoded(notice(1, in_force("office_ban", 1))))
    office.act()
    before = waiting(database)
    database.execute("UPDATE feedback SET sent_at_ms = 1")
    owed = {"department": "gd.amr", "measure": "office_ban", "respond_by": "2026-05-27"}
    other = owed | {"department": "gd.fin"}
    office.take(decoded(notice(2, in_force("office_ban", 1), overdue=[other])))
    assert waiting(database) == []
    office.take(decoded(notice(3, in_force("office_ban", 1), overdue=[owed])))
    assert waiting(database) == before
    database.close()
