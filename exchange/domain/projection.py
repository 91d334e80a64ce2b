"""Projection: what of a record a visitor sees, by the catalogue's grants. Fields that he may not see are absent, not blanked.

A record reaches departments as it is shared (共享属性) and the public as it is open (开放属性); within it each field has a class.
Persons are shown by pseudonym, and to the public not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exchange.domain.access import SEE_PERSONS, Role, Visitor
from exchange.domain.identity import is_person


class FieldClass(StrEnum):
    """Who sees a field of a record that he may see at all."""

    OPEN = "open"
    SHARED = "shared"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How a record type may be read.

    Attributes:
        readers: departments beside the provider; None means every department (无条件共享).
        opening: `open`, `conditional` (whether the condition holds the caller knows) or `closed`.
        fields: class of every field of its contract.
    """

    record_type: str
    readers: frozenset[str] | None
    opening: str
    fields: Mapping[str, FieldClass]


def project(
    record: Mapping[str, Any],
    grant: Grant,
    visitor: Visitor,
    *,
    show_person: Callable[[str], str],
    opened: bool = False,
) -> dict[str, Any] | None:
    """What a visitor sees of a record; None when it is nothing.

    Args:
        record: its fields by name.
        grant: of its type.
        visitor: who asks.
        show_person: the pseudonym under which he knows a person (`exchange.audience_pseudonyms`).
        opened: whether the condition of a conditional opening holds, such as a penalty within its term of publicity.
    """
    classes = _classes(str(record.get("department", "")), str(record.get("subject", "")), grant, visitor, opened=opened)
    if not classes:
        return None
    return {
        name: _with_persons_shown(value, show_person)
        for name, value in record.items()
        if grant.fields.get(name) in classes
    }


def visible_fields(grant: Grant, visitor: Visitor, *, provider: str = "", opened: bool = False) -> frozenset[str]:
    """The fields that a visitor sees of an organisation's record, for pages that show their heads alone."""
    classes = _classes(provider, "", grant, visitor, opened=opened)
    return frozenset(name for name, one in grant.fields.items() if one in classes)


def _classes(provider: str, subject: str, grant: Grant, visitor: Visitor, *, opened: bool) -> frozenset[FieldClass]:
    if is_person(subject) and visitor.role not in SEE_PERSONS:
        return frozenset()
    match visitor.role:
        case Role.AUDITOR:
            return frozenset(FieldClass)
        case Role.OFFICER if visitor.department and visitor.department == provider:
            return frozenset(FieldClass)
        case Role.OFFICER if visitor.department and (grant.readers is None or visitor.department in grant.readers):
            return frozenset({FieldClass.OPEN, FieldClass.SHARED})
    if is_person(subject) or not (grant.opening == "open" or (grant.opening == "conditional" and opened)):
        return frozenset()
    return frozenset({FieldClass.OPEN})


def _with_persons_shown(value: Any, show_person: Callable[[str], str]) -> Any:
    match value:
        case str():
            return show_person(value) if is_person(value) else value
        case list() | tuple():
            return [_with_persons_shown(one, show_person) for one in value]
        case Mapping():
            return {name: _with_persons_shown(one, show_person) for name, one in value.items()}
    return value
