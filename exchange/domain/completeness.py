"""Completeness: how many of the fields that are recommended for its type a record has filled."""

from collections.abc import Collection, Mapping
from typing import Any


def filled(record: Mapping[str, Any], recommended: Collection[str], *, person: bool) -> tuple[int, int]:
    """How many recommended fields are filled, and how many there are to fill.

    Args:
        record: its fields by name, in either form.
        recommended: names of fields.
        person: whether it is about a natural person, whose name does not enter the bus.
    """
    asked = [name for name in recommended if not (person and name == "subject_name")]
    return sum(record.get(name) not in (None, "", [], ()) for name in asked), len(asked)
