"""Routes by which a department gets its notices: pages with long polling, a stream, a single one."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse

from consumers.inbox_http import words
from consumers.inbox_http.cursor import Offsets
from consumers.inbox_http.desk import Desk, Present
from consumers.inbox_http.parts import Parts
from consumers.inbox_http.reader import Notice, Page
from exchange.domain.identity import IdentityError, parse_subject
from exchange.errors import RequestError, RetryLaterError
from exchange.http.door import Caller
from exchange.http.problems import RefusedError
from exchange.json_form import to_json

LIMIT = 1000
"""Notices of a page, at most."""
LONGEST_WAIT = 30.0
"""Seconds of a long poll, at most: what proxies let pass."""
_RETRY_MS = 1000

CursorText = Annotated[str, Query(description=words.CURSOR)]
From = Annotated[Literal["beginning", "now"], Query(alias="from", description=words.FROM)]
Authorization = Annotated[str, Header(include_in_schema=False)]


def collapse(notices: list[Notice]) -> list[tuple[Notice, list[str]]]:
    """The newest notice of each subject, in the order in which they came, with the ids of those that it supersedes."""
    newest: dict[str, Notice] = {}
    seen: dict[str, dict[str, None]] = {}
    for one in notices:
        subject = one["subject"]
        known = newest.pop(subject, one)  # the place among the others is that of the last to come
        newest[subject] = max(known, one, key=lambda notice: (notice["epoch"], notice["n"]))
        seen.setdefault(subject, {})[one["id"]] = None
    return [(one, [older for older in seen[subject] if older != one["id"]]) for subject, one in newest.items()]


class NoticeRoutes:
    """The routes under /v1/notices.

    Args:
        parts: what the routes share.
        desk: serves the notices.
    """

    def __init__(self, parts: Parts, desk: Desk) -> None:
        self._parts = parts
        self._desk = desk

    def router(self) -> APIRouter:
        """The routes, with what the OpenAPI says of them."""
        router = APIRouter(tags=[words.NOTICES])
        router.get("/v1/notices", summary=words.PAGE, description=words.PAGE_HELP, responses=words.page_answers())(
            self.page
        )
        router.get(  # before the next one, which would take it for an id
            "/v1/notices/stream", summary=words.STREAM, description=words.STREAM_HELP, responses=words.STREAM_ANSWERS
        )(self.stream)
        router.get(
            "/v1/notices/{notice_id}", summary=words.ONE, description=words.ONE_HELP, responses=words.one_answers()
        )(self.one)
        return router

    async def page(
        self,
        request: Request,
        *,
        cursor: CursorText = "",
        begin: From = "beginning",
        limit: Annotated[int, Query(ge=1, le=LIMIT, description=words.LIMIT)] = 100,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description=words.WAIT)] = 0.0,
        collapsed: Annotated[bool, Query(alias="collapse", description=words.COLLAPSE)] = False,
        authorization: Authorization = "",
    ) -> JSONResponse:
        """A page of notices, at once or when there is one."""
        caller = await self._parts.door.admit(authorization)
        start = self._place_of(caller, cursor, begin)
        found = await self._desk.poll(caller.department, start, limit, wait, self._present(request, caller))
        if wait:
            await self._parts.door.admit(authorization)  # the key may have been revoked meanwhile
        self._parts.metrics.served.labels(caller.department, "page").inc(len(found.taken))
        return JSONResponse(
            {
                "notices": _shown([taken.notice for taken in found.taken], collapsed=collapsed),
                "next_cursor": self._parts.form.write(caller.department, found.offsets),
                "caught_up": found.caught_up,
            }
        )

    async def stream(
        self,
        request: Request,
        *,
        cursor: CursorText = "",
        begin: From = "beginning",
        last_event_id: Annotated[str, Header(description=words.LAST_EVENT_ID)] = "",
        authorization: Authorization = "",
    ) -> StreamingResponse:
        """Notices as they come, as server-sent events."""
        caller = await self._parts.door.admit(authorization)
        start = self._place_of(caller, last_event_id or cursor, begin)
        self._desk.check_room(caller.department)
        pages = self._desk.stream(caller.department, start, LIMIT, self._present(request, caller))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self._events(caller.department, pages), media_type="text/event-stream", headers=headers
        )

    async def one(
        self,
        notice_id: str,
        *,
        subject: Annotated[str, Query(description=words.SUBJECT)],
        authorization: Authorization = "",
    ) -> JSONResponse:
        """One notice, as thin webhook payloads refer to it."""
        caller = await self._parts.door.admit(authorization)
        try:
            found = await self._desk.find(caller.department, parse_subject(subject), notice_id)
        except IdentityError as error:
            raise RequestError(f"主体有误 {error}", code=error.code, remedy="give the notice's own subject") from error
        if found is None:
            raise RefusedError(
                404, f"没有保留该通知 notice {notice_id} about {subject} is not retained", code="unknown_notice",
                remedy="a newer notice about the subject holds all that is in force",
            )  # fmt: skip
        self._parts.metrics.served.labels(caller.department, "single").inc()
        return JSONResponse(to_json(found))

    def _place_of(self, caller: Caller, cursor: str, begin: str) -> Offsets:
        form = self._parts.form
        if cursor:
            return form.read(caller.department, cursor)
        return form.end() if begin == "now" else form.beginning()

    def _present(self, request: Request, caller: Caller) -> Present:
        async def check() -> bool:
            return not await request.is_disconnected() and await self._parts.door.still(caller)

        return check

    async def _events(self, department: str, pages: AsyncGenerator[Page, None]) -> AsyncIterator[str]:
        """A stream's text. The last event before an end that is no fault of the client leaves its place as it is."""
        yield f"retry: {_RETRY_MS}\n\n"
        was_caught_up = False
        try:
            async with aclosing(pages):
                async for found in pages:
                    for event in _notice_events(self._parts, department, found):
                        yield event
                    if found.caught_up and not was_caught_up:
                        yield _event("caught-up", self._parts.form.write(department, found.offsets), {})
                    elif not found.taken:
                        yield ": heartbeat\n\n"
                    was_caught_up = found.caught_up
        except RetryLaterError as error:  # the client comes again with what it has seen last
            yield _event("problem", "", {"code": error.code, "detail": str(error)})


def _shown(notices: list[Notice], *, collapsed: bool) -> list[Any]:
    if collapsed:
        return [to_json(one) | {"superseded": older} for one, older in collapse(notices)]
    return [to_json(one) for one in notices]


def _notice_events(parts: Parts, department: str, found: Page) -> list[str]:
    """One event a notice; its id is the cursor that goes on right behind it."""
    places = list(found.begin)
    events = []
    for partition, offset, notice in found.taken:
        places[partition] = offset + 1
        parts.metrics.served.labels(department, "stream").inc()
        events.append(_event("notice", parts.form.write(department, tuple(places)), to_json(notice)))
    return events


def _event(name: str, cursor: str, data: Any) -> str:
    head = f"id: {cursor}\n" if cursor else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
