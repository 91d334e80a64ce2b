"""`creditbus schemas check`: everything that can be wrong with the contracts, found offline, before anything is published.

Files agree with what is pinned, versions go together, everything is documented and exemplified, shared types are the same
everywhere, and the schemas hold nothing that the codec cannot carry.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, UnknownType

from exchange.codec import Codec
from exchange.errors import FatalError, RejectedError
from exchange.evolution import incompatibilities
from exchange.field_rules import HEADER
from exchange.json_form import from_json
from exchange.plain import compile_converter
from exchange.registry import (
    FIRST_ID,
    REGISTRY_FILE,
    Contract,
    Contracts,
    Schema,
    fingerprint,
    full_name,
    load_contracts,
    read_json,
    slug,
    without_docs,
)

EXAMPLES_EACH = 2
DOCUMENTED = re.compile(r"[\u4e00-\u9fff、“”（）]+( \([^()]+\))?: .+")
"""A Chinese term, the field codes it comes from, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with the contracts: stable code, file or record type, and what it is."""

    code: str
    place: str
    what: str

    def text(self) -> str:
        """The fault in one line."""
        return f"{self.place} [{self.code}] {self.what}"


def check_contracts(folder: Path) -> tuple[Contracts, list[Fault]]:
    """Every fault of the contracts.

    Args:
        folder: of the schemas.

    Returns:
        The contracts as far as they could be read, and what is wrong with them.
    """
    faults: list[Fault] = []
    contracts = Contracts(_read_pinned(folder, faults))
    faults += _unpinned(folder, contracts)
    for contract in contracts.all:
        faults += _schema_faults(contract)
    for record_type in contracts.latest:
        faults += (
            Fault(code="incompatible", place=record_type, what=what)
            for what in incompatibilities(contracts.versions(record_type))
        )
    faults += _shared_types(contracts)
    if not faults:  # examples can only be tried with schemas that hold together
        faults += _example_faults(folder, contracts)
    return contracts, faults


def _read_pinned(folder: Path, faults: list[Fault]) -> Iterator[Contract]:
    try:
        subjects: Mapping[str, list[dict[str, Any]]] = read_json(folder / REGISTRY_FILE)["subjects"]
    except FatalError as error:
        faults.append(Fault(code=error.code, place=REGISTRY_FILE, what=str(error)))
        return
    ids: dict[int, str] = {}
    for subject, versions in subjects.items():
        if [pinned["version"] for pinned in versions] != list(range(1, len(versions) + 1)):
            faults.append(Fault(code="versions", place=subject, what="versions count 1, 2, 3, ..."))
        for pinned in versions:
            name = f"{subject} version {pinned['version']}"
            if pinned["id"] < FIRST_ID or ids.setdefault(pinned["id"], name) != name:
                what = f"id {pinned['id']} of {name} is below {FIRST_ID} or already {ids.get(pinned['id'])}'s"
                faults.append(Fault(code="ids", place=REGISTRY_FILE, what=what))
            try:
                schema = read_json(folder / pinned["path"])
                parse_schema(json.loads(json.dumps(schema)))
            except (FatalError, SchemaParseException, UnknownType) as error:
                faults.append(Fault(code="unreadable", place=pinned["path"], what=str(error)))
                continue
            faults += _pin_faults(subject, pinned, schema, newest=pinned is versions[-1])
            yield Contract(
                record_type=slug(subject),
                subject=subject,
                version=pinned["version"],
                id=pinned["id"],
                schema=schema,
                fingerprint=fingerprint(schema),
            )


def _pin_faults(subject: str, pinned: Mapping[str, Any], schema: Schema, *, newest: bool) -> Iterator[Fault]:
    path, version = pinned["path"], pinned["version"]
    if full_name(schema) != subject:
        yield Fault(code="name", place=path, what=f"is {full_name(schema)}, pinned as {subject}")
    if fingerprint(schema) != pinned["fingerprint"]:
        what = f"is not what was pinned as version {version} (fingerprint {fingerprint(schema)}): a change is a new version"
        yield Fault(code="changed", place=path, what=what)
    wanted = f"records/{slug(subject)}.avsc" if newest else f"records/history/{slug(subject)}/v{version}.avsc"
    if path != wanted:
        yield Fault(code="path", place=path, what=f"belongs in {wanted}")


def _unpinned(folder: Path, contracts: Contracts) -> Iterator[Fault]:
    newest = {f"{record_type}.avsc" for record_type in contracts.latest}
    for path in sorted((folder / "records").glob("*.avsc")):
        if path.name not in newest:
            yield Fault(code="unpinned", place=f"records/{path.name}", what=f"{REGISTRY_FILE} does not name it")


def _schema_faults(contract: Contract) -> Iterator[Fault]:
    place = f"{contract.record_type} version {contract.version}"
    try:
        compile_converter(contract.schema)
    except TypeError as error:
        yield Fault(code="unsupported_type", place=place, what=str(error))
    for path, part in _described(contract.schema, contract.schema["name"]):
        doc = part.get("doc", "")
        if not DOCUMENTED.fullmatch(doc):
            what = f"{path} needs a doc of the form '中文 (source): English', not {doc!r}"
            yield Fault(code="undocumented", place=place, what=what)
        for symbol in part.get("symbols", ()):
            if not re.search(rf"\b{symbol} [\u4e00-\u9fff]", doc):
                yield Fault(code="undocumented", place=place, what=f"the doc of {path} does not say what {symbol} is")
    names = [field["name"] for field in contract.schema["fields"]]
    if {"document", "revision"} <= set(names) and names[: len(HEADER)] != list(HEADER):
        yield Fault(code="header", place=place, what=f"a department's record begins with {', '.join(HEADER)}")


def _described(part: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every record, field and enum of a schema, with its path."""
    match part:
        case {"type": "record", "fields": fields}:
            yield path, part
            for field in fields:
                yield f"{path}.{field['name']}", field
                yield from _described(field["type"], f"{path}.{field['name']}")
        case {"type": "array", "items": items}:
            yield from _described(items, f"{path}[]")
        case {"type": "enum", "name": name}:
            yield f"{path} ({name})", part
        case [*branches]:
            for branch in branches:
                yield from _described(branch, path)


