"""The archive's columns: an Avro contract as Arrow types, so that Spark, Trino, DuckDB and Polars read the same.

| contract | column |
|---|---|
| string, enum (its symbol) | string |
| int, long, boolean | int32, int64, bool |
| date | date32 |
| timestamp-millis | timestamp in microseconds, UTC |
| decimal | decimal128 of the same precision and scale |
| bytes | binary |
| array, record | list, struct |

Every column may be null: a row that was archived before its field existed has null there.
"""

from typing import Any

import pyarrow as pa

from exchange.registry import Schema

PLACE = ("topic", "partition", "offset")
"""Names the message that a row came from; at most one row of a table has it."""
ARRIVED_MONTH = "arrived_month"
"""The partition column of every table, such as 2026-11: of `arrived_on`."""
ORIGIN = (
    ("topic", pa.string()),
    ("partition", pa.int32()),
    ("offset", pa.int64()),
    ("arrived_at", pa.timestamp("us", "UTC")),
    ("arrived_on", pa.date32()),
    ("digest", pa.int64()),
)
"""Columns that every row begins with: where the message lies in Kafka, when it came (the day is China's), CRC-32 of its bytes."""

_PRIMITIVES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "bytes": pa.binary(),
}


def arrow_type(avro: Any) -> pa.DataType:
    """The type of a column for an Avro type of the contracts.

    >>> arrow_type(["null", {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}])
    Decimal128Type(decimal128(20, 2))
    """
    match avro:
        case ["null", branch]:
            return arrow_type(branch)
        case {"logicalType": "date"}:
            return pa.date32()
        case {"logicalType": "timestamp-millis"}:
            return pa.timestamp("us", "UTC")
        case {"logicalType": "decimal", "precision": int(precision), "scale": int(scale)}:
            return pa.decimal128(precision, scale)
        case {"type": "enum"}:
            return pa.string()
        case {"type": "array", "items": items}:
            return pa.list_(pa.field("element", arrow_type(items)))
        case {"type": "record", "fields": fields}:
            return pa.struct([pa.field(field["name"], arrow_type(field["type"])) for field in fields])
        case str() if avro in _PRIMITIVES:
            return _PRIMITIVES[avro]
    raise TypeError(f"the bus has no such type: {avro!r}")


def contract_columns(schema: Schema, *, without: frozenset[str], renamed: dict[str, str]) -> list[pa.Field]:
    """The columns of a contract's fields, in its order.

    Args:
        schema: of the record.
        without: fields that the archive does not keep.
        renamed: fields whose column has another name.
    """
    return [
        pa.field(renamed.get(field["name"], field["name"]), arrow_type(field["type"]))
        for field in schema["fields"]
        if field["name"] not in without
    ]
