"""A worker's order: nothing out of turn, nothing committed that is not done, what is lacking fetched again."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from consumers.early_warning.order import PASSED_SECONDS, SILENT_SECONDS, Order, Place

HERE, THERE = Place("t", 0), Place("t", 1)


class Message(NamedTuple):
    topic: str
    partition: int
    offset: int


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def at(*offsets: int, place: Place = HERE) -> list[Message]:
    return [Message(*place, offset) for offset in offsets]


def begun(start: int = 5) -> tuple[Order, Clock]:
    clock = Clock()
    order = Order(clock)
    order.restarted(HERE, start)
    return order, clock


def fetch(order: Order, *offsets: int, place: Place = HERE) -> bool:
    return order.fetched(place, offsets, order.before())


def test_what_comes_in_turn_is_done_and_may_be_committed() -> None:
    order, _ = begun()
    fetch(order, 5, 6, 9)  # 7 and 8 are a transaction's markers: the broker hands no such offsets out
    assert order.in_turn(at(5, 6, 9)) == at(5, 6, 9)
    assert order.committable() == {HERE: 5}
    order.done(at(5, 6, 9))
    assert order.committable() == {HERE: 10}
    assert (order.done_until(HERE), order.done_until(THERE)) == (10, None)


def test_what_comes_after_something_dropped_waits_for_it() -> None:
    order, clock = begun()
    fetch(order, 5, 6, 7)
    assert order.in_turn(at(5, 7)) == at(5)
    order.done(at(5))
    assert order.committable() == {HERE: 6}
    assert order.in_turn(at(7)) == []
    assert order.lacking() == {}
    clock.now += PASSED_SECONDS + 0.1
    assert order.lacking() == {HERE: 6}
    order.restarted(HERE, 6)
    fetch(order, 6, 7)
    assert order.in_turn(at(6, 7)) == at(6, 7)


def test_what_never_comes_at_all_is_fetched_again_too() -> None:
    order, clock = begun()
    fetch(order, 5)
    clock.now += PASSED_SECONDS + 0.1
    assert order.lacking() == {}
    clock.now += SILENT_SECONDS
    assert order.lacking() == {HERE: 5}


def test_what_is_delivered_twice_is_done_once() -> None:
    order, _ = begun()
    fetch(order, 5, 6)
    assert order.in_turn(at(5, 5, 6, 5)) == at(5, 6)


def test_a_fetch_that_a_seek_overtook_is_not_handed_on() -> None:
    order, _ = begun()
    before = order.before()
    order.restarted(HERE, 2)
    assert not order.fetched(HERE, [5, 6], before)
    assert order.start(HERE) == 2
    assert order.in_turn(at(5)) == []


def test_what_was_fetched_for_a_place_that_is_lost_is_nobody_s() -> None:
    order, _ = begun()
    fetch(order, 5)
    before = order.before()
    order.lost([HERE])
    assert order.in_turn(at(5)) == []
    assert order.committable() == {}
    assert not order.fetched(HERE, [6], before)
    assert order.start(HERE) is None


def test_places_do_not_wait_for_each_other() -> None:
    order, clock = begun()
    order.restarted(THERE, 1)
    fetch(order, 5)
    fetch(order, 1, 2, place=THERE)
    assert order.in_turn(at(1, 2, place=THERE)) == at(1, 2, place=THERE)
    order.done(at(1, 2, place=THERE))
    clock.now += SILENT_SECONDS + 0.1
    assert order.lacking() == {HERE: 5}


@given(st.data())
def test_whatever_is_dropped_repeated_or_fetched_again_each_is_done_once_and_in_order(data: st.DataObject) -> None:
    order, clock = begun(0)
    wire, position, queue, done = list(range(12)), 0, list[int](), list[int]()
    for _ in range(60):
        match data.draw(st.sampled_from(["fetch", "drop", "work", "again", "repeat"])):
            case "fetch":
                size = data.draw(st.integers(0, 4))
                got = wire[position : position + size]
                fetch(order, *got)
                queue += got
                position += size
            case "drop":
                del queue[: data.draw(st.integers(0, 3))]
            case "repeat":
                queue = queue[:1] + queue
            case "work":
                some, queue = queue[:3], queue[3:]
                ours = order.in_turn(at(*some))
                order.done(ours)
                done += [one.offset for one in ours]
            case "again":
                clock.now += SILENT_SECONDS + 0.1
                for place, offset in order.lacking().items():
                    order.restarted(place, offset)
                    position = offset
        assert done == wire[: len(done)]
        assert order.committable() == {HERE: len(done)}
