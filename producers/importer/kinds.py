"""How each kind of column is read: `READERS` maps a layout's `kind` to the function that reads its cells."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from exchange.domain.codes import is_division
from exchange.masking import mask_ids
from exchange.tables import Cell
from producers.importer.cells import read_code, read_date, read_end, read_text, reject, split_values

_BOOLEANS = {"是": True, "1": True, "true": True, "y": True, "yes": True, "有": True,
             "否": False, "0": False, "false": False, "n": False, "no": False}  # fmt: skip


def read_choice(cell: Cell, values: Mapping[str, str]) -> str:
    """What a cell stands for, by the half-width text; of several (`;` or `,` between), the first in the order of what they stand for.

    >>> read_choice("违反限制消费令的;违反财产报告制度", {"违反财产报告制度": "4", "违反限制消费令": "5"})
    '4'
    """
    parts = re.split(r"[;,|\n]", unicodedata.normalize("NFKC", read_text(cell)))
    texts = [text.strip().removesuffix("的") for text in parts if text.strip()]
    unknown = [text for text in texts if text not in values]
    if unknown:
        reject("unknown_value", unknown[0], f"one of {', '.join(values)}"[:200])
    return min((values[text] for text in texts), default="")


def read_integer(cell: Cell) -> int | None:
    """A whole number from 0."""
    text = read_text(cell)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):  # an Avro int
        reject("bad_number", text, "a whole number of up to 9 digits")
    return int(text)


def read_boolean(cell: Cell) -> bool | None:
    """是 or 否, and what stands for them."""
    text = read_text(cell).lower()
    if text and text not in _BOOLEANS:
        reject("unknown_value", text, "是 or 否")
    return _BOOLEANS.get(text)


def read_division(cell: Cell) -> str:
    """Six digits of GB/T 2260; longer codes (of streets and villages, 9 or 12 digits) are cut to the county."""
    text = read_code(cell)[:6]
    if text and not is_division(text):
        reject("bad_division", text, "6 digits of GB/T 2260")
    return text


def read_words(cell: Cell) -> str:
    """Free text, with citizen IDs masked."""
    return mask_ids(read_text(cell))


def read_several(cell: Cell) -> list[str]:
    """Several texts of one cell, with citizen IDs masked."""
    return [mask_ids(value) for value in split_values(cell)]


def read_number(cell: Cell) -> str:
    """The number of a document (文书号), without the blanks that typists leave in it; records are found by it."""
    return "".join(read_text(cell).split())


READERS: dict[str, Callable[[Cell], Any]] = {
    "text": read_words,
    "code": read_code,
    "number": read_number,
    "date": read_date,
    "end": read_end,
    "many": read_several,
    "integer": read_integer,
    "boolean": read_boolean,
    "division": read_division,
}
"""Readers of cells that need nothing else of their column; a value, or None, "" or [] when there is none."""
