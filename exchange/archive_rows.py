"""Rows of the archive: values of plain records, as `Codec.decode_plain` gives them, become columns of a table, many at once.

For each field one function is made from its type; a column is built in one go, so that a record of thirty fields costs a few
microseconds. Values come out as `Codec.decode` would give them: days, times, amounts and symbols.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from exchange.archive_columns import arrow_type
from exchange.archive_tables import NOT_KEPT, ArchiveTable
from exchange.domain.calendar import to_date
from exchange.registry import Schema

Column = Callable[[Sequence[Any]], pa.Array]
"""Makes a column of one field's plain values."""
Convert = Callable[[Any], Any]
"""Makes of a plain value inside an array or record what Arrow takes."""
MILLISECONDS = pa.timestamp("ms", "UTC")
DECIMAL_BYTES = 16


class Row(NamedTuple):
    """One message that is to become a row: where it lies, when it came, CRC-32 of its bytes, and the plain record's values in order."""

    topic: str
    partition: int
    offset: int
    arrived_at: int
    arrived_on: int
    digest: int
    values: tuple[Any, ...]


class RowMaker:
    """Makes rows of one table.

    Args:
        table: whose columns come out.
        schema: of its records.
    """

    def __init__(self, table: ArchiveTable, schema: Schema) -> None:
        self._columns = table.columns
        dropped = NOT_KEPT.get(table.name, frozenset())
        self._makers = [
            None if field["name"] in dropped else _quickly(_column(field["type"]), arrow_type(field["type"]))
            for field in schema["fields"]
        ]

    def make(self, rows: Sequence[Row]) -> pa.Table:
        """The rows as a table, in the same order."""
        topics, partitions, offsets, times, days, digests, values = zip(*rows, strict=True)
        months = {day: f"{to_date(day):%Y-%m}" for day in set(days)}
        fields = zip(*values, strict=True)
        return pa.Table.from_arrays(
            [
                _TOPICS(topics),
                _PARTITIONS(partitions),
                pa.array(offsets, pa.int64()),
                _times(times),
                _DAYS(days),
                pa.array(digests, pa.int64()),
                *(make(field) for make, field in zip(self._makers, fields, strict=True) if make),
                _TOPICS([months[day] for day in days]),
            ],
            schema=self._columns,
        )


def _quickly(make: Column, kind: pa.DataType) -> Column:
    """A maker that does not look at each of many equal values; half of all fields are empty throughout."""

    def make_quickly(values: Sequence[Any]) -> pa.Array:
        first = values[0]
        if first == values[-1] and values.count(first) == len(values):
            return pa.nulls(len(values), kind) if first is None else pa.repeat(make((first,))[0], len(values))
        return make(values)

    return make_quickly


def _column(avro: Any) -> Column:
    """The function for an Avro type of the contracts."""
    match avro:
        case {"logicalType": "date"} | ["null", {"logicalType": "date"}]:
            return _days
        case {"logicalType": "timestamp-millis"} | ["null", {"logicalType": "timestamp-millis"}]:
            return _times
        case {"logicalType": "decimal", "precision": int(precision), "scale": int(scale)} | [
            "null",
            {"logicalType": "decimal", "precision": int(precision), "scale": int(scale)},
        ]:
            return _amounts(pa.decimal128(precision, scale))
        case {"type": "enum", "symbols": symbols}:
            return _symbols(tuple(symbols))
    kind, convert = arrow_type(avro), _inner(avro)
    if convert is None:
        return lambda values: pa.array(values, kind)
    return lambda values: pa.array([convert(one) for one in values], kind)


def _days(values: Sequence[int | None]) -> pa.Array:
    return pa.array(values, pa.int32()).view(pa.date32())


def _times(values: Sequence[int | None]) -> pa.Array:
    return pa.array(values, pa.int64()).view(MILLISECONDS).cast(pa.timestamp("us", "UTC"))


def _symbols(symbols: tuple[str, ...]) -> Column:
    known = pa.array(symbols, pa.string())

    def make(values: Sequence[int]) -> pa.Array:
        # As many bytes as values; no contract has 128 symbols.
        return known.take(pa.Array.from_buffers(pa.int8(), len(values), [None, pa.py_buffer(bytes(values))]))

    return make


def _amounts(kind: pa.DataType) -> Column:
    """Amounts come as big-endian bytes of any length, Arrow keeps them in sixteen, little-endian."""

    def make(values: Sequence[bytes | None]) -> pa.Array:
        raw = b"".join(
            int.from_bytes(one or b"", "big", signed=True).to_bytes(DECIMAL_BYTES, "little", signed=True)
            for one in values
        )
        there = pa.array([one is not None for one in values], pa.bool_())
        return pa.Array.from_buffers(kind, len(values), [there.buffers()[1], pa.py_buffer(raw)])

    return make


def _inner(avro: Any) -> Convert | None:
    """What makes of a plain value inside an array or record what Arrow takes; None when it takes the value as it is."""
    match avro:
        case ["null", branch]:
            return _nullable(_inner(branch))
        case {"logicalType": "timestamp-millis"}:
            return lambda value: value * 1000
        case {"logicalType": "decimal", "scale": int(scale)}:
            return lambda value: Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-scale)
        case {"type": "enum", "symbols": symbols}:
            return tuple(symbols).__getitem__
        case {"type": "array", "items": items}:
            return _each(_inner(items))
        case {"type": "record", "fields": fields}:
            return _inner_record([(field["name"], _inner(field["type"])) for field in fields])
    return None


def _nullable(inner: Convert | None) -> Convert | None:
    return inner and (lambda value: None if value is None else inner(value))


def _each(inner: Convert | None) -> Convert | None:
    return inner and (lambda values: [inner(one) for one in values])


def _inner_record(fields: Iterable[tuple[str, Convert | None]]) -> Convert | None:
    changed = [(name, change) for name, change in fields if change is not None]
    if not changed:
        return None

    return lambda value: value | {name: change(value[name]) for name, change in changed}


_TOPICS = _quickly(_column("string"), pa.string())
_PARTITIONS = _quickly(_column("int"), pa.int32())
_DAYS = _quickly(_days, pa.date32())
