"""Amounts that the text of a penalty states, to check the amount columns with (`0.2` 万元 beside 罚款2000元 agrees)."""

import re
import unicodedata
from decimal import Decimal

from producers.importer.cells import UNITS

_DIGITS = {
    char: value
    for value, chars in enumerate(("零〇", "壹一", "贰二两", "叁三", "肆四", "伍五", "陆六", "柒七", "捌八", "玖九"))
    for char in chars
}
_TENS = {"拾": 10, "十": 10, "佰": 100, "百": 100, "仟": 1000, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_NUMERAL = "".join([*_DIGITS, *_TENS, *_MYRIADS])
_AMOUNT = rf"(?:(\d[\d,]*(?:\.\d+)?)\s*(亿元|百万元|万元|千元|元)|([{_NUMERAL}]+)(?:元|圆))"
_GAP = rf"[^\d{_NUMERAL}。；;]{{0,14}}?"
FINE = re.compile(rf"(?<!加处)罚款{_GAP}{_AMOUNT}|{_AMOUNT}整?的?罚款")
"""Where a text states a fine: 罚款2000元, 罚款人民币贰仟元整, 处以2000元罚款."""
CONFISCATED = re.compile(rf"没收(?:违法所得|非法财物|非法所得){_GAP}{_AMOUNT}")
"""Where a text states an amount confiscated (没收)."""


def read_numeral(text: str) -> int:
    """The number a Chinese numeral stands for, everyday or banker's form.

    >>> read_numeral("贰仟"), read_numeral("十二万三千"), read_numeral("壹佰零伍")
    (2000, 123000, 105)
    """
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _TENS:
            section += (digit or 1) * _TENS[char]
            digit = 0
        elif char in "万萬":
            total += (section + digit) * _MYRIADS[char]
            section = digit = 0
        else:  # 亿 counts everything before it
            total = (total + section + digit) * _MYRIADS[char]
            section = digit = 0
    return total + section + digit


def stated_yuan(text: str, pattern: re.Pattern[str]) -> list[Decimal]:
    """The amounts in yuan that a text states, in order.

    >>> stated_yuan("警告，并处罚款2000元", FINE), stated_yuan("没收违法所得人民币贰仟元整", CONFISCATED)
    ([Decimal('2000')], [Decimal('2000')])
    """
    amounts = []
    for found in pattern.finditer(unicodedata.normalize("NFKC", text)):
        parts = [group for group in found.groups() if group]  # digits and unit, or a numeral
        amounts.append(
            Decimal(parts[0].replace(",", "")) * UNITS[parts[1]] if len(parts) == 2 else Decimal(read_numeral(parts[0]))
        )
    return amounts


def compare_amounts(amount: Decimal | None, stated: list[Decimal]) -> str:
    """How an amount column agrees with the text beside it.

    Returns:
        "" when they agree or the text states nothing, `amount_unit_mismatch` when they differ by 10,000 (元 written in a
        column of 万元, or the reverse), `amount_missing` or `amount_differs_from_text` when it is only doubtful.
    """
    if not stated:
        return ""
    if amount is None:
        return "amount_missing"
    candidates = {*stated, sum(stated, Decimal(0))}
    if amount in candidates:
        return ""
    if amount and any(amount == c * 10_000 or amount * 10_000 == c for c in candidates):
        return "amount_unit_mismatch"
    return "amount_differs_from_text"
