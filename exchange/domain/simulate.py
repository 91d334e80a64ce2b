"""Simulate: what would change for everybody if another policy were in force. Pure; standings come in one by one.

Subjects can be dealt out in shares, each with a `Simulation` of its own; `conclude` brings the shares together and adds the
persons, who are reached by firms of any share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.domain.effect import Effect
from exchange.domain.fold import is_whole, oblige
from exchange.domain.identity import is_person
from exchange.domain.judge import Judgement, RuleBook, judge, newest_registration
from exchange.domain.links import reaching
from exchange.domain.record import DOCUMENT, Entry, Version
from exchange.domain.standing import EMPTY, Standing

Entries = Mapping[str, Entry]
_DIVISION = slice(6, 12)
"""Where `org:<USCC>` has the division of its registration."""
PERSONS = "person"
"""Stands for the region of persons, who have none on the bus."""


@dataclass(slots=True)
class Share:
    """What one share of the subjects comes to.

    own: every person, with the entries of his own that can oblige somebody. reached: for each policy, person to the entries that firms would tell him.
    """

    effect: Effect = field(default_factory=Effect)
    own: dict[str, dict[str, Entry]] = field(default_factory=dict)
    reached: tuple[dict[str, dict[str, Entry]], dict[str, dict[str, Entry]]] = field(default_factory=lambda: ({}, {}))


class Books(NamedTuple):
    """The policy in force and the other one, both on the day asked about."""

    now: RuleBook
    then: RuleBook

    def judge(self, entries: Entries, *, person: bool) -> tuple[Judgement, Judgement]:
        """What follows from the entries by each."""
        standing = EMPTY._replace(active=dict(entries))
        return judge(standing, self.now, person=person), judge(standing, self.then, person=person)

    def revive(self) -> bool:
        """Whether what is over by the policy in force might not be over by the other: terms, repair or ratings differ."""
        now, then = self.now.policy, self.then.policy
        codes = now.lists.keys() | then.lists.keys()
        terms = {code: [(p.lists[code].terms, p.lists[code].repairs) if code in p.lists else None for p in (now, then)]
                 for code in codes}  # fmt: skip
        return now.rating_lists != then.rating_lists or any(was != will for was, will in terms.values())


class Simulation:
    """Compares two policies over one share of the subjects.

    Args:
        books: the two policies.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._revive = books.revive()
        self.share = Share()

    def wants_records(self, standing: Standing) -> bool:
        """Whether a subject's standing is not enough: what is over and gone from it may hold by the other policy, or on an earlier day."""
        return (self._revive or standing.as_of > self._books.now.as_of) and not is_whole(standing)

    def add(self, subject: str, standing: Standing, records: Entries | None = None) -> None:
        """Take in one subject; an alias is passed over.

        Args:
            subject: its id.
            standing: of which `counts`, `active`, `merged_into` and `as_of` are read.
            records: all its entries, where they are wanted.
        """
        if standing.merged_into:
            return
        entries: Entries = standing.active
        if records is not None:
            entries = oblige(records)
        share = self.share
        if is_person(subject):
            # What reached him by the policy in force is left out: it is worked out anew, from the firms.
            share.own[subject] = {key: entry for key, entry in entries.items() if not key.startswith("related/")}
            return
        if all(key.startswith("registration/") for key in entries):
            share.effect.unchanged(0)
            return
        judgements = self._books.judge(entries, person=False)
        share.effect.compare(subject, region_of(subject, entries), *judgements)
        for reached, judgement in zip(share.reached, judgements, strict=True):
            for person, key, decided_on, body in reaching(subject, judgement):
                version = Version(1, 0, decided_on, 0, 0, -1, body)
                reached.setdefault(person, {})[key] = Entry({DOCUMENT: version})


def conclude(shares: Iterable[Share], books: Books) -> Effect:
    """The effect over all shares, persons included."""
    whole = Share()
    for share in shares:
        whole.effect.merge(share.effect)
        whole.own |= share.own
        for reached, of_share in zip(whole.reached, share.reached, strict=True):
            for person, entries in of_share.items():
                reached.setdefault(person, {}).update(entries)
    effect = whole.effect
    now, then = whole.reached
    for person in whole.own.keys() | now.keys() | then.keys():
        own = whole.own.get(person, {})
        was, _ = books.judge({**own, **now.get(person, {})}, person=True)
        _, will = books.judge({**own, **then.get(person, {})}, person=True)
        effect.compare(person, PERSONS, was, will)
    return effect


def region_of(subject: str, entries: Entries) -> str:
    """The city (GB/T 2260) of an organisation: by its newest registration, else by its code; empty where neither has one."""
    registration = newest_registration(dict(entries))
    division = str(registration.versions[DOCUMENT].body[3]) if registration else ""
    if not division and subject.startswith("org:"):
        division = subject[_DIVISION]
    return f"{division[:4]}00" if division else ""
