"""Tables of the command line: an id is whole wherever they are printed."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from deploy.cli.tables import open_console, print_table, show_table

NOTICE = "3f0c9b1e7a2d4856b0c1d2e3f4a59687"
SUBJECT = "org:91440300PDY00001X3"
ROWS = [
    {
        "about 主体": f"{SUBJECT}\n{NOTICE}", "basis 依据": "重大税收违法失信主体信息公布管理办法" * 4, "note": "a [b] of data" * 9,
    }
]  # fmt: skip


def printed(width: int) -> list[str]:
    file = io.StringIO()
    print_table(Console(file=file, width=width, force_terminal=True, color_system=None), "notices", ROWS)
    return file.getvalue().splitlines()


def test_into_a_pipe_every_value_is_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(open_console(), "notices", ROWS)
    lines = capsys.readouterr().out.splitlines()
    for text in (SUBJECT, NOTICE, ROWS[0]["basis 依据"], ROWS[0]["note"]):
        assert any(text in line for line in lines), text


def test_on_a_terminal_words_are_folded_and_ids_are_not() -> None:
    lines = printed(80)
    assert max(map(len, lines)) <= 80
    assert any(NOTICE in line for line in lines)
    assert any("about 主体" in line and "note" in line for line in lines), "a header is above its column"


def test_an_id_within_a_chinese_number_is_whole_too() -> None:
    rows = [{"document 编号": f"反馈-{NOTICE} 粤应急失信〔2026〕12号", "更多": "重大税收违法失信主体" * 5}]
    file = io.StringIO()
    print_table(Console(file=file, width=80, force_terminal=True, color_system=None), "feedback", rows)
    assert f"反馈-{NOTICE}" in file.getvalue()
    assert "粤应急失信〔2026〕12号" in file.getvalue()


def test_where_the_words_do_not_fit_each_row_becomes_lines() -> None:
    lines = printed(60)
    assert max(map(len, lines)) <= 60
    assert any(line.startswith(" about 主体") and SUBJECT in line for line in lines)
    assert any(NOTICE in line for line in lines)


def test_many_columns_keep_their_headers_and_numbers() -> None:
    names = [f"column{number}\n第{number}列" for number in range(10)]
    for width, framed in ((80, False), (110, False), (140, True)):
        file = io.StringIO()
        table = Table(*names)
        table.add_row("gd.statetax", *("1,234,567" for _ in names[1:]))
        show_table(Console(file=file, width=width, force_terminal=True, color_system=None), table)
        text = file.getvalue()
        assert "…" not in text
        assert ("│" in text) is framed
        assert max(map(len, text.splitlines())) <= width
        assert text.count("1,234,567") == len(names) - 1
        assert all(f"column{number}" in text for number in range(10))
