"""Oracle: every standing and measure from all records at once, without batches, caches, messages or order.

The incremental way (fold, judge, messages between subjects) must end where this ends. It is deliberately plain: subjects
exchange what they have to say by looking at each other, until nothing changes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from exchange.domain.fold import stand
from exchange.domain.handover import FROM, hand_over, taken_in
from exchange.domain.judge import Judgement, RuleBook, fingerprint, judge
from exchange.domain.links import messages
from exchange.domain.record import Entry, Fact, merge
from exchange.domain.standing import Standing

ROUNDS = 10
"""Registration, link, forward, related, and an alias that changes whom it belongs to: no chain of consequences is longer."""


class Truth(NamedTuple):
    """What must be true of one subject."""

    entries: dict[str, Entry]
    standing: Standing
    judgement: Judgement

    def marks(self) -> dict[str, dict[str, int]]:
        """Department to measure to fingerprint, where there is any."""
        return {
            department: {measure: fingerprint(supports) for measure, supports in measures.items()}
            for department, measures in self.judgement.measures.items()
        }


def compute(facts: Iterable[tuple[str, Fact]], book_of: Callable[[str], RuleBook]) -> dict[str, Truth]:
    """The truth about every subject.

    Args:
        facts: (subject, fact) of every accepted record, in any order, with any duplicates.
        book_of: the policy and day by which a subject is to be judged.
    """
    entries: dict[str, dict[str, Entry]] = {}
    for subject, fact in facts:
        of_subject = entries.setdefault(subject, {})
        of_subject[fact.key] = merge(of_subject.get(fact.key), fact)
    truth: dict[str, Truth] = {}
    belonging: dict[str, str] = {}
    stale = set(entries)
    # Histories come together before anybody is told whom a listing reaches: a withdrawal may be among them.
    for reaching in (False, True):
        for _ in range(ROUNDS):
            for subject in stale:
                truth[subject] = _judged(subject, entries[subject], book_of(subject))
            stale = _exchange(entries, truth, set(truth) if reaching else stale, belonging, reaching=reaching)
            if not stale:
                break
        stale = set(truth)
    return truth


def _judged(subject: str, entries: dict[str, Entry], book: RuleBook) -> Truth:
    standing = stand(entries)
    judgement = judge(standing, book, person=subject.startswith("person:"))
    return Truth(dict(entries), standing._replace(merged_into=judgement.merged_into), judgement)


def _exchange(
    entries: dict[str, dict[str, Entry]],
    truth: dict[str, Truth],
    changed: set[str],
    belonging: dict[str, str],
    *,
    reaching: bool,
) -> set[str]:
    """Let each changed subject say what it has to say; whoever learns something is judged again."""
    stale = set()
    for subject in changed:
        own = truth[subject]
        outgoing, _ = messages(subject, own.standing, own.judgement, epoch=0, at=0)
        for message in outgoing:
            of_target = entries.setdefault(message.target, {})
            for fact in message.facts:
                if fact.key.startswith("related/") != reaching:
                    continue
                known = of_target.get(fact.key)
                merged = merge(known, fact)
                if merged is not known:
                    of_target[fact.key] = merged
                    stale.add(message.target)
        stale.update(_hand_over(subject, own, entries, belonging))
    return stale


def _hand_over(
    alias: str, own: Truth, entries: dict[str, dict[str, Entry]], belonging: dict[str, str]
) -> Iterator[str]:
    """Put an alias's entries with the subject it belongs to, and take them from where they were; yields who has changed."""
    before, now = belonging.get(alias, ""), own.standing.merged_into
    belonging[alias] = now
    given = hand_over(now, own.entries) if now else {}
    for target in {before, now} - {""}:
        of_target = entries.setdefault(target, {})
        kept = {
            key: {slot: version for slot, version in entry.versions.items() if not slot.endswith(FROM + alias)}
            for key, entry in of_target.items()
        }
        for key, facts in given.items() if target == now else ():
            kept.setdefault(key, {}).update({taken_in(alias, fact).slot: fact.version for fact in facts})
        after = {key: Entry(versions) for key, versions in kept.items() if versions}
        if after != of_target:
            entries[target] = after
            yield target
