"""Spells: from when to when each listing of a subject obliged a department to a measure, from the subject's own records.

A measure that is lifted has no support any more, and nothing is kept of what it rested on: the records say it, whatever came of
Redis in between, and in whatever order they came. Pure; for questions, not for the hot path.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from exchange.domain.bodies import AbnormalEntry, AbnormalState, EarlyWarning, ObjectionState, WarningState
from exchange.domain.calendar import day_of
from exchange.domain.fold import is_void
from exchange.domain.judge import RuleBook
from exchange.domain.links import is_ended
from exchange.domain.policy import OPEN, Policy
from exchange.domain.record import Entry, split_key
from exchange.domain.terms import Holding, holdings

FindEntry = Callable[[str, str], Entry | None]
"""An entry of another subject, by subject and entry key."""


class Spell(NamedTuple):
    """A time (days since 1970-01-01, the end exclusive) in which a listing, by its department and document, supported a measure."""

    department: str
    document: str
    begun: int
    ended: int


def find_spells(
    entries: Mapping[str, Entry], policy: Policy, *, person: bool, find_entry: FindEntry
) -> dict[tuple[str, str], list[Spell]]:
    """The spells of each (department, measure).

    Args:
        entries: all that the subject has, those withdrawn or over among them.
        policy: with the rules of all times.
        person: whether the subject is a natural person.
        find_entry: finds the listing of another subject that reached this one.
    """
    found: dict[tuple[str, str], list[Spell]] = {}
    book_of = lru_cache(maxsize=None)(lambda day: RuleBook(policy, day))
    for key, entry in entries.items():
        for held in _held(key, entry, entries, policy, find_entry):
            ended = OPEN if held.until is None else max(held.until, held.decided_on)
            edges = (edge for edge in policy.edges if held.decided_on < edge < ended)
            for begun, end in pairwise((held.decided_on, *edges, ended)):
                rules, _ = book_of(begun).rules(held.list_code, held.role, serious=held.serious, person=person)
                for rule in rules:
                    spell = Spell(held.department, held.document, begun, end)
                    found.setdefault((rule.department, rule.measure), []).append(spell)
    return found


def rested_on(spells: Iterable[Spell], by: int) -> list[tuple[str, str]]:
    """The listings, (department, document), on which a measure rested that was lifted by a day, without a gap back from its end."""
    rested: dict[tuple[str, str], None] = {}
    since = 0
    for spell in sorted((one for one in spells if one.begun <= by), key=lambda one: one.ended, reverse=True):
        if rested and spell.ended < since:
            break
        since = min(since, spell.begun) if rested else spell.begun
        rested[spell.department, spell.document] = None
    return sorted(rested)


def _held(
    key: str, entry: Entry, entries: Mapping[str, Entry], policy: Policy, find_entry: FindEntry
) -> Iterator[Holding]:
    """The place on a list that an entry gives or once gave; `until` is when it ended in whatever way."""
    document = entry.document
    if document is None:
        return
    if is_ended(key, document):  # what reaches a person no more says only where it came from
        _, subject, source = split_key(key)
        origin, _, role = source.rpartition("|")
        listing = find_entry(subject, origin)
        if listing is None:
            return
        held = [one._replace(role=role) for one in _held(origin, listing, {}, policy, find_entry)]
        ends = [day_of(document.arrived_at * 1000)]
    else:
        held = [one for one in holdings({key: entry}, policy) if one.list_code]
        ends = _ends(key, entry, entries)
    for one in held:
        yield one._replace(until=min((day for day in (one.until, *ends) if day is not None), default=None))


def _ends(key: str, entry: Entry, entries: Mapping[str, Entry]) -> list[int]:
    """Days on which something other than its term ended what an entry says."""
    upheld = (one for one in entry.amendments("objection") if one.body[0] == ObjectionState.UPHELD)
    days = [one.decided_on for one in (*entry.amendments("withdrawal"), *upheld)]
    document = entry.versions[""]
    if key.startswith("abnormal_entry/"):
        abnormal = AbnormalEntry._make(document.body)
        if abnormal.state == AbnormalState.REMOVED:
            days.append(document.decided_on if abnormal.removed_on is None else abnormal.removed_on)
    if key.startswith("early_warning/") and EarlyWarning._make(document.body).state == WarningState.ENDED:
        days.append(day_of(document.arrived_at * 1000))
    if key.startswith("rating/"):  # a later grade of the scheme replaces it
        scheme = document.body[0]
        others = (one.versions[""] for name, one in entries.items() if name.startswith("rating/") and not is_void(one))
        days += [o.decided_on for o in others if o.body[0] == scheme and o.decided_on > document.decided_on]
    return days
