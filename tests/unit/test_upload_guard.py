"""Files that are brought to the portal: what is too large, no table, a bomb or damaged is refused before it is opened."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from consumers.portal.workspace.upload_guard import check_upload
from exchange.errors import RequestError

MB = 1_000_000


def check(path: Path, name: str = "list.xlsx", *, most: int = MB, unpacked: int = 5 * MB) -> None:
    check_upload(path, name, most_bytes=most, most_unpacked=unpacked)


def workbook(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        for name, text in members.items():
            archive.writestr(f"xl/worksheets/{name}.xml", text)
    return path


def test_real_files_pass(tmp_path: Path) -> None:
    book = Workbook()
    for row in range(100):
        book.active.append([row, "合成"])
    book.save(tmp_path / "real.xlsx")
    check(tmp_path / "real.xlsx")
    (tmp_path / "list.csv").write_text("名称,代码\n", encoding="gb18030")
    check(tmp_path / "list.csv", "名单.CSV")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx", sheet1=b"\0" * 6 * MB)
    assert path.stat().st_size < MB / 50
    with pytest.raises(RequestError, match="解压后超过") as refused:
        check(path)
    assert refused.value.code == "file_too_large"


def test_a_directory_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "lie.xlsx", sheet1=b"\0" * 6 * MB)
    raw = path.read_bytes()
    path.write_bytes(raw.replace((6 * MB).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(RequestError) as refused:
        check(path)
    assert refused.value.code == "bad_spreadsheet"


@pytest.mark.parametrize(
    "sheet",
    [
        b'<c r="A1"/><c s="1" t="s" r="XFD1048576"><v>1</v></c>',
        b"<row r='1048576'><c r='A1'/></row><row r='2'><c r='ZZ2'/></row>",
        b"<x:c " + b" " * 200 + b'r="XFD1048576"/>',
    ],
)
def test_cells_far_apart_are_refused(tmp_path: Path, sheet: bytes) -> None:
    """A reader makes room for the whole rectangle."""
    with pytest.raises(RequestError, match="跨度过大"):
        check(workbook(tmp_path / "sparse.xlsx", sheet1=sheet))


@pytest.mark.parametrize(
    ("raw", "name", "code"),
    [
        (b"", "a.csv", "empty_file"),
        (b"x" * (MB + 1), "a.csv", "file_too_large"),
        (b"\xd0\xcf\x11\xe0", "a.xls", "wrong_file_type"),
        (b"MZ", "a.exe", "wrong_file_type"),
        (b"PK\x03\x04 and no more", "a.xlsx", "bad_spreadsheet"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, raw: bytes, name: str, code: str) -> None:
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(RequestError) as refused:
        check(tmp_path / "file", name)
    assert refused.value.code == code


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    with pytest.raises(RequestError, match="XLSX"):
        check(tmp_path / "a.zip", "a.csv")
