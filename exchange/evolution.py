"""How contracts may change: FULL_TRANSITIVE, every version readable by every other, checked offline.

Apache's `avro` decides about readers and writers. Two things that it looks away from are compared here. Logical types: a day
that becomes a number of months would be read without complaint, and wrongly. Positions of symbols: standings keep them, so
symbols are only ever added at the end.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations
from typing import Any, NamedTuple

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException
from avro.schema import parse

from exchange.registry import Contract, Schema


def incompatibilities(versions: Sequence[Contract]) -> Iterator[str]:
    """Why versions of one record type do not go together, one sentence for each reader, writer and place."""
    for reader, writer in permutations(versions, 2):
        for place, why in _cannot_read(reader.schema, writer.schema):
            yield f"version {reader.version} cannot read version {writer.version}: {place}: {why}"
    for older, newer in pairwise(versions):
        yield from _changed_meanings(older, newer)


def _cannot_read(reader: Schema, writer: Schema) -> Iterator[tuple[str, str]]:
    try:
        found = ReaderWriterCompatibilityChecker().get_compatibility(  # type: ignore[no-untyped-call] # avro types its methods only
            parse(json.dumps(reader)), parse(json.dumps(writer))
        )
    except AvroException as error:
        yield "the schema", str(error)
        return
    if found.compatibility is SchemaCompatibilityType.incompatible:
        locations = found.locations - {"/"} or found.locations
        places = ", ".join(sorted(_named(reader, location) for location in locations))
        kinds = sorted({kind.value.replace("_", " ") for kind in found.incompatibilities})
        yield places, f"{', '.join(kinds)} ({'; '.join(sorted(found.messages))})"


def _named(schema: Schema, location: str) -> str:
    """A location such as `/fields/3/type/symbols` with the field's name for its number.

    >>> _named({"fields": [{"name": "state", "type": "string"}]}, "/fields/0/type")
    'state'
    """
    names: list[str] = []
    part: Any = schema
    for token in location.strip("/").split("/"):
        if isinstance(part, list) and token.isdigit() and int(token) < len(part):
            part = part[int(token)]
            if isinstance(part, dict) and "name" in part:
                names.append(part["name"])
        elif isinstance(part, dict) and token in part:
            part = part[token]
    return ".".join(names) or location


def _changed_meanings(older: Contract, newer: Contract) -> Iterator[str]:
    after = dict(_meanings(newer.schema, ""))
    for place, was in _meanings(older.schema, ""):
        now = after.get(place, was)
        if was.logical != now.logical:
            yield f"version {newer.version} changes the meaning of {place}: {was.logical!r} to {now.logical!r}"
        if was.symbols != now.symbols[: len(was.symbols)]:
            yield f"version {newer.version} moves symbols of {place}: new ones come at the end, none goes"


class _Meaning(NamedTuple):
    """What the bytes of a value stand for: logical type with its precision and scale, symbols in order."""

    logical: str = ""
    symbols: tuple[str, ...] = ()


def _meanings(avro: Any, place: str) -> Iterator[tuple[str, _Meaning]]:
    """The meaning of each simple value in a schema, by the path of field names."""
    match avro:
        case {"type": "record", "fields": fields}:
            for field in fields:
                yield from _meanings(field["type"], f"{place}.{field['name']}" if place else field["name"])
        case {"type": "array", "items": items}:
            yield from _meanings(items, f"{place}[]")
        case ["null", branch]:
            yield from _meanings(branch, place)
        case {"type": "enum", "symbols": symbols}:
            yield place, _Meaning(symbols=tuple(symbols))
        case {"logicalType": _}:
            logical = " ".join(str(avro[key]) for key in ("logicalType", "precision", "scale") if key in avro)
            yield place, _Meaning(logical=logical)
        case _:
            yield place, _Meaning()