def _shared_types(contracts: Contracts) -> Iterator[Fault]:
    """Types that several schemas have under one name: schemas are self-contained, so such types are written out in each."""
    seen: dict[str, tuple[str, Any]] = {}
    header: dict[str, Any] = {}
    for contract in contracts.latest.values():
        for path, part in _described(contract.schema, contract.schema["name"]):
            if part.get("type") in ("record", "enum"):
                where, same = seen.setdefault(part["name"], (path, part))
                if part != same:
                    what = f"{part['name']} differs from the one in {where}"
                    yield Fault(code="type_differs", place=path, what=what)
        fields = {field["name"]: without_docs(field) for field in contract.schema["fields"]}
        for name in HEADER if {"document", "revision"} <= set(fields) else ():
            if header.setdefault(name, fields.get(name)) != fields.get(name):
                yield Fault(code="header", place=contract.record_type, what=f"{name} differs from other records'")


def _example_faults(folder: Path, contracts: Contracts) -> Iterator[Fault]:
    codec = Codec(contracts)
    for record_type, contract in contracts.latest.items():
        examples = sorted((folder / "examples" / record_type).glob("*.json"))
        if len(examples) < EXAMPLES_EACH:
            what = f"has {len(examples)} examples of {EXAMPLES_EACH}"
            yield Fault(code="examples", place=f"examples/{record_type}", what=what)
        for path in examples:
            place = f"examples/{record_type}/{path.name}"
            try:
                raw = codec.encode(record_type, from_json(contract.schema, read_json(path)))
            except (RejectedError, FatalError) as error:
                yield Fault(code="example_invalid", place=place, what=str(error))
                continue
            golden = path.with_suffix(".hex")
            if not golden.exists():
                yield Fault(
                    code="no_bytes", place=place, what=f"there is no {golden.name}: run creditbus schemas golden"
                )
            elif golden.read_text("ascii").strip() != raw.hex():
                what = f"its bytes are not those of {golden.name}: messages already written would read differently"
                yield Fault(code="bytes_changed", place=place, what=what)


def golden_bytes(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """For every example the file of its bytes, and what the codec makes of it today.

    Raises:
        RejectedError: an example is not a record of its type.
    """
    contracts = load_contracts(folder)
    codec = Codec(contracts)
    for record_type, contract in contracts.latest.items():
        for path in sorted((folder / "examples" / record_type).glob("*.json")):
            record = from_json(contract.schema, read_json(path))
            yield path.with_suffix(".hex"), codec.encode(record_type, record)
