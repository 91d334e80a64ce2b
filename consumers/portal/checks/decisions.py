"""Decisions: what the officer decided after a check, recorded, and fed back for each measure of his department that bore on it.

What a decision says of a measure:

| measure's effect | granted | with conditions | refused |
|---|---|---|---|
| refuse | DECLINED, with the legal reason | DECLINED, with the legal reason | EXECUTED |
| review | EXECUTED, with what the review found | EXECUTED, with the conditions | EXECUTED |
| fast_track | EXECUTED | EXECUTED, with the conditions | NOT_APPLICABLE: there was nothing to favour |
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from consumers.portal.checks.answers import grounds_at
from consumers.portal.checks.keeping import Kept, keep_decision
from consumers.portal.checks.noting import Note
from consumers.portal.checks.question import Read, subject_or_fault
from consumers.portal.checks.reading import StandingReader
from consumers.portal.checks.words import Ground
from exchange.answers import complete_feedback, seconds_now, today_in_china
from exchange.domain.access import Act, Visitor
from exchange.domain.check import DECIDED_AT_COUNTER, Answer
from exchange.domain.standing import Imposed
from exchange.errors import Reason, RejectedError
from exchange.http.problems import RefusedError
from exchange.http.sending import Outbound, Row, send

Find = Callable[[str, Visitor], Awaitable[Kept]]
"""See `Counter.find`."""
Told = Callable[[str, str], Mapping[str, Imposed]]
"""Of a subject and a department: each measure in force that the department was told, and the notice that imposed it."""
_TEXT_CHARACTERS = 1000
_NUMBER_CHARACTERS = 128


class Decided(StrEnum):
    """What became of what was asked for."""

    GRANTED = "granted"
    GRANTED_WITH_CONDITIONS = "granted_with_conditions"
    REFUSED = "refused"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision.

    `document` is its number, `officer` who answers for it (staff number or post), `detail` the legal reason, the finding of the
    review or the conditions; `subject` names one of a batch.
    """

    decision: Decided
    document: str
    officer: str
    detail: str = ""
    subject: str = ""


def state_of(effect: str, decided: Decided) -> str:
    """What a decision says of a measure with this effect on checks: a symbol of FeedbackState.

    >>> state_of("refuse", Decided.REFUSED), state_of("refuse", Decided.GRANTED)
    ('EXECUTED', 'DECLINED')
    """
    if effect == Answer.REFUSE and decided is not Decided.REFUSED:
        return "DECLINED"
    if effect == Answer.FAST_TRACK and decided is Decided.REFUSED:
        return "NOT_APPLICABLE"
    return "EXECUTED"


def needs_detail(effects: Sequence[str], decided: Decided) -> bool:
    """Whether a decision must say more: why it declines a measure, what a review found, or which conditions it sets."""
    if decided is Decided.GRANTED_WITH_CONDITIONS:
        return True
    return decided is Decided.GRANTED and any(effect in (Answer.REFUSE, Answer.REVIEW) for effect in effects)


def read_decision(raw: bytes, read: Read) -> Decision:
    """The decision of a request's body.

    Args:
        raw: JSON.
        read: what subject a text names for the visitor.

    Raises:
        RefusedError: 400 `bad_body`.
        RejectedError: with every field that is wrong.
    """
    try:
        decision = msgspec.json.decode(raw, type=Decision)
    except (msgspec.DecodeError, ValueError) as error:
        raise RefusedError(
            400, f"正文有误 the body is wrong: {error}", code="bad_body", remedy="see docs/checks.md for an example"
        ) from error
    return check_decision(decision, read)


def check_decision(decision: Decision, read: Read) -> Decision:
    """The decision with its subject as the bus knows it.

    Raises:
        RejectedError: with every field that is wrong.
    """
    reasons = []
    for field, value, limit in (
        ("document", decision.document, _NUMBER_CHARACTERS), ("officer", decision.officer, _NUMBER_CHARACTERS),
        ("detail", decision.detail, _TEXT_CHARACTERS),
    ):  # fmt: skip
        if field != "detail" and not value.strip():
            reasons.append(Reason(code="empty_field", field=field, rule="不能为空 not empty"))
        if len(value) > limit:
            reasons.append(
                Reason(code="field_too_long", field=field, value=value[:64], rule=f"at most {limit} characters")
            )
    subject = subject_or_fault(decision.subject, "subject", read) if decision.subject else ""
    if not isinstance(subject, str):
        reasons.append(subject.as_reason())
    if reasons:
        raise RejectedError(tuple(reasons))
    return msgspec.structs.replace(decision, subject=str(subject))


