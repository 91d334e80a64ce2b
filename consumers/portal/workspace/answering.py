"""Answers to notices: what an officer types about one measure becomes feedback on the bus, or says beside each field what is wrong."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from consumers.portal.workspace.cases import Case, Duty
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.record_form import FormField, form_of, read_form
from exchange.answers import complete_feedback, seconds_now, today_in_china
from exchange.domain.facts import answering, own_revision
from exchange.domain.standing import Answer
from exchange.errors import Reason, RejectedError
from exchange.labels import Label
from exchange.records.words import FeedbackState

ASKED = ("state", "detail", "executed_on", "amount_yuan", "evidence", "officer", "snoozed_until")
"""Fields that an officer fills in."""
_HIDDEN = ("notice_id", "epoch", "n", "measure", "revision")
_SEEN_TRIES, _SEEN_SECONDS = 20, 0.05
_LIFT = (FeedbackState.ENDED, FeedbackState.ACKNOWLEDGED)
_HELD = (
    FeedbackState.ACKNOWLEDGED, FeedbackState.EXECUTED, FeedbackState.DECLINED, FeedbackState.NOT_APPLICABLE,
)  # fmt: skip
_WORDS: Mapping[FeedbackState, Label] = {
    FeedbackState.ACKNOWLEDGED: Label("签收（或暂缓）", "acknowledge (or put off)"),
    FeedbackState.EXECUTED: Label("已执行", "executed"),
    FeedbackState.DECLINED: Label("不予执行（须写明法律理由）", "decline (with the legal reason)"),
    FeedbackState.NOT_APPLICABLE: Label("不适用", "not applicable"),
    FeedbackState.ENDED: Label("确认已解除", "confirm that it has ended"),
}


class AnswerForm(NamedTuple):
    """The form of one duty; `revision` is what the answer will have, so that sending it twice is one answer."""

    duty: Duty
    fields: list[FormField]
    revision: int


def answer_form(
    parts: WorkspaceParts, duty: Duty, typed: Mapping[str, str], reasons: tuple[Reason, ...] = ()
) -> AnswerForm:
    """The form of a duty, empty or as it was typed."""
    schema = parts.portal.codec.contracts.latest["measure_feedback"].schema
    states = _LIFT if duty.obligation.lift else _HELD
    options = tuple((state.value, _WORDS[state]) for state in states)
    fields = [
        field._replace(options=options, required=True) if field.name == "state" else field
        for field in form_of(parts.labels, schema, "measure_feedback", typed, reasons, only=ASKED)
    ]
    answer = duty.obligation.answer
    return AnswerForm(duty, fields, max(seconds_now(), own_revision(answer.revision) + 1 if answer else 0))


def read_answer(parts: WorkspaceParts, case: Case, typed: Mapping[str, str]) -> dict[str, Any]:
    """The feedback that was typed.

    Raises:
        RejectedError: a field is wrong, or somebody else has answered since the page was shown.
    """
    schema = parts.portal.codec.contracts.latest["measure_feedback"].schema
    given = {name: typed.get(name, "") for name in (*ASKED, *_HIDDEN)}
    fields = read_form(schema, {**given, "subject": case.subject, "decided_on": today_in_china().isoformat()})
    duty = case.duty(given["measure"])
    if duty is None:
        raise RejectedError(
            (Reason(code="nothing_owed", field="state", rule="无此待办 nothing is owed about this measure"),)
        )
    allowed = _LIFT if duty.obligation.lift else _HELD
    if given["state"] not in allowed:
        rule = " ".join(allowed)
        raise RejectedError((Reason(code="unknown_symbol", field="state", value=given["state"], rule=rule),))
    for name in [name for name, value in fields.items() if value == ""]:
        del fields[name]
    record = complete_feedback(fields, revision=seconds_now(), today=today_in_china())
    known = duty.obligation.answer
    if known is not None and known.revision >= answering(record) and not _is_same(known, record):
        rule = "页面打开后已有答复，请核对后再提交 somebody has answered since this page was shown: look, and send it again"
        raise RejectedError((Reason(code="answered_meanwhile", field="state", rule=rule),))
    return record


async def send_answer(parts: WorkspaceParts, department: str, record: Mapping[str, Any]) -> bool:
    """Put feedback on the bus; whether it has joined the standing within a moment.

    Raises:
        RejectedError: it breaks a rule of the bus.
        RetryLaterError: the bus is away; the same answer may be sent again.
    """
    receipt = await asyncio.to_thread(parts.outbound.publish, department, record, "measure_feedback")
    await asyncio.wrap_future(receipt)
    for _ in range(_SEEN_TRIES):
        duty = (await parts.case(department, record["subject"])).duty(record["measure"])
        if duty is None or (duty.obligation.answer and duty.obligation.answer.revision >= answering(record)):
            return True
        await asyncio.sleep(_SEEN_SECONDS)
    return False


def _is_same(known: Answer, record: Mapping[str, Any]) -> bool:
    state = list(FeedbackState).index(record["state"])
    return (known.document, known.state) == (record["document"], state)
