"""Routes of the own endpoint, and of what was pushed to it: add, verify, rotate, pause, resume; the log of deliveries, and sending again."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from consumers.dispatcher.delivery_log import find_attempts, find_waiting
from consumers.dispatcher.endpoint_desk import read_time
from consumers.portal.access.needs import needs
from consumers.portal.workspace.forms import read_typed
from consumers.portal.workspace.parts import WorkspaceParts
from exchange.domain.access import Act, Visitor, may
from exchange.endpoints import Endpoint, Payload
from exchange.errors import RequestError

SHOWN = 100
_KEEP_HOURS = 72
_CHINA = "+08:00"


class EndpointRoutes:
    """The endpoint and its deliveries.

    Args:
        parts: what the routes share.
    """

    def __init__(self, parts: WorkspaceParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/workspace/{department}/endpoint")(self.endpoint)
        router.post("/workspace/{department}/endpoint")(self.change)
        router.get("/workspace/{department}/deliveries")(self.deliveries)
        router.post("/workspace/{department}/deliveries")(self.replay)
        return router

    async def endpoint(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.READ_ENDPOINTS))], done: str = ""
    ) -> Response:  # fmt: skip
        """The endpoint as it is."""
        return await self._show(request, department, visitor, done=done)

    async def change(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.CHANGE_ENDPOINTS))]
    ) -> Response:
        """Do what the button says; keys are shown where they are new, and only then."""
        typed = await read_typed(request)
        act = typed.get("act", "")
        try:
            with_keys = await self._change(department, act, typed)
        except RequestError as error:
            return await self._show(request, department, visitor, typed=typed, error=error)
        if with_keys is not None:
            return await self._show(request, department, visitor, with_keys=with_keys, done=act)
        return RedirectResponse(f"/workspace/{department}/endpoint?done={act}", 303)

    async def _change(self, department: str, act: str, typed: Mapping[str, str]) -> Endpoint | None:
        """Change the endpoint; returned where its keys are to be shown."""
        desk = self._parts.endpoints
        match act:
            case "add":
                return await asyncio.to_thread(self._add, department, typed)
            case "rotate":
                return await asyncio.to_thread(desk.rotate, department, _KEEP_HOURS)
            case "keys":
                return await asyncio.to_thread(desk.known, department)
            case "verify":
                _, why = await desk.verify(department)
                if why:
                    raise RequestError(why, code="not_verified", remedy="see docs/delivery.md, what a receiver must do")
            case "pause":
                reason = typed.get("reason", "").strip()[:200] or "由部门暂停 by its department"
                await asyncio.to_thread(desk.pause, department, reason)
            case "resume":
                await asyncio.to_thread(desk.resume, department)
            case _:
                raise RequestError(f"no act {act[:20]!r}", code="bad_request", remedy="use the buttons of the page")
        return None

    def _add(self, department: str, typed: Mapping[str, str]) -> Endpoint:
        try:
            payload, rate, most = (
                Payload(typed["payload"]) if typed.get("payload") else None,
                int(typed.get("rate", "")),
                int(typed.get("concurrency", "")),
            )
        except ValueError as error:
            raise RequestError(
                "频率和并发数须为整数 rate and concurrency are whole numbers", code="bad_limit", remedy="set them right"
            ) from error
        return self._parts.endpoints.add(
            department, typed.get("url", "").strip(), payload=payload, rate=rate, concurrency=most,
            from_now=typed.get("from_now") == "yes",
        )  # fmt: skip

    async def deliveries(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.READ_DELIVERIES))],
        subject: Annotated[str, Query(max_length=200)] = "", notice: Annotated[str, Query(max_length=64)] = "", done: str = "",
    ) -> Response:  # fmt: skip
        """Attempts, the newest first, of all, of a subject or of a notice; and what waits."""
        return await self._deliveries(request, department, visitor, subject=subject, notice=notice, done=done)

    async def replay(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.REPLAY_DELIVERIES))]
    ) -> Response:
        """Push the newest notice of each subject since a time again."""
        since = (await read_typed(request)).get("since", "")
        try:
            at = read_time(since)
            at = at if at.tzinfo else read_time(f"{since}{_CHINA}")
            await asyncio.to_thread(self._parts.endpoints.recover, department, at)
        except RequestError as error:
            return await self._deliveries(request, department, visitor, error=error)
        return RedirectResponse(f"/workspace/{department}/deliveries?done=replay", 303)

    async def _deliveries(
        self, request: Request, department: str, visitor: Visitor, *, subject: str = "", notice: str = "", done: str = "",
        error: RequestError | None = None,
    ) -> Response:  # fmt: skip
        parts = self._parts
        attempts: list[Any] = []
        try:
            about = parts.subject_of(subject.strip(), visitor) if subject.strip() else ""
            attempts = await asyncio.to_thread(
                find_attempts, parts.deliveries, parts.partitions, department, subject=about, notice=notice.strip(), limit=SHOWN
            )  # fmt: skip
        except RequestError as wrong:
            error = error or wrong
        waiting = await asyncio.to_thread(find_waiting, parts.deliveries, parts.partitions, department, SHOWN)
        return parts.page(
            request, "deliveries.html", department, status=422 if error else 200, attempts=attempts, waiting=waiting,
            subject=subject, notice=notice, error=error, done=done,
            may_replay=may(visitor, Act.REPLAY_DELIVERIES, department=department),
        )  # fmt: skip

    async def _show(
        self, request: Request, department: str, visitor: Visitor, *, typed: Mapping[str, str] | None = None,
        error: RequestError | None = None, with_keys: Endpoint | None = None, done: str = "",
    ) -> Response:  # fmt: skip
        desk = self._parts.endpoints
        endpoint = with_keys or await asyncio.to_thread(desk.store.find, department)
        facts = desk.facts(endpoint, with_keys=with_keys is not None) if endpoint else {}
        return self._parts.page(
            request, "endpoint.html", department, status=422 if error else 200, endpoint=endpoint, facts=facts, error=error,
            typed=typed or {}, done=done, may_change=may(visitor, Act.CHANGE_ENDPOINTS, department=department),
        )  # fmt: skip


def endpoint_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of the endpoint and its deliveries."""
    return EndpointRoutes(parts).router()
