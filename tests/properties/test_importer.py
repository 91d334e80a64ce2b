"""What must hold of every cell: what is written is read back, and no text makes a reader fail in any way but a reason."""

import unicodedata
from contextlib import suppress
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import RejectedError
from exchange.tables import Cell
from producers.importer.amounts import FINE, compare_amounts, read_numeral, stated_yuan
from producers.importer.cells import read_code, read_date, read_end, read_text, read_yuan, split_values
from producers.importer.revisions import read_timestamp

DAYS = st.dates(min_value=date(1949, 10, 1), max_value=date(2098, 12, 31))
FEN = st.integers(min_value=0, max_value=10**15)
WAYS = (
    "{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y.%m.%d}", "{0:%Y年%m月%d日}", "{0:%Y%m%d}", "{0.year}-{0.month}-{0.day}",
    "{0.year}年{0.month}月{0.day}日", "{0:%Y-%m-%d} 08:30:00",
)  # fmt: skip


@given(DAYS, st.sampled_from(WAYS), st.booleans())
def test_days_round_trip(day: date, way: str, wide: bool) -> None:
    text = way.format(day)
    if wide:
        text = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)
    assert read_date(text) == day


@given(DAYS)
def test_serials_round_trip(day: date) -> None:
    assert read_date((day - date(1899, 12, 30)).days) == day


@given(FEN)
def test_amounts_in_myriads_round_trip(fen: int) -> None:
    yuan = Decimal(fen) / 100
    assert read_yuan(f"{yuan / 10_000:f}", "万元") == yuan
    assert read_yuan(f"{yuan:,f}元", "万元") == yuan


@given(st.integers(min_value=0, max_value=10**9))
def test_amounts_of_spreadsheet_numbers_are_exact_to_the_fen(fen: int) -> None:
    assert read_yuan(fen / 100, "元") == Decimal(fen) / 100
    assert read_yuan(fen / 1_000_000, "万元") == Decimal(fen) / 100


@given(st.integers(min_value=1, max_value=10**12))
def test_an_amount_agrees_with_its_own_text_and_never_with_ten_thousand_times_it(yuan: int) -> None:
    stated = stated_yuan(f"警告，并处罚款{yuan}元", FINE)
    assert compare_amounts(Decimal(yuan), stated) == ""
    assert compare_amounts(Decimal(yuan) * 10_000, stated) == "amount_unit_mismatch"


def write_numeral(number: int) -> str:
    """The banker's numeral of a number below 10^12."""
    digits, places = "零壹贰叁肆伍陆柒捌玖", ("", "拾", "佰", "仟")
    text = ""
    for group, name in ((number // 10**8, "亿"), (number // 10**4 % 10**4, "万"), (number % 10**4, "")):
        part = "".join(
            digits[int(c)] + places[3 - i] if c != "0" else "零" for i, c in enumerate(f"{group:04d}")
        ).rstrip("零")
        text += part + name if part else "零"
    return text.strip("零") or "零"


@given(st.integers(min_value=1, max_value=10**12 - 1))
def test_numerals_round_trip(number: int) -> None:
    assert read_numeral(write_numeral(number)) == number


@given(
    st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.booleans(), st.none(), st.dates(), st.datetimes())
)
def test_no_cell_makes_a_reader_fail_but_with_a_reason(cell: Cell) -> None:
    read_text(cell)
    split_values(cell)
    for read in (read_code, read_date, read_end, read_yuan, read_timestamp):
        with suppress(RejectedError):
            read(cell)


@given(st.text(max_size=60))
def test_a_text_that_is_read_needs_no_more_trimming(text: str) -> None:
    once = read_text(text)
    assert once == read_text(once) or once.startswith("'") or unicodedata.normalize("NFKC", once) != once
