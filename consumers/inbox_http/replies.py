"""Routes by which a department answers: receipts of notices, feedback about measures. Each row has its own result."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from consumers.inbox_http import words
from consumers.inbox_http.desk import Desk
from consumers.inbox_http.parts import Parts
from consumers.inbox_http.reader import Notice
from consumers.inbox_http.row_schemas import FEEDBACK_BODY, RECEIPTS_BODY
from exchange.answers import (
    complete_feedback,
    feedback_document,
    receipt_document,
    receipt_of,
    seconds_now,
    today_in_china,
)
from exchange.errors import Reason, RejectedError
from exchange.http.problems import RefusedError
from exchange.http.sending import Result, Row, send
from exchange.json_form import from_json

RECEIPT, FEEDBACK = "delivery_receipt", "measure_feedback"
ROWS = 1000
"""Rows of one request, at most."""
_BODY_BYTES = 4 * 2**20
_PAGE = 500
_GIVEN_BY_BUS = ("department", "published_at", "classification")
_NOTICE_FIELDS = ("id", "subject", "epoch", "n")
Authorization = Annotated[str, Header(include_in_schema=False)]


def read_feedback(parts: Parts, given: object, revision: int) -> Row:
    """A row of feedback as the publisher takes it."""
    if not isinstance(given, Mapping):
        return Row(FEEDBACK, {}, (Reason(code="wrong_type", value=str(given)[:200], rule="a JSON object"),))
    own = [
        Reason(code="unknown_field", field=name, rule="the bus fills it in itself") for name in _GIVEN_BY_BUS if name in given
    ]  # fmt: skip
    try:
        fields = from_json(parts.codec.contracts.latest[FEEDBACK].schema, given)
    except RejectedError as error:
        return Row(FEEDBACK, given, (*own, *error.reasons))
    return Row(FEEDBACK, complete_feedback(fields, revision=revision, today=today_in_china()), tuple(own))


def read_receipt(given: object, now: datetime) -> Row:
    """The receipt of a notice that a department names."""
    missing = [name for name in _NOTICE_FIELDS if not isinstance(given, Mapping) or name not in given]
    if not isinstance(given, Mapping) or missing:
        return Row(
            RECEIPT, {}, tuple(Reason(code="missing_field", field=name, rule="of the notice") for name in missing)
        )
    return Row(RECEIPT, receipt_of(given, "INBOX", now))


def reply_routes(parts: Parts, desk: Desk) -> APIRouter:
    """POST /v1/receipts and /v1/feedback."""
    router = APIRouter(tags=[words.ANSWERS])

    @router.post(
        "/v1/receipts", summary=words.RECEIPTS, description=words.RECEIPTS_HELP,
        responses=words.answers_of(receipt_document("3f0c9b1e")),
        openapi_extra=words.body_of(words.RECEIPTS, RECEIPTS_BODY, words.receipts_example()),
    )  # fmt: skip
    async def receipts(request: Request, authorization: Authorization = "") -> JSONResponse:
        caller = await parts.door.admit(authorization)
        body = await _read_body(request)
        if not isinstance(body, Mapping) or ("cursor" in body) == ("notices" in body):
            raise _bad_body("give either notices or cursor")
        if "cursor" in body:
            given: object = await _between(parts, desk, caller.department, body)
        else:
            given = body["notices"]
        now = datetime.now(UTC)
        rows = [read_receipt(one, now) for one in _as_rows(given)]
        results = await asyncio.to_thread(_send, parts, caller.department, rows)
        parts.metrics.receipts.labels(caller.department).inc(_accepted(results))
        return _answer(results)

    @router.post(
        "/v1/feedback", summary=words.FEEDBACK, description=words.FEEDBACK_HELP,
        responses=words.answers_of(feedback_document("3f0c9b1e", "procurement_ban")),
        openapi_extra=words.body_of(words.FEEDBACK, FEEDBACK_BODY, words.feedback_example()),
    )  # fmt: skip
    async def feedback(request: Request, authorization: Authorization = "") -> JSONResponse:
        caller = await parts.door.admit(authorization)
        body = await _read_body(request)
        second, steps = seconds_now(), Counter[tuple[str, str]]()
        rows = []
        for one in _as_rows([body] if isinstance(body, Mapping) else body):
            step = (str(one.get("notice_id")), str(one.get("measure"))) if isinstance(one, Mapping) else ("", "")
            rows.append(read_feedback(parts, one, second + steps[step]))
            steps[step] += 1
        results = await asyncio.to_thread(_send, parts, caller.department, rows)
        for row, result in zip(rows, results, strict=True):
            if result["status"] == "accepted":
                state = row.record.get("state", "ACKNOWLEDGED")
                parts.metrics.feedback.labels(caller.department, state).inc()
        return _answer(results)

    return router


async def _read_body(request: Request) -> object:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_BYTES:
            raise RefusedError(
                413,
                f"正文过大 the body is larger than {_BODY_BYTES} bytes",
                code="too_large",
                remedy="send it in parts",
            )
    try:
        body: object = json.loads(raw)
    except ValueError as error:
        raise _bad_body("the body is JSON") from error
    return body


def _as_rows(given: object) -> list[object]:
    if not isinstance(given, list) or not 0 < len(given) <= ROWS:
        raise _bad_body(f"1 to {ROWS} rows")
    return given


async def _between(parts: Parts, desk: Desk, department: str, body: Mapping[str, Any]) -> list[Notice]:
    """The notices between the cursors `since` (the beginning, where it is left out) and `cursor`."""
    end = parts.form.read(department, str(body["cursor"]))
    place = parts.form.read(department, str(body["since"])) if body.get("since") else parts.form.beginning()
    found: list[Notice] = []
    while any(here < there for here, there in zip(place, end, strict=True)):
        page = await desk.read(department, place, _PAGE)
        found += [taken.notice for taken in page.taken if taken.offset < end[taken.partition]]
        if len(found) > ROWS:
            raise _bad_body(f"at most {ROWS} notices lie between since and cursor")
        place = page.offsets
        if page.caught_up:
            break
    return found or [_nothing_between()]


def _nothing_between() -> Notice:
    raise _bad_body("at least one notice lies between since and cursor")


def _bad_body(rule: str) -> RefusedError:
    return RefusedError(400, f"正文有误 the body is wrong: {rule}", code="bad_body", remedy="see /docs for an example")


def _send(parts: Parts, department: str, rows: list[Row]) -> list[Result]:
    """Put rows on the bus and wait until it has them; the result of each, in order."""
    results = list(send(parts.outbound, department, rows))
    for result in results:
        for reason in result.get("reasons", ()):
            parts.metrics.refused.labels(department, reason["code"]).inc()
    return results


def _accepted(results: list[dict[str, Any]]) -> int:
    return sum(result["status"] == "accepted" for result in results)


def _answer(results: list[dict[str, Any]]) -> JSONResponse:
    accepted = _accepted(results)
    content = {"accepted": accepted, "refused": len(results) - accepted, "results": results}
    return JSONResponse(content, 200 if accepted == len(results) else 207)
