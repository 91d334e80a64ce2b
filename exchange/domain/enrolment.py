"""Enrolment: what the registrations of a subject, in whatever order they came, say that it is called.

The same rules as the fold's and the judge's: of one document the greatest (revision, digest) counts, a withdrawal or an objection
upheld makes it void, of several documents the latest decided counts, and an older code belongs to the earliest claim for good.
"""

from collections.abc import Iterable
from typing import NamedTuple

from exchange.domain.identity import is_alias


class Registered(NamedTuple):
    """One revision of a registration; `entry` is its key in the standing, `aliases` are subject ids of older codes."""

    subject: str
    entry: str
    revision: int
    digest: int
    decided_on: int
    name: str
    division: str
    kind: int
    status: int
    aliases: tuple[str, ...]


class Amended(NamedTuple):
    """One revision of what may void a registration: a withdrawal, or an objection, which does so while it is upheld."""

    subject: str
    entry: str
    slot: str
    revision: int
    digest: int
    voids: bool


class Claim(NamedTuple):
    """A registration's word, of a day, that an older code is its subject's."""

    decided_on: int
    subject: str


class Enrolled(NamedTuple):
    """A subject as it is found: by its newest registration, by every name that it has had, and by its codes."""

    subject: str
    name: str
    division: str
    kind: int
    status: int
    names: tuple[str, ...]
    codes: tuple[str, ...]


def owner_of(subject: str, claims: Iterable[Claim]) -> str:
    """The subject that a subject's registrations count for: of several that claim an older code, the earliest decided."""
    return min(claims).subject if is_alias(subject) and claims else subject


def enrol(
    subject: str, registered: Iterable[Registered], amended: Iterable[Amended], aliases: Iterable[str]
) -> Enrolled | None:
    """The subject as it is found; None when no registration of it is in force.

    Args:
        subject: whose registrations they are.
        registered: every revision of a registration of it, or of one of the older codes.
        amended: likewise, of what may void them.
        aliases: subject ids of the older codes that are its own.
    """
    last: dict[tuple[str, str], Amended] = {}
    for one in amended:
        known = last.get((one.entry, one.slot))
        if known is None or (one.revision, one.digest) > (known.revision, known.digest):
            last[one.entry, one.slot] = one
    void = {one.entry for one in last.values() if one.voids}
    valid = [one for one in registered if one.entry not in void]
    newest: dict[str, Registered] = {}
    for revision in valid:
        known_revision = newest.get(revision.entry)
        if known_revision is None or _age(revision) > _age(known_revision):
            newest[revision.entry] = revision
    if not newest:
        return None
    current = max(newest.values(), key=lambda one: (one.decided_on, one.revision, one.entry))
    names = {one.name for one in valid if one.name}
    codes = {one.partition(":")[2] for one in (subject, *aliases)}
    return Enrolled(
        subject, current.name, current.division, current.kind, current.status, tuple(sorted(names)), tuple(sorted(codes)),
    )  # fmt: skip


def _age(one: Registered) -> tuple[int, int]:
    return one.revision, one.digest
