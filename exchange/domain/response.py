"""Response: how far each department has come with each measure, what is overdue, and whom that concerns (发起—响应—反馈).

A measure in force is owed an answer, a lifted one a confirmation: until the respond-by day, counted in working days from the
notice. What is overdue by then its department is reminded of; some working days later the supervising department is told.
Pure: what is owed follows from what was told, what was answered, and the day.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from exchange.domain.bodies import FeedbackState
from exchange.domain.judge import Judgement, RuleBook
from exchange.domain.record import split_key
from exchange.domain.standing import Answer, Application, Imposed, Lifted, Owed, Standing, Told

Deadline = Callable[[int, int], tuple[int, bool]]
"""The day that is so many working days after a day, and whether it is provisional (see `WorkingDays.add`)."""

REPAIR_ACCEPTANCE, REPAIR_ANSWER = "repair_acceptance", "repair_answer"
"""What an authority owes that is applied to for repair: to accept or refuse the application, and to decide it (NDRC Order 36)."""


class State(IntEnum):
    """How far a department has come with a measure, or with the end of one."""

    NOTIFIED = 0
    DELIVERED = 1
    ACKNOWLEDGED = 2
    EXECUTED = 3
    DECLINED = 4
    NOT_APPLICABLE = 5
    ENDED = 6
    LIFTED = 7
    LIFT_DELIVERED = 8
    LIFT_ACKNOWLEDGED = 9
    LIFT_CONFIRMED = 10


OPEN = frozenset({
    State.NOTIFIED, State.DELIVERED, State.ACKNOWLEDGED, State.LIFTED, State.LIFT_DELIVERED, State.LIFT_ACKNOWLEDGED,
})  # fmt: skip
"""States in which the department still owes something."""

_BY_FEEDBACK = {
    FeedbackState.ACKNOWLEDGED: State.ACKNOWLEDGED, FeedbackState.EXECUTED: State.EXECUTED,
    FeedbackState.DECLINED: State.DECLINED, FeedbackState.NOT_APPLICABLE: State.NOT_APPLICABLE,
    FeedbackState.ENDED: State.ENDED,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules:
    """How responses are watched.

    deadline: working-day arithmetic. supervisors: department to the one that is told of its overdue responses.
    escalate_after: working days after the respond-by day.
    """

    deadline: Deadline
    supervisors: Mapping[str, str] = field(default_factory=dict)
    escalate_after: int = 3


class Obligation(NamedTuple):
    """One measure (or the end of one) of one department, and how far it has come.

    `respond_by` is a day since 1970-01-01; `answer` is the feedback that counts, None where none answers this notice.
    """

    department: str
    measure: str
    lift: bool
    since: Imposed | Lifted
    state: State
    answer: Answer | None
    respond_by: int
    provisional: bool

    @property
    def is_open(self) -> bool:
        """Whether something is still owed."""
        return self.state in OPEN

    def is_overdue(self, today: int) -> bool:
        """Whether it is owed, its day has passed, and nobody has put it off."""
        return self.is_open and self.respond_by < today and self.snoozed_until <= today

    @property
    def snoozed_until(self) -> int:
        """The day until which somebody put it off; 0 if nobody did."""
        return (self.answer.snoozed_until or 0) if self.answer is not None and self.answer.officer else 0


def answers(answer: Answer | None, since: Imposed | Lifted) -> bool:
    """Whether a feedback is about this notice or a later one; one that names no notice counts from the notice's day on."""
    if answer is None:
        return False
    if not answer.n:
        return answer.decided_on >= since.day
    return (answer.epoch, answer.n) >= (since.epoch, since.n)


def is_confirmed(answer: Answer | None, since: Lifted) -> bool:
    """Whether the department has confirmed the end of a measure."""
    return answer is not None and answer.state == FeedbackState.ENDED and answers(answer, since)


def obligations(standing: Standing, judgement: Judgement, rules: ResponseRules) -> Iterator[Obligation]:
    """Every measure in force and every lift to be confirmed, with its state; only `told`, `delivered` and `answers` are read."""
    for department, told in standing.told.items():
        delivered = standing.delivered.get(department, (0, 0))
        supports = judgement.measures.get(department, {})
        for measure, imposed in told.measures.items():
            within = min((s.rule.respond_within_working_days for s in supports.get(measure, ())), default=0)
            yield _obligation(standing, department, measure, imposed, within, delivered, rules)
        for measure, lifted in told.lifted.items():
            yield _obligation(standing, department, measure, lifted, lifted.within, delivered, rules)


