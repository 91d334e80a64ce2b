"""Records as the fold sees them: one entry a document, merged so that order and duplicates do not matter.

An *entry* is all that is known about one document of one department: the newest revision of the document itself and the
newest revision of each amendment (extension, withdrawal, repair, objection). Merging takes the greater revision, slot by
slot, which makes entries a join-semilattice: any order, any duplication of the same records ends in the same entry.
"""

from typing import NamedTuple

DOCUMENT = ""
"""The slot of the document itself; every other slot names an amendment as `type/document`."""

Body = tuple[int | str | None, ...]
"""What a record says, one small flat tuple a record type (see `exchange.domain.bodies`)."""


make = tuple.__new__
"""Makes a NamedTuple of all its values, in order: `make(Fact, (key, slot, version))`. Its own constructor is a Python function
round this one; the hot path makes ten tuples an event, and calls it directly."""


class Version(NamedTuple):
    """One revision of a document or of an amendment.

    `decided_on` is the day of the decision (days since 1970-01-01), `arrived_at` when the bus received it (seconds since
    1970-01-01 UTC): the two times of a bitemporal record. `partition` and `offset` lead to the raw message.
    """

    revision: int
    digest: int
    decided_on: int
    arrived_at: int
    partition: int
    offset: int
    body: Body


class Entry(NamedTuple):
    """All that is known about one document: slot to newest version."""

    versions: dict[str, Version]

    @property
    def document(self) -> Version | None:
        """The document's own newest version; None while only amendments have arrived."""
        return self.versions.get(DOCUMENT)

    def amendments(self, record_type: str) -> list[Version]:
        """The newest version of each amendment of one record type."""
        return [version for slot, version in self.versions.items() if slot.startswith(record_type + "/")]


class Fact(NamedTuple):
    """One record, ready to merge: the entry it speaks about, the slot it fills, and the version it brings."""

    key: str
    slot: str
    version: Version


def entry_key(record_type: str, department: str, document: str) -> str:
    """The name of an entry within its subject; unique since departments have no slash in their slug."""
    return f"{record_type}/{department}/{document}"


def split_key(key: str) -> tuple[str, str, str]:
    """Record type, department and document of an entry's key."""
    record_type, department, document = key.split("/", 2)
    return record_type, department, document


def merge(entry: Entry | None, fact: Fact) -> Entry:
    """The entry with the fact in it.

    Returns the very same object when the fact is older than or equal to what is known, so that callers can skip it. Equal
    revisions with different content are decided by the greater digest: arbitrary, but the same in any order.
    """
    _, slot, version = fact
    if entry is None:
        return make(Entry, ({slot: version},))
    known = entry.versions.get(slot)
    if known is not None and (known.revision, known.digest) >= (version.revision, version.digest):
        return entry
    return make(Entry, ({**entry.versions, slot: version},))


def join(entry: Entry | None, other: Entry) -> Entry:
    """The union of two entries about one document, used when the histories of two subjects come together."""
    if entry is None:
        return other
    versions = dict(entry.versions)
    for slot, version in other.versions.items():
        known = versions.get(slot)
        if known is None or (version.revision, version.digest) > (known.revision, known.digest):
            versions[slot] = version
    return entry if versions == entry.versions else Entry(versions)
