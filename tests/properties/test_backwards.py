"""Messages of several partitions, the newest first: the order is one order, and a page takes no message before a newer of its place."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.backwards import Raw, newest_first

_places = st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=4)
"""For each partition the times of its messages, which may be equal and may go back."""


@given(places=_places, data=st.data())
def test_one_order_however_messages_came(places: list[list[int]], data: st.DataObject) -> None:
    found = [
        Raw(number, offset, at, b"", b"") for number, times in enumerate(places) for offset, at in enumerate(times)
    ]
    ordered = newest_first(found)
    assert ordered == newest_first(data.draw(st.permutations(found)))
    assert sorted(ordered) == sorted(found)
    for number in range(len(places)):
        offsets = [one.offset for one in ordered if one.partition == number]
        assert offsets == sorted(offsets, reverse=True)


@given(st.lists(st.lists(st.integers(0, 9), max_size=6).map(sorted), max_size=4))
def test_by_time_where_each_place_is_in_order_of_time(places: list[list[int]]) -> None:
    found = [
        Raw(number, offset, at, b"", b"") for number, times in enumerate(places) for offset, at in enumerate(times)
    ]
    times = [one.at for one in newest_first(found)]
    assert times == sorted(times, reverse=True)
