"""Fields of the catalogue's resources: the class of each, which says who sees it."""

import json
from collections.abc import Mapping
from pathlib import Path

from exchange.catalogue_resources import RECORD_TYPES
from exchange.domain.projection import FieldClass
from exchange.rows import Problem, Row, read_rows

_ANY = ""


def read_fields(path: Path, contracts: Path, problems: list[Problem]) -> dict[str, dict[str, FieldClass]]:
    """The class of every field, by record type.

    Args:
        path: the data file.
        contracts: the folder of the schemas, whose fields must all have a class.
        problems: where to report.
    """
    names = {one: _names_of(contracts / f"{one}.avsc") for one in sorted(RECORD_TYPES)}
    classes: dict[tuple[str, str], FieldClass] = {}
    for row in read_rows(path, ("field",), problems)["field"]:
        _read(row, names, classes)
    found: dict[str, dict[str, FieldClass]] = {one: {} for one in names}
    for record_type, fields in names.items():
        for field in sorted(fields):
            given = classes.get((record_type, field)) or classes.get((_ANY, field))
            if given is not None:
                found[record_type][field] = given
                continue
            problems.append(
                Problem(
                    code="field_without_class",
                    file=path.name,
                    line=0,
                    row=record_type,
                    field=field,
                    value="",
                    rule="every field of a contract has a class",
                )
            )
    return found


def _read(row: Row, names: Mapping[str, frozenset[str]], classes: dict[tuple[str, str], FieldClass]) -> None:
    """Put a row's fields among the classes, as (record type or any, field)."""
    row.name = row.choice("class", list(FieldClass))
    known = row.name in list(FieldClass)
    only = row.texts("record_types")
    for one in only:
        if one not in names:
            row.report("unknown_record_type", "record_types", one, "is a record type of the bus")
    for field in row.texts("names", required=True):
        for record_type in only or (_ANY,):
            if not any(field in names.get(one, ()) for one in ((record_type,) if only else names)):
                row.report("unknown_field_name", "names", field, "is a field of a contract")
            if (record_type, field) in classes:
                row.report("duplicate", "names", field, "has one class")
            if known:
                classes[record_type, field] = FieldClass(row.name)
    row.close()


def _names_of(contract: Path) -> frozenset[str]:
    return frozenset(one["name"] for one in json.loads(contract.read_text("utf-8"))["fields"])
