"""Diff: what each department has to be told, as the difference between what it was told and what is judged now."""

from enum import IntEnum
from typing import NamedTuple

from exchange.domain.judge import Judgement, Support, fingerprint
from exchange.domain.record import make
from exchange.domain.standing import Standing, Told


class Action(IntEnum):
    """What happened to one measure; the positions of the schema's enum."""

    IMPOSED = 0
    LIFTED = 1
    CHANGED = 2


class Draft(NamedTuple):
    """One notice to one department: what changed, and the full set of measures now in force."""

    department: str
    n: int
    changes: tuple[tuple[str, Action], ...]
    measures: dict[str, tuple[Support, ...]]


def changes_between(before: dict[str, int], after: dict[str, int]) -> tuple[tuple[str, Action], ...]:
    """Measure by measure, what is new, gone, or rests on something else now."""
    if before == after:
        return ()
    changes = [(measure, Action.LIFTED) for measure in before if measure not in after]
    for measure, mark in after.items():
        if measure not in before:
            changes.append((measure, Action.IMPOSED))
        elif before[measure] != mark:
            changes.append((measure, Action.CHANGED))
    return tuple(sorted(changes))


def diff(told: dict[str, Told], judgement: Judgement) -> tuple[list[Draft], dict[str, Told]]:
    """The notices that bring every department up to date, and what each will have been told then.

    A department that no longer has a measure keeps its number, so that the sequence goes on rising.
    """
    drafts: list[Draft] = []
    if not told and not judgement.measures:
        return drafts, told
    now_told = told
    for department in {**told, **judgement.measures}:
        was = told.get(department)
        measures = judgement.measures.get(department, {})
        marks = {measure: fingerprint(supports) for measure, supports in measures.items()}
        changes = changes_between(was.measures if was else {}, marks)
        if changes:
            n = was.n + 1 if was else 1
            drafts.append(Draft(department, n, changes, measures))
            now_told = {**now_told, department: Told(n, marks)}
    return drafts, now_told


def settle(standing: Standing, judgement: Judgement, *, as_of: int, policy: str) -> tuple[Standing, list[Draft]]:
    """The standing with a judgement applied: terms ended, next due day set, departments marked as told."""
    drafts, told = diff(standing.told, judgement)
    active = standing.active
    if judgement.expired:
        active = {key: entry for key, entry in active.items() if key not in judgement.expired}
    counts, _, _, sent, _, was_as_of, _, updated_at, _ = standing
    settled = make(
        Standing,
        (counts, active, told, sent, judgement.merged_into, max(was_as_of, as_of), judgement.due, updated_at, policy),
    )
    return settled, drafts
