"""Reads the warnings in force: the directory says which there are, the standings whether they hold, the records what they say."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from consumers.portal.parts import Parts
from exchange.directory import FIRST, Filed, Place
from exchange.domain.access import Visitor
from exchange.domain.bodies import EarlyWarning, WarningLevel, WarningState
from exchange.domain.fold import is_void
from exchange.domain.judge import RuleBook
from exchange.domain.projection import project
from exchange.domain.record import DOCUMENT, Entry, split_key
from exchange.domain.terms import Holding, holdings
from exchange.look_up import load_entries

CHUNK = 500
LOOKED_THROUGH = 10_000
"""So many warnings, in force or over, are looked through, the newest first; those before are not shown."""


class Wanted(NamedTuple):
    """What a visitor wants to see; empty for all.

    Attributes:
        level: a symbol of WarningLevel; that level and graver ones.
        list_code: the watch list of a domain.
        division: six digits; a city's covers what lies in it.
        industry: a section of GB/T 4754.
    """

    level: str = ""
    list_code: str = ""
    division: str = ""
    industry: str = ""


class InForce(NamedTuple):
    """A warning in force: its place on the watch list, and its record as far as the directory has it."""

    subject: str
    holding: Holding
    fields: Mapping[str, Any]

    @property
    def level(self) -> WarningLevel:
        """How grave."""
        return WarningLevel[self.holding.grounds]


class Overview(NamedTuple):
    """The warnings in force, the gravest and newest first; `whole` is false where older ones were not looked at."""

    items: list[InForce]
    whole: bool


class WarningReader:
    """Reads warnings.

    Args:
        parts: what the portal's routes share.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def in_force(self, visitor: Visitor, wanted: Wanted) -> Overview:
        """The warnings in force that a visitor may see.

        Raises:
            RetryLaterError: Redis is away.
            FatalError: `directory_corrupt`.
        """
        book, after, found = self._parts.books.today(), FIRST, list[InForce]()
        for _ in range(LOOKED_THROUGH // CHUNK):
            filed = self._parts.directory.recent(
                "early_warning", after=after, limit=CHUNK, topic=wanted.list_code, division=wanted.division
            )
            found += self._hold(filed, book, visitor, wanted)
            if len(filed) < CHUNK:
                return Overview(_ordered(found), whole=True)
            after = (filed[-1].decided_on, filed[-1].entry, filed[-1].subject)
        return Overview(_ordered(found), whole=False)

    def _hold(self, filed: list[Filed], book: RuleBook, visitor: Visitor, wanted: Wanted) -> list[InForce]:
        kept = [one for one in filed if not wanted.industry or one.subject.endswith(f".industry.{wanted.industry}")]
        entries = load_entries(
            self._parts.store, self._parts.settings.partitions, [(one.subject, one.entry) for one in kept]
        )
        least = WarningLevel[wanted.level] if wanted.level else WarningLevel.BLUE
        holding = [
            (one.subject, entry, held)
            for one, entry in zip(kept, entries, strict=True)
            if entry is not None and (held := held_by(one.entry, entry, book)) is not None
            if WarningLevel[held.grounds] >= least
        ]
        places = [_place(held, entry) for _, entry, held in holding]
        raw = self._parts.directory.details(places)
        shown = []
        for (subject, _, held), place in zip(holding, places, strict=True):
            fields = self._seen(subject, held, raw.get(place), visitor)
            if fields is not None:
                shown.append(InForce(subject, held, fields))
        return shown

    def _seen(self, subject: str, held: Holding, raw: bytes | None, visitor: Visitor) -> dict[str, Any] | None:
        """The record's fields that the visitor may see; None where he may not know of it."""
        record = self._parts.codec.decode(raw)[1] if raw is not None else {}
        grant = self._parts.catalogue.read_grant("early_warning")
        named = {**record, "department": held.department, "subject": subject}
        return project(named, grant, visitor, show_person=self._parts.keys.for_visitor(visitor))


def held_by(key: str, entry: Entry, book: RuleBook) -> Holding | None:
    """The place on a watch list that a warning gives today; None where it is over, withdrawn or not begun."""
    document = entry.document
    if document is None or is_void(entry) or EarlyWarning._make(document.body).state == WarningState.ENDED:
        return None
    (held,) = holdings({key: entry}, book.policy)
    begun = held.decided_on <= book.as_of
    return held if held.list_code and begun and (held.until is None or book.as_of < held.until) else None


def _place(held: Holding, entry: Entry) -> Place:
    version = entry.versions[DOCUMENT]
    return split_key(held.key)[1], version.partition, version.offset


def _ordered(found: list[InForce]) -> list[InForce]:
    return sorted(found, key=lambda one: (-one.level, -one.holding.decided_on, one.holding.key))
