"""Checks for programs: `POST /v1/checks`, one subject or up to 10,000; `GET /v1/checks/{id}`; the decision on a check."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from consumers.portal.access.needs import needs
from consumers.portal.checks import api_words
from consumers.portal.checks.counter import Ask, new_id
from consumers.portal.checks.decisions import read_decision
from consumers.portal.checks.desk import Desk
from consumers.portal.checks.question import read_question
from consumers.portal.checks.shortcut import PATH
from exchange.domain.access import Act
from exchange.http.problems import RefusedError

BODY_BYTES = 2 * 2**20
_KEY_CHARACTERS = 255
_PRIVATE = {"Cache-Control": "no-store"}


class CheckApi:
    """The routes.

    Args:
        desk: what the routes of checks share.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._admit = needs(Act.CHECK, log=False)
        self._admit_decision = needs(Act.RECORD_DECISION, log=False)

    def router(self) -> APIRouter:
        """The routes, for an application whose door is `app.state.access`."""
        router = APIRouter(tags=[api_words.TAG])
        router.post(PATH, **api_words.CHECK)(self.check)
        router.get("/v1/checks/{check_id}", **api_words.FIND)(self.find)
        router.post("/v1/checks/{check_id}/decision", **api_words.DECIDE)(self.decide)
        return router

    async def check(self, request: Request) -> Response:
        """A check of one subject or of many; `Shortcut` leads here past the router."""
        visitor = await self._admit(request)
        key = request.headers.get("idempotency-key", "")
        if len(key) > _KEY_CHARACTERS:
            raise RefusedError(
                400, f"Idempotency-Key: {len(key)} characters", code="bad_idempotency_key",
                remedy=f"at most {_KEY_CHARACTERS} characters",
            )  # fmt: skip
        desk = self._desk
        question = read_question(await read_body(request), desk.policy, desk.reading_for(visitor))
        check_id = new_id()
        log = desk.note(visitor, Act.CHECK, question.subjects, question.matter, check_id)
        kept = await desk.counter.ask(Ask(check_id, question, visitor, desk.showing_for(visitor), key, log))
        return _json(kept.answer)

    async def find(self, request: Request) -> Response:
        """A check as it was answered."""
        visitor = await self._admit(request)
        return _json((await self._desk.counter.find(request.path_params["check_id"], visitor)).answer)

    async def decide(self, request: Request) -> Response:
        """What the department then decided."""
        visitor = await self._admit_decision(request)
        decision = read_decision(await read_body(request), self._desk.reading_for(visitor))
        recorded = await self._desk.decisions.record(request.path_params["check_id"], decision, visitor)
        return _json(msgspec.json.encode(recorded))


async def read_body(request: Request) -> bytes:
    """The body of a request.

    Raises:
        RefusedError: 413 `too_large`.
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES:
            raise RefusedError(
                413, f"正文过大 the body is larger than {BODY_BYTES} bytes", code="too_large", remedy="send it in parts"
            )
    return bytes(raw)


def _json(body: bytes) -> Response:
    return Response(body, headers=_PRIVATE, media_type="application/json")
