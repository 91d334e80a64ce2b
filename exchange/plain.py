"""The plain form of a record: same bytes, but days, milliseconds, cents and enum positions instead of what people write.

| schema | people write | plain |
|---|---|---|
| date | `datetime.date` | days since 1970-01-01 |
| timestamp-millis | aware `datetime.datetime` | milliseconds since 1970-01-01 UTC |
| decimal | `decimal.Decimal` | two's-complement big-endian bytes of the unscaled number |
| enum | symbol | position |

Whatever a record holds is checked on the way: Avro libraries take 5.7 for 5, "no" for true and local time for UTC.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from exchange.domain.calendar import to_day
from exchange.errors import Reason, RejectedError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Convert = Callable[[Any, str], Any]
"""Turns a value into its plain form; told the field's path, for the reason it raises."""


def plain_type(avro: Any) -> Any:
    """An Avro type without logical types, documentation and enums (which become their position, an int)."""
    if isinstance(avro, list):
        return [plain_type(branch) for branch in avro]
    if not isinstance(avro, dict):
        return avro
    match avro["type"]:
        case "enum":
            return "int"
        case "array":
            return {"type": "array", "items": plain_type(avro["items"])}
        case "record":
            return {
                "type": "record",
                "name": avro["name"],
                "namespace": avro.get("namespace", "creditbus"),
                "fields": [_plain_field(field) for field in avro["fields"]],
            }
        case other:
            return plain_type(other)


def _plain_field(field: Mapping[str, Any]) -> dict[str, Any]:
    plain = {"name": field["name"], "type": plain_type(field["type"])}
    if "default" in field:
        plain["default"] = _plain_default(field["type"], field["default"])
    return plain


def _plain_default(avro: Any, default: Any) -> Any:
    match avro:
        case {"type": "enum", "symbols": symbols}:
            return symbols.index(default)
        case {"type": "record", "fields": fields}:
            return {
                field["name"]: _plain_default(field["type"], default.get(field["name"], field.get("default")))
                for field in fields
            }
        case _:
            return default


def compile_converter(avro: Any) -> Convert:
    """A function from what people write to the plain form of an Avro type; raises `RejectedError` with every reason."""
    match avro:
        case ["null", branch]:
            return _nullable(compile_converter(branch))
        case {"logicalType": "date"}:
            return _date
        case {"logicalType": "timestamp-millis"}:
            return _timestamp
        case {"logicalType": "decimal", "precision": int(precision), "scale": int(scale)}:
            return _decimal(precision, scale)
        case {"type": "enum", "symbols": symbols}:
            return _enum(tuple(symbols))
        case {"type": "array", "items": items}:
            return _array(compile_converter(items))
        case {"type": "record", "fields": fields}:
            return _record(fields)
        case str() if avro in _PRIMITIVES:
            return _PRIMITIVES[avro]
    raise TypeError(f"the bus has no such type: {avro!r}")


def _refuse(code: str, path: str, value: object, rule: str) -> RejectedError:
    return RejectedError((Reason(code=code, field=path, value=str(value)[:200], rule=rule),))


def _expect(kind: type, rule: str) -> Convert:
    def convert(value: Any, path: str) -> Any:
        if type(value) is not kind:
            raise _refuse("wrong_type", path, value, rule)
        return value

    return convert


def _nullable(inner: Convert) -> Convert:
    def convert(value: Any, path: str) -> Any:
        return None if value is None else inner(value, path)

    return convert


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _refuse("wrong_type", path, value, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _refuse(
            "not_unicode", path, value.encode("utf-8", "replace").decode(), "text that UTF-8 can hold"
        ) from None
    return value


def _integer(bits: int) -> Convert:
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    def convert(value: Any, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refuse("wrong_type", path, value, "a whole number")
        if not low <= value <= high:
            raise _refuse("number_out_of_range", path, value, f"{low} to {high}")
        return value

    return convert


_PRIMITIVES: dict[str, Convert] = {
    "string": _string,
    "int": _integer(32),
    "long": _integer(64),
    "boolean": _expect(bool, "true or false"),
    "bytes": _expect(bytes, "bytes"),
}


def _date(value: Any, path: str) -> int:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _refuse("wrong_type", path, value, "a day (datetime.date)")
    return to_day(value)


def _timestamp(value: Any, path: str) -> int:
    if not isinstance(value, datetime):
        raise _refuse("wrong_type", path, value, "a time (datetime.datetime)")
    if value.utcoffset() is None:
        raise _refuse("naive_datetime", path, value, "a time with its zone")
    return (value - EPOCH) // MILLISECOND


def _decimal(precision: int, scale: int) -> Convert:
    limit, unit = int(10**precision), int(10**scale)

    def convert(value: Any, path: str) -> bytes:
        if not isinstance(value, Decimal | int) or isinstance(value, bool):
            raise _refuse("wrong_type", path, value, "an amount (decimal.Decimal), not a float")
        amount = Decimal(value)
        if not amount.is_finite() or amount.adjusted() > precision:
            raise _refuse("amount_out_of_range", path, value, f"at most {precision} digits")
        numerator, denominator = amount.as_integer_ratio()
        unscaled, rest = divmod(numerator * unit, denominator)
        if rest:
            raise _refuse("amount_precision", path, value, f"at most {scale} decimal places")
        if not -limit < unscaled < limit:
            raise _refuse("amount_out_of_range", path, value, f"at most {precision} digits")
        return unscaled.to_bytes((unscaled + (unscaled < 0)).bit_length() // 8 + 1, "big", signed=True)

    return convert


def _enum(symbols: tuple[str, ...]) -> Convert:
    positions = {symbol: position for position, symbol in enumerate(symbols)}

    def convert(value: Any, path: str) -> int:
        position = positions.get(value) if isinstance(value, str) else None
        if position is None:
            raise _refuse("unknown_symbol", path, value, f"one of {', '.join(symbols)}")
        return position

    return convert


def _array(item: Convert) -> Convert:
    def convert(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise _refuse("wrong_type", path, value, "a list")
        return [item(one, f"{path}[{position}]") for position, one in enumerate(value)]

    return convert


def _record(fields: list[dict[str, Any]]) -> Convert:
    converters = [(field["name"], compile_converter(field["type"]), _plain_field(field)) for field in fields]
    names = frozenset(field["name"] for field in fields)

    def convert(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _refuse("wrong_type", path, value, "a record")
        dot = f"{path}." if path else ""
        plain: dict[str, Any] = {}
        reasons: list[Reason] = []
        for name, inner, field in converters:
            if name in value:
                try:
                    plain[name] = inner(value[name], dot + name)
                except RejectedError as error:
                    reasons += error.reasons
            elif "default" in field:
                plain[name] = copy(field["default"])
            else:
                reasons.append(Reason(code="missing_field", field=dot + name, rule="a record has this field"))
        if not names.issuperset(value):
            reasons += _unknown(value, names, dot)
        if reasons:
            raise RejectedError(tuple(reasons))
        return plain

    return convert


def _unknown(value: Mapping[Any, Any], names: frozenset[str], dot: str) -> Iterator[Reason]:
    for name in value:
        if name not in names:
            yield Reason(code="unknown_field", field=f"{dot}{name}", rule="the record type has no such field")
