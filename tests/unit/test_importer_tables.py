"""Files as departments send them: encodings, separators, lines, sheets; and those that cannot be read."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from exchange.errors import RequestError
from exchange.tables import Row, open_table

HEADER = "名称,文书号\r\n"


def rows_of(path: Path) -> list[Row]:
    return list(open_table(path).rows())


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16")],
)
def test_encodings_are_found(tmp_path: Path, encoding: str, found: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEADER + "合成第00001号有限公司,〔2026〕1号\r\n").encode(encoding))
    table = open_table(path)
    assert table.encoding == found
    assert list(table.rows()) == [Row(1, ("名称", "文书号")), Row(2, ("合成第00001号有限公司", "〔2026〕1号"))]


def test_characters_that_only_gb18030_has(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("名称\n㐂𠮷公司\n".encode("gb18030"))
    assert rows_of(path)[1].cells == ("㐂𠮷公司",)


def test_a_character_cut_by_the_reading_block_does_not_change_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x" * ((1 << 20) - 1) + "合成\n", encoding="utf-8")
    assert open_table(path).encoding == "utf-8"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators_are_found(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"行政处罚信息\na{mark}b{mark}c\n1{mark}2{mark}3\n")
    assert rows_of(path)[2].cells == ("1", "2", "3")


def test_lines_are_those_people_see(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n,,\n3,4\n')
    assert [row.line for row in rows_of(path)] == [1, 2, 6]


def test_a_line_with_broken_quotes_is_reported_and_the_next_ones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n"x"y,2\n3,4\n')
    _header, broken, good = rows_of(path)
    assert broken.line == 2
    assert broken.broken is not None
    assert broken.broken.code == "bad_csv"
    assert good == Row(3, ("3", "4"))


def test_a_spreadsheet_keeps_rows_numbers_and_days(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.create_sheet("空", 0)
    hidden = workbook.create_sheet("旧", 1)
    hidden.append(["old"])
    hidden.sheet_state = "hidden"
    sheet = workbook["Sheet"]
    sheet["A3"], sheet["B3"] = "名称", "日期"
    sheet["A5"], sheet["B5"] = "甲", date(2026, 1, 5)
    path = tmp_path / "a.xlsx"
    workbook.save(path)
    assert rows_of(path) == [Row(3, ("名称", "日期")), Row(5, ("甲", date(2026, 1, 5)))]
    assert [row.cells for row in open_table(path, sheet="旧").rows()] == [("old",)]
    with pytest.raises(RequestError, match="no sheet '新'"):
        open_table(path, sheet="新")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty_file"),
        ("a.csv", b"\xff\xff\xff", "unknown_encoding"),
        ("a.xlsx", b"no spreadsheet", "bad_spreadsheet"),
        ("missing.csv", None, "no_such_file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError) as failure:
        open_table(tmp_path / name)
    assert failure.value.code == code


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text("a,b\n1,2\n")
    other.write_text("a,b\n1,2\n")
    assert open_table(one).digest == open_table(other).digest
    other.write_text("a,b\n1,3\n")
    assert open_table(one).digest != open_table(other).digest
