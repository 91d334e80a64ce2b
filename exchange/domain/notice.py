"""Diff: what each department has to be told, as the difference between what it was told and what is judged now."""

from enum import IntEnum
from typing import NamedTuple

from exchange.domain.judge import Judgement, RuleBook, Support, fingerprint
from exchange.domain.record import make
from exchange.domain.response import ResponseRules, is_confirmed, is_news, watch
from exchange.domain.standing import Answer, Imposed, Lifted, Standing, Told

NOBODY = Told(0, {}, {})
"""A department that was never told anything."""


class Action(IntEnum):
    """What happened to one measure; the positions of the schema's enum."""

    IMPOSED = 0
    LIFTED = 1
    CHANGED = 2


Changes = tuple[tuple[str, Action], ...]


class Draft(NamedTuple):
    """One notice to one department: what changed, the full set of measures now in force, and all that it will have been told."""

    department: str
    changes: Changes
    measures: dict[str, tuple[Support, ...]]
    told: Told


def changes_between(before: dict[str, Imposed], after: dict[str, int]) -> Changes:
    """Measure by measure, what is new, gone, or rests on something else now."""
    changes = [(measure, Action.LIFTED) for measure in before if measure not in after]
    for measure, mark in after.items():
        imposed = before.get(measure)
        if imposed is None:
            changes.append((measure, Action.IMPOSED))
        elif imposed.mark != mark:
            changes.append((measure, Action.CHANGED))
    return tuple(sorted(changes))


def diff(
    told: dict[str, Told], judgement: Judgement, answers: dict[str, Answer], book: RuleBook, *, epoch: int
) -> tuple[dict[str, Changes], dict[str, Told]]:
    """What changes for each department, and what each will have been told then.

    A department that no longer has a measure keeps its number, so that the sequence goes on rising.
    """
    changed: dict[str, Changes] = {}
    if not told and not judgement.measures:
        return changed, told
    now_told = told
    for department in {**told, **judgement.measures}:
        was = told.get(department, NOBODY)
        measures = judgement.measures.get(department, {})
        marks = {measure: fingerprint(supports) for measure, supports in measures.items()}
        changes = changes_between(was.measures, marks)
        lifted = was.lifted and {
            measure: since
            for measure, since in was.lifted.items()
            if not is_confirmed(answers.get(f"{department} {measure}"), since)
        }
        if changes:
            changed[department] = changes
            now_told = {**now_told, department: _told(was, marks, changes, lifted, department, book, epoch)}
        elif len(lifted) != len(was.lifted):
            now_told = {**now_told, department: was._replace(lifted=lifted)}
    return changed, now_told


def _told(
    was: Told, marks: dict[str, int], changes: Changes, lifted: dict[str, Lifted], department: str, book: RuleBook,
    epoch: int,
) -> Told:  # fmt: skip
    """What a department will have been told with its next notice."""
    n, today, before = was.n + 1, book.as_of, was.measures
    measures = {}
    for measure, mark in marks.items():
        imposed = before.get(measure)
        if imposed is None:
            imposed = make(Imposed, (mark, epoch, n, today))
        elif imposed.mark != mark:
            imposed = imposed._replace(mark=mark)
        measures[measure] = imposed
    if lifted or len(before) > len(marks) or not before.keys() <= marks.keys():
        lifted = {measure: since for measure, since in lifted.items() if measure not in marks}
        for measure, action in changes:
            if action == Action.LIFTED:
                lifted[measure] = Lifted(epoch, n, today, book.respond_within(department, measure))
    return Told(n, measures, lifted, was.overdue)


def settle(
    standing: Standing, judgement: Judgement, book: RuleBook, rules: ResponseRules, *, epoch: int
) -> tuple[Standing, list[Draft]]:
    """The standing with a judgement applied: terms ended, next due day set, departments marked as told.

    Args:
        standing: as folded.
        judgement: of it, under the book.
        book: policy and day.
        rules: how responses are watched.
        epoch: of the partition; first part of the sequence.
    """
    counts, active, was_told, sent, delivered, answers, _, was_as_of, _, updated_at, _, respond_due, applications = (
        standing
    )
    changed, told = diff(was_told, judgement, answers, book, epoch=epoch)
    if judgement.expired:
        active = {key: entry for key, entry in active.items() if key not in judgement.expired}
    if (respond_due and respond_due <= book.as_of) or (changed and _ends_overdue(told, changed)):
        told, respond_due = _respond(standing._replace(told=told), judgement, book, rules, changed)
    elif changed:  # it is enough to look when the shortest term is over
        soon = rules.deadline(book.as_of, book.shortest_response)[0] + 1
        respond_due = min(respond_due or soon, soon)
    due = min(judgement.due or respond_due, respond_due or judgement.due)
    settled = make(
        Standing,
        (counts, active, told, sent, delivered, answers, judgement.merged_into, max(was_as_of, book.as_of), due, updated_at,
         book.policy.version, respond_due, applications),
    )  # fmt: skip
    drafts = [
        make(Draft, (department, changes, judgement.measures.get(department, {}), told[department]))
        for department, changes in changed.items()
    ]
    return settled, drafts


def _ends_overdue(told: dict[str, Told], changed: dict[str, Changes]) -> bool:
    """Whether a response is overdue that nobody owes any more: its measure is lifted, or imposed again after a lift."""
    return any(
        (owed.measure, Action.IMPOSED if owed.lift else Action.LIFTED) in changed.get(owed.department, ())
        for one in told.values()
        for owed in one.overdue
    )


def _respond(
    standing: Standing, judgement: Judgement, book: RuleBook, rules: ResponseRules, changed: dict[str, Changes]
) -> tuple[dict[str, Told], int]:
    """What departments will have been told of overdue responses; who must hear of them joins `changed`, with no changes."""
    told = standing.told
    watched = watch(standing, judgement, book, rules)
    for department in {**told, **watched.overdue}:
        was, overdue = told.get(department, NOBODY), watched.overdue.get(department, ())
        if was.overdue == overdue:
            continue
        n = was.n
        if department not in changed and is_news(department, was, overdue):
            changed[department] = ()
            n += 1
        told = {**told, department: was._replace(n=n, overdue=overdue)}
    return told, watched.due
