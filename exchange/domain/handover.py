"""Handover: an alias's records with the subject it belongs to, kept apart from the subject's own so that they can leave again.

Of two subjects that claim an older code one is right, and which one is known only when both claims have come. So a version that was
handed over lies in a slot that names its alias, and the alias says in one more slot of the same entry whether it still belongs there.
What an entry says is the merge of its own versions and of those of every alias that does: any order of claims ends in the same.
"""

from collections.abc import Iterable, Mapping

from exchange.domain.record import DOCUMENT, Entry, Fact, Version, join

FROM = "\x1f"
"""Stands between a slot and the alias that handed it over, one for each hop; no document number may have it."""
BELONGS = "belongs"
"""The slot in which an alias says whether it belongs to the subject; without one it does."""
NO, YES = (0,), (1,)


def visible(entry: Entry) -> Entry:
    """What an entry says: without the versions of aliases that have left, and of equal slots the newest.

    The very same object where nothing was handed over.
    """
    versions = entry.versions
    if len(versions) == 1 and DOCUMENT in versions:
        return entry
    if not any(FROM in slot for slot in versions):
        return entry
    by_alias: dict[str, dict[str, Version]] = {}
    for slot, version in versions.items():
        inner, _, alias = slot.rpartition(FROM)
        if alias == slot:
            inner, alias = slot, ""
        by_alias.setdefault(alias, {})[inner] = version
    said = Entry(by_alias.pop("", {}))
    for alias in sorted(by_alias):
        inner_versions = by_alias[alias]
        belongs = inner_versions.pop(BELONGS, None)
        if belongs is None or tuple(belongs.body) == YES:
            said = join(said, visible(Entry(inner_versions)))
    return said


def visible_entries(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """What the entries of a subject say; those that only an alias had that has left are no longer there."""
    seen = {key: visible(entry) for key, entry in entries.items()}
    return {key: entry for key, entry in seen.items() if entry.versions}


def hand_over(target: str, entries: Mapping[str, Entry]) -> dict[str, tuple[Fact, ...]]:
    """An alias's entries as facts for its subject, by key; links stay with the alias, and nothing goes back to where it came from."""
    facts = {
        key: tuple(
            Fact(key, slot, version) for slot, version in entry.versions.items() if target not in slot.split(FROM)[1:]
        )
        for key, entry in entries.items()
        if not key.startswith("link/")
    }
    return {key: of_key for key, of_key in facts.items() if of_key}


def say_belongs(keys: Iterable[str], revision: int, *, at: int, belongs: bool) -> dict[str, Fact]:
    """For each entry that an alias has handed over: that it belongs to the subject again, or no longer."""
    version = Version(revision, 0, 0, at, 0, -1, YES if belongs else NO)
    return {key: Fact(key, BELONGS, version) for key in keys}


def taken_in(source: str, fact: Fact) -> Fact:
    """What another subject sent, as its receiver keeps it: in a slot that names who handed it over.

    The receiver names it, so that what was sent before slots had names is taken in alike. What a subject says in its own name (links,
    and whom its listings reach) is nothing handed over.
    """
    if fact.key.startswith((f"link/{source}/", f"related/{source}/")):
        return fact
    return fact._replace(slot=fact.slot + FROM + source)


def has_left(versions: Mapping[str, Version], alias: str) -> bool:
    """Whether an alias has said, of an entry that it handed over, that it belongs there no longer."""
    belongs = versions.get(BELONGS + FROM + alias)
    return belongs is not None and tuple(belongs.body) == NO
