"""Simulate: what would change for everybody if another policy were in force. Pure; standings come in one by one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.domain.fold import stand
from exchange.domain.judge import Judgement, RuleBook, judge
from exchange.domain.record import Entry
from exchange.domain.terms import Holding

Owed = dict[tuple[str, str], set[str]]
"""(department, measure) to the lists that support it."""
Change = tuple[str, str, str]
"""List, department, measure."""


@dataclass(slots=True)
class Effect:
    """What changes; a measure resting on two lists counts once for each.

    Attributes:
        subjects: looked at.
        affected: whose measures differ.
        before: measures in force now. after: measures there would be.
        gained: by list, department and measure, how many subjects would newly have it. lost: would no longer.
    """

    subjects: int = 0
    affected: int = 0
    before: int = 0
    after: int = 0
    gained: Counter[Change] = field(default_factory=Counter)
    lost: Counter[Change] = field(default_factory=Counter)


@dataclass(slots=True)
class _Side:
    """One of the two policies: what persons owe by their own records, and what reaches them from the firms they run."""

    book: RuleBook
    own: dict[str, Owed] = field(default_factory=dict)
    reached: dict[str, list[Holding]] = field(default_factory=dict)

    def judge(self, subject: str, entries: Mapping[str, Entry]) -> Owed:
        person = subject.startswith("person:")
        judgement = judge(stand(entries), self.book, person=person)
        for one, holdings in judgement.reaching.items():
            self.reached.setdefault(one, []).extend(holdings)
        owed = _owed(judgement)
        if person:
            self.own[subject] = owed
        return owed

    def of_person(self, person: str) -> Owed:
        owed = dict(self.own.get(person, {}))
        for holding in self.reached.get(person, ()):
            for rule in self.book.rules(holding.list_code, holding.role, serious=holding.serious, person=True)[0]:
                pair = (rule.department, rule.measure)
                owed[pair] = owed.get(pair, set()) | {holding.list_code}
        return owed


class Simulation:
    """Compares two rule books over all subjects.

    Args:
        now: the policy in force, on a day.
        then: the other policy, on the same or another day.
    """

    def __init__(self, now: RuleBook, then: RuleBook) -> None:
        self._now = _Side(now)
        self._then = _Side(then)
        self._effect = Effect()
        self._persons: set[str] = set()

    def add(self, subject: str, entries: Mapping[str, Entry]) -> None:
        """Take in one subject with all its entries, from the records up: a term that has ended may not have, by the other policy.

        What reached a person by the policy in force is left out; it is worked out anew from the firms.
        """
        own = {key: entry for key, entry in entries.items() if not key.startswith("related/")}
        before, after = self._now.judge(subject, own), self._then.judge(subject, own)
        if subject.startswith("person:"):
            self._persons.add(subject)
        else:
            self._compare(before, after)

    def finish(self) -> Effect:
        """The effect, persons included; call it once, after the last subject."""
        for person in {*self._persons, *self._now.reached, *self._then.reached}:
            self._compare(self._now.of_person(person), self._then.of_person(person))
        return self._effect

    def _compare(self, before: Owed, after: Owed) -> None:
        effect = self._effect
        effect.subjects += 1
        effect.before += len(before)
        effect.after += len(after)
        gained, lost = after.keys() - before.keys(), before.keys() - after.keys()
        effect.affected += bool(gained or lost)
        effect.gained.update((code, *pair) for pair in gained for code in after[pair])
        effect.lost.update((code, *pair) for pair in lost for code in before[pair])


def _owed(judgement: Judgement) -> Owed:
    return {
        (department, measure): {support.holding.list_code for support in supports}
        for department, found in judgement.measures.items()
        for measure, supports in found.items()
    }
