"""Cursors of the HTTP inbox: they come back as they went, and nothing that was changed passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.inbox_http.cursor import CursorForm
from consumers.inbox_http.notices import collapse
from exchange.errors import RequestError
from tests.pulling import firm

FORM = CursorForm("cluster/credit", 3)
OFFSETS = st.tuples(*[st.integers(0, 2**62)] * 3)


def code_of(form: CursorForm, department: str, text: str) -> str:
    with pytest.raises(RequestError) as refused:
        form.read(department, text)
    return refused.value.code


@given(OFFSETS)
def test_a_cursor_comes_back_as_it_went(offsets: tuple[int, ...]) -> None:
    text = FORM.write("gd.fin", offsets)
    assert FORM.read("gd.fin", text) == offsets
    assert text.replace("-", "").replace("_", "").isalnum(), "it needs no quoting in a URL or a header"


@given(OFFSETS, st.data())
def test_a_changed_cursor_is_refused(offsets: tuple[int, ...], data: st.DataObject) -> None:
    text = FORM.write("gd.fin", offsets)
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda one: one != text[place]))
    assert code_of(FORM, "gd.fin", text[:place] + char + text[place + 1 :]) == "bad_cursor"
    assert code_of(FORM, "gd.fin", text[:place]) == "bad_cursor"
    assert code_of(FORM, "gd.fin", text + char) == "bad_cursor"


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    assert code_of(FORM, "gd.fin", text) == "bad_cursor"


@given(OFFSETS)
def test_a_cursor_belongs_to_one_department_of_one_bus(offsets: tuple[int, ...]) -> None:
    text = FORM.write("gd.fin", offsets)
    assert code_of(FORM, "gd.tax", text) == "foreign_cursor"
    assert code_of(CursorForm("another/credit", 3), "gd.fin", text) == "foreign_cursor"
    assert code_of(CursorForm("cluster/credit", 4), "gd.fin", text) == "foreign_cursor"


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1), st.integers(1, 5)), max_size=20))
def test_collapsed_is_the_newest_of_each_subject(sequence: list[tuple[int, int, int]]) -> None:
    notices = [
        {"id": f"{number}/{epoch}/{n}", "subject": firm(number), "epoch": epoch, "n": n}
        for number, epoch, n in sequence
    ]
    found = {one["subject"]: (one, older) for one, older in collapse(notices)}
    assert set(found) == {one["subject"] for one in notices}
    for subject, (newest, older) in found.items():
        of_subject = [one for one in notices if one["subject"] == subject]
        assert (newest["epoch"], newest["n"]) == max((one["epoch"], one["n"]) for one in of_subject)
        assert set(older) == {one["id"] for one in of_subject} - {newest["id"]}
