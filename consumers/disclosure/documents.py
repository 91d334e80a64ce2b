"""A subject's documents for its picture: each with what became of it, until when it is public, and how it can be repaired."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from exchange.directory import Place
from exchange.domain.bodies import RATING_SCHEMES, ObjectionState, Penalty, Rating, RepairState, Severity
from exchange.domain.fold import is_void
from exchange.domain.policy import Policy
from exchange.domain.publicity import Publicity, is_open_grade, is_public, publicity_of
from exchange.domain.record import DOCUMENT, Entry, Version, split_key

HIDDEN = frozenset({"alias", "link", "related", "delivery_receipt", "measure_feedback", "registration"})
"""Entries that are no documents of the picture: inner ones, answers to notices, and what the head shows."""


class Amendment(NamedTuple):
    """What was later said about a document: `type` such as `repair`, `state` its symbol in lower case where it has one."""

    type: str
    document: str
    state: str
    decided_on: int


class Document(NamedTuple):
    """One document.

    fields: its full text as people write it; empty where the directory does not have it yet. void: withdrawn, or an objection was
    upheld. publicity: of penalties, else None; is_public: whether the public may see it today. repaired: a repair was granted.
    """

    key: str
    type: str
    department: str
    number: str
    version: Version
    fields: Mapping[str, Any]
    amendments: tuple[Amendment, ...]
    void: bool
    repaired: bool
    publicity: Publicity | None
    is_public: bool


_STATES = {"repair": RepairState, "objection": ObjectionState}


def places_of(entries: Mapping[str, Entry]) -> list[Place]:
    """Where the full texts of a subject's documents lie."""
    return [
        (split_key(key)[1], entry.versions[DOCUMENT].partition, entry.versions[DOCUMENT].offset)
        for key, entry in entries.items()
        if DOCUMENT in entry.versions and not key.startswith(("alias/", "link/", "related/"))
    ]


def documents_of(
    entries: Mapping[str, Entry], texts: Mapping[Place, Mapping[str, Any]], policy: Policy, today: int
) -> list[Document]:
    """The documents, newest first.

    Args:
        entries: of the subject.
        texts: full records by place, as far as the directory has them.
        policy: for publicity terms.
        today: days since 1970-01-01.
    """
    found = []
    for key, entry in entries.items():
        record_type, department, number = split_key(key)
        version = entry.versions.get(DOCUMENT)
        if record_type in HIDDEN or version is None:
            continue
        amendments = tuple(sorted(_amendments(entry), key=lambda one: one.decided_on))
        repaired = any(one.type == "repair" and one.state == "granted" for one in amendments)
        void = is_void(entry)
        publicity = _publicity(record_type, version, policy)
        shown = not void and (publicity is None or is_public(entry, policy, today)) and _is_open(record_type, version)
        text = texts.get((department, version.partition, version.offset), {})
        found.append(
            Document(
                key=key, type=record_type, department=department, number=number, version=version, fields=text,
                amendments=amendments, void=void, repaired=repaired, publicity=publicity, is_public=shown,
            )
        )  # fmt: skip
    found.sort(key=lambda one: (-one.version.decided_on, one.key))
    return found


def _is_open(record_type: str, version: Version) -> bool:
    """Whether the condition under which documents of a type are open holds for this one; of penalties see `is_public`."""
    if record_type != "rating":
        return True
    rating = Rating(*version.body)  # type: ignore[arg-type] # a body is flat; its type says which
    return is_open_grade(RATING_SCHEMES[rating.scheme], rating.grade)


def _publicity(record_type: str, version: Version, policy: Policy) -> Publicity | None:
    if record_type != "penalty":
        return None
    penalty = Penalty._make(version.body)
    return publicity_of(
        Severity(penalty.severity), version.decided_on, policy, stated_until=penalty.publicity_until
    )  # fmt: skip


def _amendments(entry: Entry) -> list[Amendment]:
    found = []
    for slot, version in entry.versions.items():
        if slot == DOCUMENT or not version.body:
            continue  # without a body it is part of an amendment that is there itself
        record_type, _, document = slot.partition("/")
        states, step = _STATES.get(record_type), version.body[0]
        state = states(step).name.lower() if states and isinstance(step, int) else ""
        found.append(Amendment(record_type, document, state, version.decided_on))
    return found
