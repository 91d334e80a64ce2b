"""A record type's fields as people and their tools read them: JSON Schema made of the Avro, with a golden example."""

import json
from typing import Any

from exchange.paths import SCHEMAS
from exchange.registry import Contract

FILLED_IN = frozenset({"department", "published_at"})
"""Fields that may be left out: they are the caller's department and the present time."""


def json_schema(contract: Contract) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record in JSON, with the record type in `type`."""
    found = _record(contract.schema, FILLED_IN)
    properties = {"type": {"const": contract.record_type, "title": "信息类型"}} | found["properties"]
    return found | {"properties": properties, "required": ["type", *found["required"]]}


def example(record_type: str) -> dict[str, Any]:
    """The last golden example of a record type, with its `type`; each is one that its department may publish as it stands."""
    path = max((SCHEMAS / "examples" / record_type).glob("*.json"))
    return {"type": record_type, **json.loads(path.read_text("utf-8"))}


def _record(avro: dict[str, Any], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    fields = avro["fields"]
    return {
        "type": "object",
        **_words(avro.get("doc", "")),
        "required": [one["name"] for one in fields if "default" not in one and one["name"] not in optional],
        "additionalProperties": False,
        "properties": {one["name"]: _field(one) for one in fields},
    }


def _field(field: dict[str, Any]) -> dict[str, Any]:
    schema = _type(field["type"]) | _words(field["doc"])
    if field.get("default") not in (None, "", []):
        schema["default"] = field["default"]
    return schema


def _type(avro: Any) -> dict[str, Any]:
    match avro:
        case ["null", branch]:
            return _nullable(_type(branch))
        case {"type": "record"}:
            return _record(avro)
        case {"type": "array", "items": items}:
            return {"type": "array", "items": _type(items)}
        case {"type": "enum", "symbols": symbols}:
            return {"type": "string", "enum": list(symbols)}
        case {"logicalType": "date"}:
            return {"type": "string", "format": "date"}
        case {"logicalType": "timestamp-millis"}:
            return {"type": "string", "format": "date-time"}
        case {"logicalType": "decimal", "scale": scale}:
            return {"type": "string", "pattern": rf"^\d+(\.\d{{1,{scale}}})?$"}
        case "bytes":
            return {"type": "string", "contentEncoding": "base64"}
        case "int" | "long":
            return {"type": "integer"}
        case _:
            return {"type": str(avro)}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"]}


def _words(doc: str) -> dict[str, str]:
    title, _, meaning = doc.partition(": ")
    return {"title": title, "description": meaning}
