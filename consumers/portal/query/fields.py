"""A record's fields as people read them: each with its label, its value in both languages, blanks left out."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from exchange.labels import Label, Labels
from exchange.records.header import Record

HEADER = frozenset(field.name for field in dataclasses.fields(Record))
ELSEWHERE = HEADER | {"aliases", "target_department", "target_type", "target_document"}
"""Fields that a page shows in its own way, or not at all."""


class Field(NamedTuple):
    """One field of a record."""

    name: str
    label: Label
    value: Label


def fields_of(labels: Labels, record_type: str, record: Mapping[str, Any]) -> Iterable[Field]:
    """The fields that say something, in the order of the schema.

    Args:
        labels: of the contracts.
        record_type: slug.
        record: as people write it, with what the reader may not see already taken out.
    """
    for name, label in labels.fields(record_type).items():
        value = record.get(name)
        if name in ELSEWHERE or value in (None, "", []):
            continue
        yield Field(name, label, _write(labels, record_type, name, value))


def _write(labels: Labels, record_type: str, name: str, value: Any) -> Label:
    match value:
        case bool():
            return Label("是", "yes") if value else Label("否", "no")
        case Decimal():
            return Label(f"{value:,.2f} 元", f"CNY {value:,.2f}")
        case datetime():
            return _same(f"{value:%Y-%m-%d %H:%M}")
        case date():
            return _same(value.isoformat())
        case str() if value.isupper():
            return labels.symbol(record_type, name, value)
        case list():
            parts = [" ".join(map(str, one.values())) if isinstance(one, Mapping) else str(one) for one in value]
            return _same("；".join(parts))
    return _same(str(value))


def _same(text: str) -> Label:
    return Label(text, text)
