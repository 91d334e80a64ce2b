"""A form made from a record's schema: its fields as inputs with their labels, and what was typed back into the record's JSON form."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from exchange.errors import Reason
from exchange.json_form import from_json, to_json
from exchange.labels import Label, Labels
from exchange.reasons import REASONS, rule_in_chinese
from exchange.registry import Schema

GIVEN_BY_BUS = ("department", "published_at", "classification")
"""Fields that nobody types."""
_LONG = ("detail", "circumstances", "content", "facts", "violation", "findings", "summary", "matter", "remark", "basis")


class Kind(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    AMOUNT = "amount"
    DATE = "date"
    CHOICE = "choice"
    LINES = "lines"


class FormField(NamedTuple):
    """One field of a form; `options` are pairs of value and label, `hint` says how lines are written, `errors` what is wrong."""

    name: str
    label: Label
    kind: Kind
    value: str
    required: bool
    options: tuple[tuple[str, Label], ...] = ()
    hint: Label = Label("", "")
    errors: tuple[Label, ...] = ()


def form_of(
    labels: Labels, schema: Schema, record_type: str, typed: Mapping[str, str], reasons: Sequence[Reason] = (),
    *, only: Sequence[str] = (),
) -> list[FormField]:  # fmt: skip
    """The fields of a record as inputs.

    Args:
        labels: of the contracts.
        schema: of the record type.
        record_type: its slug.
        typed: what is in the inputs, by field.
        reasons: what is wrong; each stands beside its field.
        only: these fields alone, in this order; else all but those that the bus fills in.
    """
    fields = {field["name"]: field for field in schema["fields"] if field["name"] not in GIVEN_BY_BUS}
    names = labels.fields(record_type)
    return [
        FormField(
            name, names[name], _kind(name, fields[name]["type"]), typed.get(name, ""), "default" not in fields[name],
            _options(labels, record_type, name, fields[name]["type"]), _hint(fields[name]["type"]), errors_at(reasons, name),
        )
        for name in only or fields
    ]  # fmt: skip


def errors_at(reasons: Iterable[Reason], name: str) -> tuple[Label, ...]:
    """What is wrong with a field, or with an item of it."""
    return tuple(in_words(one) for one in reasons if one.field.split("[")[0].split(".")[0] == name)


def in_words(reason: Reason) -> Label:
    """A reason in both languages, with the value and the rule where they are known.

    >>> in_words(Reason(code="bad_date", field="decided_on", value="x", rule="a day such as 2026-01-31")).zh
    '日期格式错误：日期写作 2026-01-31（“x”）'
    """
    meaning = REASONS.get(reason.code)
    value = reason.value[:60]
    rule = rule_in_chinese(reason)
    zh = f"{meaning.zh if meaning else reason.code}{f'：{rule}' if rule else ''}{f'（“{value}”）' if value else ''}"
    en = reason.rule or (meaning.en if meaning else reason.code)
    return Label(zh, f"{en} ({value!r})" if value else en)


def texts_of(schema: Schema, record: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the inputs for a record as people write it."""
    return {field["name"]: _text(to_json(record.get(field["name"]))) for field in schema["fields"]}


def read_form(schema: Schema, typed: Mapping[str, str]) -> dict[str, Any]:
    """The record that was typed, as people write it; what is left empty takes its default.

    Raises:
        RejectedError: a day or an amount that is none; every reason is in it.
    """
    given = {}
    for field in schema["fields"]:
        text = typed.get(field["name"], "").strip()
        if text or ("default" not in field and field["name"] not in GIVEN_BY_BUS):
            given[field["name"]] = _value(field["type"], text)
    fields: dict[str, Any] = from_json(schema, given)
    return fields


def _inner(avro: Any) -> Any:
    return avro[1] if isinstance(avro, list) else avro


def _kind(name: str, avro: Any) -> Kind:
    match _inner(avro):
        case {"logicalType": "date"}:
            return Kind.DATE
        case {"logicalType": "decimal"}:
            return Kind.AMOUNT
        case {"type": "enum"} | "boolean":
            return Kind.CHOICE
        case {"type": "array"}:
            return Kind.LINES
        case "int" | "long":
            return Kind.NUMBER
    return Kind.LONG if name in _LONG else Kind.TEXT


def _options(labels: Labels, record_type: str, name: str, avro: Any) -> tuple[tuple[str, Label], ...]:
    match _inner(avro):
        case {"type": "enum", "symbols": symbols}:
            return tuple((one, labels.symbol(record_type, name, one)) for one in symbols)
        case "boolean":
            return (("false", Label("否", "no")), ("true", Label("是", "yes")))
    return ()


def _hint(avro: Any) -> Label:
    match _inner(avro):
        case {"type": "array", "items": {"type": "record", "fields": fields}}:
            parts = " ".join(field["name"] for field in fields)
            return Label(f"每行一项：{parts}，以空格分隔", f"one a line: {parts}, with a blank between")
        case {"type": "array"}:
            return Label("每行一项", "one a line")
    return Label("", "")


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return "\n".join(
                " ".join(map(str, one.values())) if isinstance(one, Mapping) else str(one) for one in value
            )
    return str(value)


def _value(avro: Any, text: str) -> Any:
    """What was typed, as JSON has it; what does not fit stays text, for the codec to refuse."""
    match _inner(avro):
        case "int" | "long":
            return int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else text
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case {"type": "array", "items": items}:
            return [_item(items, line) for line in map(str.strip, text.splitlines()) if line]
    return text


def _item(items: Any, line: str) -> Any:
    if isinstance(items, dict) and items["type"] == "record":
        names = [field["name"] for field in items["fields"]]
        return dict(zip(names, line.split(None, len(names) - 1), strict=False))
    return _value(items, line)
