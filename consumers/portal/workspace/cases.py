"""A case: what one department has to do about one subject, measure by measure, with why and until when. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exchange.domain.judge import RuleBook, Support, judge, newest_registration
from exchange.domain.policy import Policy
from exchange.domain.response import Obligation, ResponseRules, obligations
from exchange.domain.standing import Standing, Told
from exchange.labels import Label
from exchange.response_words import STATES


class Status(StrEnum):
    """How a case stands for its department."""

    OVERDUE = "overdue"
    OPEN = "open"
    DONE = "done"


class Duty(NamedTuple):
    """One measure, or the end of one, and how far it has come; `supports` is why it holds, empty for a lift."""

    obligation: Obligation
    name: Label
    state: Label
    supports: tuple[Support, ...]
    is_overdue: bool


class Case(NamedTuple):
    """One department and one subject. newest: number of the notice that the department was told last; 0 if none."""

    subject: str
    name: str
    newest: int
    duties: tuple[Duty, ...]

    @property
    def open(self) -> tuple[Duty, ...]:
        """What is still owed, the most urgent first."""
        found = [duty for duty in self.duties if duty.obligation.is_open]
        return tuple(sorted(found, key=lambda duty: duty.obligation.respond_by))

    @property
    def status(self) -> Status:
        """The gravest of its duties."""
        if any(duty.is_overdue for duty in self.duties):
            return Status.OVERDUE
        return Status.OPEN if self.open else Status.DONE

    def duty(self, measure: str) -> Duty | None:
        """The duty about a measure; the measure in force comes before its last lift."""
        found = [duty for duty in self.duties if duty.obligation.measure == measure]
        return min(found, key=lambda duty: duty.obligation.lift, default=None)


def measure_names(policy: Policy) -> Mapping[str, Label]:
    """What measures are called, by their code."""
    rules = (rule for found in policy.rules_by_list.values() for rule in found)
    return {rule.measure: Label(rule.name_zh, rule.name_en) for rule in rules}


def case_of(
    subject: str, standing: Standing, department: str, *, book: RuleBook, rules: ResponseRules, names: Mapping[str, Label]
) -> Case:  # fmt: skip
    """The case of a department about a subject.

    Args:
        subject: canonical subject id.
        standing: of it.
        department: whose case it is.
        book: policy and day.
        rules: how responses are watched.
        names: of measures.
    """
    judgement = judge(standing, book, person=subject.startswith("person:"))
    supports = judgement.measures.get(department, {})
    duties = [
        Duty(
            one,
            names.get(one.measure, Label(one.measure, one.measure)),
            STATES[one.state],
            () if one.lift else supports.get(one.measure, ()),
            one.is_overdue(book.as_of),
        )
        for one in obligations(standing, judgement, rules)
        if one.department == department
    ]
    registration = newest_registration(standing.active)
    name = str(registration.versions[""].body[0]) if registration else ""
    newest = standing.told.get(department, Told(0, {}, {})).n
    return Case(subject, name, newest, tuple(duties))
