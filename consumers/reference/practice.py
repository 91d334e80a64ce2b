"""What one department makes of its measures: its name, what each measure means at its counter, and what it declines."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumers.reference.book import Obligation, State
from consumers.reference.obligations import Obligations
from exchange.domain.check import Answer

_GRAVITY = {Answer.CLEAR: 0, Answer.FAST_TRACK: 1, Answer.REVIEW: 2, Answer.REFUSE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a measure means here.

    Attributes:
        answer: to an application that it bears on.
        at_counter: whether it bears on this counter's question at all.
        review_only: lists that ask for no more than a review.
    """

    name_zh: str
    name_en: str
    answer: Answer
    at_counter: bool = True
    review_only: frozenset[str] = frozenset()

    def answer_for(self, listings: Iterable[Mapping[str, Any]]) -> Answer:
        """The answer that the listings of an obligation ask for; the gravest of them counts."""
        lists = {one["list_code"] for one in listings}
        return Answer.REVIEW if lists and lists <= self.review_only else self.answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Why an obligation is not executed: DECLINED for a legal reason, NOT_APPLICABLE where it cannot apply."""

    state: State
    reason: str


def decline_without_basis(obligation: Obligation) -> Declined | None:
    """No basis, no measure: what derogates rights must rest on law, and the notice says on which."""
    if obligation.basis:
        return None
    return Declined(state=State.DECLINED, reason="通知未载明法律依据 the notice names no legal basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One department.

    Attributes:
        department: slug.
        officer: post that answers for what is done.
        mark: what numbers of its register begin with.
        duties: by code of measure.
        declines: why an obligation is not executed; None when it is.
    """

    department: str
    name_zh: str
    name_en: str
    officer: str
    mark: str
    duties: Mapping[str, Duty]
    declines: Callable[[Obligation], Declined | None] = field(default=decline_without_basis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One obligation that bears on an application."""

    subject: str
    answer: Answer
    measure: str
    name_zh: str
    name_en: str
    basis: str
    because_of: tuple[str, ...]
    respond_by: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the counter is advised to do, with its reasons, the gravest first."""

    answer: Answer
    subjects: tuple[str, ...]
    reasons: tuple[Reason, ...]


def advise(practice: Practice, obligations: Obligations, subjects: Iterable[str]) -> Advice:
    """Answer for an applicant, or for a consortium: what is asked of any member is asked of all (联合体任一成员受限则整体受限).

    An incentive counts only when every member has one that no reason outweighs.
    """
    asked = tuple(subjects)
    reasons: list[Reason] = []
    for subject in asked:
        for one in obligations.in_force(subject):
            # A measure that this program does not know yet is for an officer to look at, not to be ignored.
            duty = practice.duties.get(one.measure) or Duty(
                name_zh=one.measure, name_en=one.measure, answer=Answer.REVIEW
            )
            if duty.at_counter:
                reasons.append(_reason(one, duty))
    reasons.sort(key=lambda one: (-_GRAVITY[one.answer], asked.index(one.subject), one.measure))
    gravest = reasons[0].answer if reasons else Answer.CLEAR
    preferred = {one.subject for one in reasons if one.answer is Answer.FAST_TRACK}
    if gravest is Answer.FAST_TRACK and preferred != set(asked):
        gravest = Answer.CLEAR
    return Advice(answer=gravest, subjects=asked, reasons=tuple(reasons))


def _reason(obligation: Obligation, duty: Duty) -> Reason:
    return Reason(
        subject=obligation.subject,
        answer=duty.answer_for(obligation.listings),
        measure=obligation.measure,
        name_zh=duty.name_zh,
        name_en=duty.name_en,
        basis=obligation.basis,
        because_of=tuple(
            " ".join(
                filter(None, (one["list_code"], one["department"], one["document"], one["memorandum"], one["article"]))
            )
            for one in obligation.listings
        ),
        respond_by=obligation.respond_by.isoformat() if obligation.respond_by else "",
        state=obligation.state,
    )
