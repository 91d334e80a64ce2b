"""Recommended fields of the catalogue's resources: what a record had better have filled, beside what its contract demands."""

from collections.abc import Mapping
from pathlib import Path

from exchange.catalogue_resources import RECORD_TYPES
from exchange.domain.projection import FieldClass
from exchange.rows import Problem, read_rows


def read_recommended(
    path: Path, fields: Mapping[str, Mapping[str, FieldClass]], problems: list[Problem]
) -> dict[str, tuple[str, ...]]:
    """Names of recommended fields by record type.

    Args:
        path: the data file.
        fields: of the contracts.
        problems: where to report.
    """
    found: dict[str, tuple[str, ...]] = {}
    for row in read_rows(path, ("recommended",), problems)["recommended"]:
        record_type = row.name = row.choice("record_type", RECORD_TYPES)
        if record_type in found:
            row.report("duplicate", "record_type", record_type, "has one row")
        names = row.texts("names", required=True)
        for name in names:
            if name not in fields.get(record_type, ()):
                row.report("unknown_field_name", "names", name, "is a field of its contract")
        row.text("basis")
        row.confidence()
        row.close()
        found[record_type] = tuple(names)
    return found
