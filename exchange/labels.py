"""Labels: what fields and their values are called, in Chinese and English, read from the documentation of the schemas.

A field's documentation says `中文名 (标准代码): English`, an enum's `中文名: SYMBOL 中文, SYMBOL 中文`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from exchange.registry import Contracts

_DOC = re.compile(r"^(?P<zh>[^:(]+?)\s*(?:\([^)]*\))?:\s*(?P<en>.*)$", re.DOTALL)
_SYMBOL = re.compile(r"([A-Z][A-Z_]+) ([^,;()]+)")


class Label(NamedTuple):
    """A name in both languages."""

    zh: str
    en: str


def read_label(documentation: str, name: str) -> Label:
    """The label in a field's documentation.

    >>> read_label("处罚决定日期 (CF_JDRQ): day of the decision", "decided_on")
    Label(zh='处罚决定日期', en='Decided on')
    """
    found = _DOC.match(documentation)
    words = name.replace("_", " ")
    return Label(found["zh"] if found else name, words[:1].upper() + words[1:].lower())


def read_symbols(documentation: str) -> dict[str, str]:
    """The Chinese names of an enum's symbols.

    >>> read_symbols("登记状态: ACTIVE 存续, REVOKED 吊销")
    {'ACTIVE': '存续', 'REVOKED': '吊销'}
    """
    return {symbol: chinese.strip() for symbol, chinese in _SYMBOL.findall(documentation.partition(":")[2])}


class Labels:
    """Labels of all record types.

    Args:
        contracts: whose newest versions are read.
    """

    def __init__(self, contracts: Contracts) -> None:
        self._schemas = {slug: one.schema for slug, one in contracts.latest.items()}
        self.record = cache(self._record)
        self.fields = cache(self._fields)

    def symbol(self, record_type: str, field: str, symbol: str) -> Label:
        """The label of an enum's value."""
        enum = self._enums(record_type).get(field, {})
        english = symbol.replace("_", " ").capitalize()
        return Label(enum.get(symbol, symbol), english)

    def _record(self, record_type: str) -> Label:
        documentation = self._schemas[record_type].get("doc", "")
        label = read_label(documentation, record_type)
        return Label(label.zh.split(" (")[0], label.en)

    def _fields(self, record_type: str) -> Mapping[str, Label]:
        fields = self._schemas[record_type]["fields"]
        return {one["name"]: read_label(one.get("doc", ""), one["name"]) for one in fields}

    @cache  # noqa: B019 # one Labels lives as long as its process
    def _enums(self, record_type: str) -> Mapping[str, Mapping[str, str]]:
        found = {}
        for one in self._schemas[record_type]["fields"]:
            enum: Any = one["type"]
            if isinstance(enum, dict) and enum["type"] == "enum":
                found[one["name"]] = read_symbols(enum.get("doc", ""))
        return found
