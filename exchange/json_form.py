"""The JSON form of a record: what examples, the HTTP gateway and `--json` output show.

Days and times are ISO 8601 (times with their zone), amounts are text so that no cent is lost, bytes are base64, enums their
symbols. Reading needs the schema; writing goes by the values themselves.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from exchange.errors import Reason, RejectedError

Parse = Callable[[Any], Any]


def to_json(value: Any) -> Any:
    """The JSON form of a record, or of any value in one.

    >>> to_json({"decided_on": date(2026, 1, 2), "fine_yuan": Decimal("2000.00")})
    {'decided_on': '2026-01-02', 'fine_yuan': '2000.00'}
    """
    match value:
        case Mapping():
            return {name: to_json(one) for name, one in value.items()}
        case list() | tuple():
            return [to_json(one) for one in value]
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case str():
            return str(value)
        case _:
            return value


def from_json(avro: Any, value: Any, path: str = "") -> Any:
    """The value, as people write it, of its JSON form. What is of the wrong kind stays as it is, for the codec to refuse.

    Args:
        avro: the Avro type.
        value: as parsed from JSON.
        path: of the value within its record, for reasons.

    Raises:
        RejectedError: `bad_date`, `bad_time`, `bad_amount` or `bad_base64`; every reason is in it.
    """
    match avro:
        case ["null", branch]:
            return None if value is None else from_json(branch, value, path)
        case {"type": "record", "fields": fields} if isinstance(value, Mapping):
            return _record({field["name"]: field["type"] for field in fields}, value, path)
        case {"type": "array", "items": items} if isinstance(value, list):
            return [from_json(items, one, f"{path}[{position}]") for position, one in enumerate(value)]
        case {"logicalType": "date"} if isinstance(value, str):
            return _parse(date.fromisoformat, value, path, "bad_date", "a day such as 2026-01-31")
        case {"logicalType": "timestamp-millis"} if isinstance(value, str):
            return _parse(datetime.fromisoformat, value, path, "bad_time", "a time such as 2026-01-31T09:30:00+08:00")
        case {"logicalType": "decimal"} if isinstance(value, str):
            return _parse(Decimal, value, path, "bad_amount", "an amount such as 2000.00")
        case "bytes" if isinstance(value, str):
            return _parse(lambda text: base64.b64decode(text, validate=True), value, path, "bad_base64", "base64")
        case _:
            return value


def _record(types: Mapping[str, Any], value: Mapping[str, Any], path: str) -> dict[str, Any]:
    dot = f"{path}." if path else ""
    record: dict[str, Any] = {}
    reasons: list[Reason] = []
    for name, one in value.items():
        try:
            record[name] = from_json(types[name], one, dot + name) if name in types else one
        except RejectedError as error:
            reasons += error.reasons
    if reasons:
        raise RejectedError(tuple(reasons))
    return record


def _parse(parse: Parse, text: str, path: str, code: str, rule: str) -> Any:
    try:
        return parse(text)
    except (ValueError, InvalidOperation) as error:
        raise RejectedError((Reason(code=code, field=path, value=text[:200], rule=rule),)) from error
