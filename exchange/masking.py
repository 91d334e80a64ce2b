"""Masks citizen IDs in texts that people are shown, or that leave their department."""

import re
from typing import Any

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


def mask_all(value: Any) -> Any:
    """A record, or any value in one, with the citizen IDs in all its texts replaced."""
    match value:
        case str():
            return mask_ids(value)
        case dict():
            return {name: mask_all(one) for name, one in value.items()}
        case list():
            return [mask_all(one) for one in value]
    return value