class Owed(NamedTuple):
    """A measure of the officer's department that bore on the check, and the notice that imposed it; None where none is in force now."""

    measure: str
    effect: str
    imposed: Imposed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded: the decision, and what became of the feedback about each measure."""

    check_id: str
    subject: str
    decision: Decision
    feedback: tuple[Mapping[str, Any], ...]
    zh: str
    en: str


def feedback_of(check_id: str, subject: str, decision: Decision, owed: Owed, today: date) -> dict[str, Any]:
    """The feedback about one measure, as the publisher takes it; (epoch, n) names the notice, `notice_id` the check."""
    state = state_of(owed.effect, decision.decision)
    assert owed.imposed is not None  # noqa: S101 # only what is in force is answered
    return complete_feedback(
        {
            "subject": subject, "notice_id": f"{DECIDED_AT_COUNTER}{check_id}", "measure": owed.measure, "state": state,
            "detail": decision.detail or _DETAILS[decision.decision], "evidence": decision.document, "officer": decision.officer,
            "executed_on": today if state == "EXECUTED" else None, "epoch": owed.imposed.epoch, "n": owed.imposed.n,
        },
        revision=seconds_now(), today=today,
    )  # fmt: skip


_DETAILS = {Decided.GRANTED: "核查后准予", Decided.GRANTED_WITH_CONDITIONS: "核查后附条件准予", Decided.REFUSED: "核查后不予办理"}  # fmt: skip


class Decisions:
    """Records decisions.

    Args:
        find: a check of the visitor's department.
        told: what a subject's department was told: measure to the notice that imposed it.
        outbound: publishes feedback.
        reader: runs Redis commands.
        note: the line of the access log.
        days: for which decisions are kept beside their checks.
    """

    def __init__(
        self, *, find: Find, told: Told, outbound: Outbound, reader: StandingReader, note: Note, days: int
    ) -> None:
        self._find = find
        self._told = told
        self._outbound = outbound
        self._reader = reader
        self._note = note
        self._days = days

    async def record(self, check_id: str, decision: Decision, visitor: Visitor) -> Recorded:
        """Record a decision and feed it back.

        Raises:
            RefusedError: 404 `unknown_check`, `not_in_check`.
            RejectedError: `detail_missing`, or feedback that breaks a rule of the bus.
            RetryLaterError: Redis is away.
        """
        kept = await self._find(check_id, visitor)
        subject, grounds = asked_about(kept, decision.subject)
        effects = {one.measure: one.effect for one in reversed(grounds) if one.department == visitor.department}
        if needs_detail([one.effect for one in grounds], decision.decision) and not decision.detail.strip():
            rule = "须写明法律理由、审查情况或所附条件 say the legal reason, what the review found, or the conditions"
            raise RejectedError((Reason(code="detail_missing", field="detail", rule=rule),))
        await self._reader.run(list(self._note(visitor, Act.RECORD_DECISION, (subject,), kept.matter, check_id)))
        told = await asyncio.to_thread(self._told, subject, visitor.department) if effects else {}
        owed = [Owed(measure, effect, told.get(measure)) for measure, effect in effects.items()]
        rows = [
            Row("measure_feedback", feedback_of(check_id, subject, decision, one, today_in_china()))
            for one in owed if one.imposed is not None
        ]  # fmt: skip
        results = await asyncio.to_thread(lambda: list(send(self._outbound, visitor.department, rows)))
        feedback = tuple(
            {"measure": row.record["measure"], "state": row.record["state"], **result}
            for row, result in zip(rows, results, strict=True)
        )
        zh, en = _summary(owed, feedback)
        recorded = Recorded(check_id=check_id, subject=subject, decision=decision, feedback=feedback, zh=zh, en=en)
        await self._reader.run([keep_decision(check_id, subject, msgspec.json.encode(recorded), self._days)])
        return recorded


def asked_about(kept: Kept, subject: str) -> tuple[str, tuple[Ground, ...]]:
    """Whom of a check the decision is about, and the grounds that he was answered with, the gravest first.

    Raises:
        RefusedError: 404 `not_in_check`.
    """
    known = [one for one in kept.subjects if one]
    wanted = subject or (known[0] if len(kept.subjects) == 1 else "")
    if wanted not in known:
        raise RefusedError(
            404, "此核查没有该主体 the check is not about this subject", code="not_in_check",
            remedy="批量核查须写明 subject in a batch say which subject",
        )  # fmt: skip
    return wanted, grounds_at(kept.answer, kept.subjects.index(wanted))


def _summary(owed: Sequence[Owed], feedback: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """What was recorded, in a sentence."""
    accepted = sum(one["status"] == "accepted" for one in feedback)
    if not owed:
        return (
            "已登记；本部门没有与此核查有关的措施，不产生反馈。",
            "Recorded; no measure of this department bears on the check, so that there is nothing to feed back.",
        )
    if not feedback:
        return (
            "已登记；有关措施目前未在执行（尚未通知或已解除），不产生反馈。",
            "Recorded; the measures concerned are not in force now (not told yet, or lifted): nothing to feed back.",
        )
    if accepted < len(feedback):
        return (
            f"已登记；{len(feedback) - accepted} 项反馈未被总线接收，请重新登记。",
            f"Recorded; the bus has not taken {len(feedback) - accepted} of the feedback: record it again.",
        )
    return f"已登记，{accepted} 项措施已向总线反馈。", f"Recorded, and fed back to the bus for {accepted} measures."
