"""Keeps citizen IDs inside the department: in free text and in reports they are masked before anything leaves."""

import re

from exchange.domain.codes import has_citizen_id

_DIGITS = re.compile(r"[0-9]{17}[0-9Xx]")
MASK = "[公民身份号码]"
"""What stands where a citizen ID stood."""


def mask_ids(text: str) -> str:
    """The text with every citizen ID (GB 11643, right check digit) replaced.

    >>> mask_ids("当事人（440000190001010019）承认；统一社会信用代码91440300PDY00001X3")
    '当事人（[公民身份号码]）承认；统一社会信用代码91440300PDY00001X3'
    """
    return _DIGITS.sub(lambda found: MASK if has_citizen_id(found[0].upper()) else found[0], text)


def mask_value(value: str) -> str:
    """A personal identifier as reports may show it: the first six characters, the rest hidden.

    >>> mask_value("440000190001010018")
    '440000************'
    """
    return value[:6] + "*" * max(0, len(value) - 6) if len(value) > 6 else "*" * len(value)  # domain.md 8