def _obligation(
    standing: Standing, department: str, measure: str, since: Imposed | Lifted, within: int, delivered: tuple[int, int],
    rules: ResponseRules,
) -> Obligation:  # fmt: skip
    answer = standing.answers.get(f"{department} {measure}")
    if not answers(answer, since):
        answer = None
    lift = isinstance(since, Lifted)
    arrived = delivered >= (since.epoch, since.n)
    if lift:
        state = _lift_state(answer, arrived=arrived)
    elif answer is not None:
        state = _BY_FEEDBACK[FeedbackState(answer.state)]
    else:
        state = State.DELIVERED if arrived else State.NOTIFIED
    respond_by, provisional = rules.deadline(since.day, within)
    return Obligation(department, measure, lift, since, state, answer, respond_by, provisional)


def _lift_state(answer: Answer | None, *, arrived: bool) -> State:
    if answer is not None:
        return State.LIFT_CONFIRMED if answer.state == FeedbackState.ENDED else State.LIFT_ACKNOWLEDGED
    return State.LIFT_DELIVERED if arrived else State.LIFTED


def owed_repairs(applications: Mapping[str, Application], book: RuleBook, rules: ResponseRules) -> Iterator[Owed]:
    """What authorities owe to open applications for repair of the subject's documents, whether or not its day has passed.

    The authority that determined repairs (谁认定谁修复). An application is accepted or refused, and then answered, within
    so many working days of the application (NDRC Order 36; dated in the policy).
    """
    for key, (applied_on, accepted) in applications.items():
        process = book.policy.repair_process_for(applied_on)
        if process is None:
            continue
        _, department, document = split_key(key)
        within = process.answer_working_days if accepted else process.accept_working_days
        what = REPAIR_ANSWER if accepted else REPAIR_ACCEPTANCE
        yield Owed(department, f"{what} {document}", lift=False, respond_by=rules.deadline(applied_on, within)[0])


class Watched(NamedTuple):
    """What is overdue on a day, by who has to know of it, and the next day on which that changes; 0 if none."""

    overdue: dict[str, tuple[Owed, ...]]
    due: int


def watch(standing: Standing, judgement: Judgement, book: RuleBook, rules: ResponseRules) -> Watched:
    """What is overdue today, and for whom.

    Args:
        standing: with `told` as after this judgement.
        judgement: of it.
        book: policy and day.
        rules: how responses are watched.
    """
    today = book.as_of
    overdue: dict[str, list[Owed]] = {}
    days = []
    owed = [
        (Owed(one.department, one.measure, one.lift, one.respond_by), one.snoozed_until)
        for one in obligations(standing, judgement, rules)
        if one.is_open
    ]
    if not judgement.merged_into:  # else the subject that it is an alias of has the applications too
        owed += [(one, 0) for one in owed_repairs(standing.applications, book, rules)]
    for one, snoozed_until in owed:
        reminded_on = max(one.respond_by + 1, snoozed_until)
        if today < reminded_on:
            days.append(reminded_on)
            continue
        overdue.setdefault(one.department, []).append(one)
        supervisor = rules.supervisors.get(one.department, "")
        if supervisor and supervisor != one.department:
            escalated_on = max(rules.deadline(one.respond_by, rules.escalate_after)[0] + 1, snoozed_until)
            if today < escalated_on:
                days.append(escalated_on)
            else:
                overdue.setdefault(supervisor, []).append(one)
    return Watched({who: tuple(sorted(items)) for who, items in overdue.items()}, min(days, default=0))


def is_news(department: str, told: Told | None, overdue: tuple[Owed, ...]) -> bool:
    """Whether a department has to hear of what is overdue now: of its own what is new, of others' any difference."""
    before = told.overdue if told is not None else ()
    if before == overdue:
        return False
    changed = set(before) ^ set(overdue)
    return any(one.department != department or one not in before for one in changed)
