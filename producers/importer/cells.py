"""First step of an import: one cell of a department's file becomes text, a date, an amount or a list of values.

The traps are those seen in real 双公示 files: `null` and 暂无 for nothing, codes of zeros, codes that a spreadsheet turned
into numbers, four ways to write a date, 万元 beside 元. A cell that cannot be read raises `RejectedError` with one reason.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from exchange.domain.codes import normalise_code
from exchange.errors import Reason, RejectedError
from exchange.tables import Cell

_NOTHING = frozenset(
    {
        "",
        "null",
        "none",
        "nil",
        "nan",
        "n/a",
        "na",
        "\\n",
        "暂无",
        "无",
        "空",
        "暂缺",
        "未知",
        "-",
        "--",
        "---",
        "—",
        "——",
        "/",
        "\\",
    }
)
_NO_END = frozenset({"长期", "长期有效", "永久", "永久有效", "无期限", "无固定期限", "2099-12-31", "9999-12-31"})
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")
_DATE = re.compile(r"(\d{4})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?(?:[T ]?\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?Z?)?")
_EXCEL_EPOCH = date(1899, 12, 30)
_EXACT_DIGITS = 10**15  # a spreadsheet number keeps 15 digits
_AMOUNT = re.compile(r"(?:人民币|[¥￥])?([+-]?\d[\d,]*(?:\.\d+)?)(亿元|百万元|万元|千元|元|)整?")
UNITS = {"元": 1, "千元": 1_000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
"""Yuan in each unit of money that files use."""


def reject(code: str, value: Cell, rule: str) -> NoReturn:
    """Refuse a cell, with one reason; the caller knows its column."""
    raise RejectedError((Reason(code=code, value=str(value)[:200], rule=rule),))


def read_text(cell: Cell) -> str:
    r"""The text of a cell, trimmed; words that mean nothing (`null`, 暂无, 无, `-`) become "".

    >>> read_text("  暂无 "), read_text(20.0), read_text("\t'A-1")
    ('', '20', 'A-1')
    """
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    text = str(cell).strip(" \t\r\n\v\f\u00a0\u3000\ufeff\u200b")
    text = text.removeprefix("'")  # a spreadsheet's mark for text
    return "" if text.lower() in _NOTHING else text


def read_code(cell: Cell) -> str:
    """An identifier: half-width capitals without blanks or dashes; fillers of zeros count as absent.

    Raises:
        RejectedError: `code_as_number` when a spreadsheet kept the code as a number and digits are lost.

    >>> read_code("００００００００００００００００００"), read_code("00000000000000000X"), read_code("pdy00001-9")
    ('', '', 'PDY000019')
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= _EXACT_DIGITS:
        reject(
            "code_as_number",
            cell,
            "a code of more than 15 digits must be a text cell; as a number its last digits are lost",
        )
    text = read_text(cell)
    if _SCIENTIFIC.fullmatch(text):
        reject("code_as_number", text, "the spreadsheet wrote the code as a rounded number; format the column as text")
    code = normalise_code(text)
    return "" if not code.strip("0") or not code.removesuffix("X").strip("0") else code


def read_date(cell: Cell) -> date | None:
    """A day: `2019-07-13`, `2019/7/13`, `2019.07.13`, `2019年07月13日`, `20190713`, with or without a time, or a serial.

    Serials count days since 1899-12-30, as spreadsheets do.

    Raises:
        RejectedError: `bad_date` when it is neither.

    >>> read_date("2019年7月13日"), read_date("20190713"), read_date(43659)
    (datetime.date(2019, 7, 13), datetime.date(2019, 7, 13), datetime.date(2019, 7, 13))
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = unicodedata.normalize("NFKC", read_text(cell)).replace(" ", " ").strip()
    if not text:
        return None
    found = _DATE.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[3]), int(found[4]))
        if re.fullmatch(r"(19|20)\d{6}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        reject("bad_date", text, "no such day")
    if re.fullmatch(r"[1-7]\d{4}(\.\d+)?", text):
        return _EXCEL_EPOCH + timedelta(days=int(float(text)))
    reject("bad_date", text, "a day is written 2019-07-13, 2019/07/13, 2019年07月13日 or 20190713")


def read_end(cell: Cell) -> date | None:
    """The day something ends; 长期, 永久 and the year 2099 stand for no end, like an empty cell."""
    text = read_text(cell)
    if text in _NO_END:
        return None
    day = read_date(cell)
    return None if day is not None and day.isoformat() in _NO_END else day


def read_yuan(cell: Cell, unit: str = "元") -> Decimal | None:
    """An amount in yuan, exact to the fen; a unit in the cell itself wins over the column's.

    Args:
        cell: a number or text such as `0.2`, `2,000元`, `0.2万元`.
        unit: the column's unit, a key of `UNITS`; 双公示 columns are in 万元.

    Raises:
        RejectedError: `bad_amount` (not a number), `negative_amount`, `amount_precision` (less than one fen).

    >>> read_yuan("0.2", "万元"), read_yuan("2,000元", "万元"), read_yuan("暂无")
    (Decimal('2000.00'), Decimal('2000.00'), None)
    """
    if isinstance(cell, float):
        cell = f"{cell:.15g}"  # what the spreadsheet itself shows; drops the noise of binary fractions
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", read_text(cell)))
    if not text:
        return None
    found = _AMOUNT.fullmatch(text)
    if not found:
        try:
            number = Decimal(text)
        except InvalidOperation:
            reject("bad_amount", text, "an amount is a number, with or without 元 or 万元")
        if not number.is_finite():
            reject("bad_amount", text, "an amount is a number, with or without 元 or 万元")
    else:
        number = Decimal(found[1].replace(",", ""))
        unit = found[2] or unit
    if number < 0:
        reject("negative_amount", text, "an amount is not negative")
    yuan = number * UNITS[unit]
    exact = (
        yuan.quantize(Decimal("0.01")) if yuan < 10**18 else reject("bad_amount", text, "an amount is below 10^18 yuan")
    )
    if exact != yuan:
        reject("amount_precision", text, "an amount is exact to the fen (0.01 yuan)")
    return exact


def split_values(cell: Cell) -> list[str]:
    """Several values of one cell, in order, each once; 其他-… is free text and stays whole.

    >>> split_values("警告;罚款；没收违法所得、没收非法财物;其他-责令改正、限期拆除")
    ['警告', '罚款', '没收违法所得', '没收非法财物', '其他-责令改正、限期拆除']
    """
    values: dict[str, None] = {}
    for part in re.split(r"[;；|\n]", read_text(cell)):
        pieces = [part] if part.strip().startswith(("其他", "其它")) else part.split("、")
        values.update(dict.fromkeys(text for text in map(read_text, pieces) if text))
    return list(values)
