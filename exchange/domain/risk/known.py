"""What was known on a day: records that were decided and had arrived by its end (bitemporal). Later ones change nothing about it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS
from exchange.domain.fold import fold_all
from exchange.domain.record import DOCUMENT, Entry, Fact, Version


class Known(NamedTuple):
    """The entries as of a day.

    revised: keys of documents whose newest revision came later. An entry keeps one revision, so what such a document said on that
    day is on Kafka only; it is left out, never guessed. (A revision that is sent again with other words leaves no trace: it breaks the
    rule that each change has a revision of its own.)
    """

    entries: dict[str, Entry]
    revised: tuple[str, ...]


def was_known(version: Version, day: int) -> bool:
    """Whether a version was decided, and had arrived, by the end of a day in China."""
    return version.decided_on <= day and version.arrived_at < ((day + 1) * DAY_MS - CHINA_OFFSET_MS) // 1000


def known_on(entries: Mapping[str, Entry], day: int) -> Known:
    """Entries as they were known on a day, as far as the newest revisions tell."""
    found: dict[str, Entry] = {}
    revised = []
    for key, entry in entries.items():
        if all(was_known(version, day) for version in entry.versions.values()):
            found[key] = entry
            continue
        versions = {slot: version for slot, version in entry.versions.items() if was_known(version, day)}
        if versions:
            found[key] = Entry(versions)
        # A later revision of the document, or of an amendment of it, hides what was said before.
        if any(_hides(slot, version) for slot, version in entry.versions.items() if not was_known(version, day)):
            revised.append(key)
    return Known(found, tuple(sorted(revised)))


def _hides(slot: str, version: Version) -> bool:
    return version.revision > 1 and (slot == DOCUMENT or bool(version.body))


def entries_on(facts: Iterable[Fact], day: int) -> dict[str, Entry]:
    """Entries as of a day from all facts: exact, where the whole history is at hand."""
    return fold_all(fact for fact in facts if was_known(fact.version, day))[0]
