from datetime import date
from pathlib import Path

from exchange.domain.calendar import to_day
from exchange.rows import Problem, Row, read_rows


def rows_of(tmp_path: Path, text: str) -> tuple[list[Row], list[Problem]]:
    path = tmp_path / "some.toml"
    path.write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    return read_rows(path, ("one",), problems)["one"], problems


def test_lines_of_rows_and_of_rows_within_them(tmp_path: Path) -> None:
    rows, problems = rows_of(tmp_path, "# a file\n[[one]]\n[[one.two]]\n[[one.two]]\n\n[[one]]\n[[one.two]]\nx = 1\n")
    assert [row.line for row in rows] == [2, 6]
    assert [child.line for row in rows for child in row.rows("two")] == [3, 4, 7]
    assert not problems


def test_inline_rows_take_the_line_of_the_row_around_them(tmp_path: Path) -> None:
    rows, _ = rows_of(tmp_path, "\n[[one]]\ntwo = [{ x = 1 }, { x = 2 }]\n")
    assert [child.line for child in rows[0].rows("two")] == [2, 2]


def test_readers_note_what_is_wrong_and_go_on(tmp_path: Path) -> None:
    text = """
[[one]]
text = 5
empty = "  "
texts = ["a", "a"]
list = "a"
number = 1.5
truth = true
flag = 1
day = 2016-06-24T10:00:00
date = 2016-06-24
surplus = "x"
"""
    (row,), problems = rows_of(tmp_path, text)
    assert (row.text("text"), row.text("empty"), row.texts("texts"), row.texts("list")) == ("", "", ("a",), ())
    assert (row.number("number"), row.number("truth"), row.flag("flag"), row.day("day")) == (0, 0, False, 0)
    assert row.day("date") == to_day(date(2016, 6, 24))
    assert row.text("absent") == ""
    assert row.text("absent", default="x") == "x"
    row.close()
    found = [(problem.code, problem.field) for problem in problems]
    assert found == [
        ("bad_value", "text"), ("bad_value", "empty"), ("duplicate", "texts"), ("bad_value", "list"),
        ("bad_value", "number"), ("bad_value", "truth"), ("bad_value", "flag"), ("bad_value", "day"),
        ("missing", "absent"), ("unknown_field", "surplus"),
    ]  # fmt: skip


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_bytes(b"\xff\xfe[[one]]")
    problems: list[Problem] = []
    assert read_rows(path, ("one",), problems) == {"one": []}
    assert [problem.code for problem in problems] == ["not_toml"]
