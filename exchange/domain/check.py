"""Check (核查): the question a service counter asks before it grants something, answered from a standing."""

from dataclasses import dataclass
from enum import StrEnum

from exchange.domain.judge import RuleBook, Support, judge
from exchange.domain.standing import Standing

DECIDED_AT_COUNTER = "核查-"
"""Begins the `notice_id` of feedback that a decision at a counter gave: the check's id follows; (epoch, n) name the notice."""


class Answer(StrEnum):
    """What the counter is advised to do; a graver answer outweighs a lighter one, and punishment outweighs incentive."""

    CLEAR = "clear"
    FAST_TRACK = "fast_track"
    REVIEW = "review"
    REFUSE = "refuse"


GRAVEST_FIRST = (Answer.REFUSE, Answer.REVIEW, Answer.FAST_TRACK, Answer.CLEAR)
"""The answers by what outweighs what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An answer with its reasons.

    supports: measures that bear on the matter, gravest first; each names listing, memorandum, article and basis.
    as_of: the day asked about (since 1970-01-01). updated_at: when the newest record of the subject arrived (seconds).
    """

    answer: Answer
    matter: str
    supports: tuple[Support, ...]
    as_of: int
    updated_at: int


def check(standing: Standing, book: RuleBook, matter: str, *, person: bool = False) -> Check:
    """Whether a matter may be granted.

    Args:
        standing: of the subject; of an alias's canonical subject where it is one.
        book: policy and day.
        matter: a code of the policy, such as `bidding`.
        person: whether the subject is a natural person.
    """
    judgement = judge(standing, book, person=person)
    found = [
        support
        for measures in judgement.measures.values()
        for supports in measures.values()
        for support in supports
        if matter in support.rule.matters
    ]
    found.sort(
        key=lambda support: (
            GRAVEST_FIRST.index(Answer(support.rule.effect)),
            support.rule.measure,
            support.holding.key,
        )
    )
    answer = Answer(found[0].rule.effect) if found else Answer.CLEAR
    return Check(
        answer=answer, matter=matter, supports=tuple(found), as_of=book.as_of, updated_at=standing.updated_at
    )  # fmt: skip
