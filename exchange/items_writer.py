"""Writes messages whose one long list repeats between them: each item is encoded once, and put into every message that has it.

Avro writes a record as its fields one after the other and an array as a count and its items, so encoded parts can be joined.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from exchange.registry import Schema


class ItemsWriter:
    """For one array field of a record.

    Args:
        prefix: what every message begins with.
        schema: plain schema of the record (see `exchange.plain.plain_type`).
        field: name of the array.
    """

    def __init__(self, prefix: bytes, schema: Schema, field: str) -> None:
        fields = schema["fields"]
        at = next(number for number, one in enumerate(fields) if one["name"] == field)
        self._prefix = prefix
        self._head = parse_schema({**schema, "fields": fields[:at]})
        self._item = parse_schema(fields[at]["type"]["items"])
        self._tail = parse_schema({**schema, "fields": fields[at + 1 :]})

    def item(self, plain: Mapping[str, Any]) -> bytes:
        """One encoded item of the array. The caller vouches for the types."""
        out = BytesIO()
        schemaless_writer(out, self._item, plain)
        return out.getvalue()

    def message(self, plain: Mapping[str, Any], items: Sequence[bytes]) -> bytes:
        """The message of a plain record, whose array is given as encoded items."""
        out = BytesIO()
        out.write(self._prefix)
        schemaless_writer(out, self._head, plain)
        if items:
            out.write(_long(len(items)))
            out.writelines(items)
        out.write(b"\0")
        schemaless_writer(out, self._tail, plain)
        return out.getvalue()


def _long(number: int) -> bytes:
    """A number that is not negative as Avro writes it: doubled (zigzag), seven bits a byte, the lowest first."""
    rest, out = number << 1, bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)
