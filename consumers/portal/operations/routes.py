"""Routes of the operator page: the state of now, the same live by server-sent events, and safe operations, each confirmed and written down."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from consumers.portal.access.needs import Admits, needs
from consumers.portal.operations.health import Health
from consumers.portal.operations.room import OperationsRoom
from consumers.portal.operations.watch import Point
from exchange.domain.access import Act, Visitor, may
from exchange.errors import RequestError

RECENT = 10
"""Points of the charts that are told as a table as well."""
_RETRY_MS = 3000
Operation = Literal["resync", "release", "resume"]
ForOne = Literal["release", "resume"]
Reader = Annotated[Visitor, Depends(needs(Act.READ_OPERATIONS))]
Operator = Annotated[Visitor, Depends(needs(Act.OPERATE, log=False))]
"""Written down by the route, with the operation as its matter; a question that is not answered yet does nothing."""
log = logging.getLogger("creditbus.portal")


class OperationsRoutes:
    """The pages of the room.

    Args:
        room: what they share.
    """

    def __init__(self, room: OperationsRoom) -> None:
        self._room = room

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/operations", include_in_schema=False)
        router.get("")(self.now)
        router.get("/stream")(self.stream)
        router.get("/resync")(self.ask_resync)
        router.post("/resync")(self.resync)
        router.get("/{operation}/{department}")(self.ask)
        router.post("/{operation}/{department}")(self.operate)
        return router

    async def now(
        self, request: Request, visitor: Reader, done: Operation | None = None, count: Annotated[int, Query(ge=0)] = 0
    ) -> Response:
        """The state of now."""
        health = await self._room.watch.now()
        return self._room.pages.page(
            request, "operations/operations.html", health=health, points=self._recent(), every=self._room.watch.every,
            may_operate=may(visitor, Act.OPERATE), done=done, count=count,
        )  # fmt: skip

    async def stream(self, request: Request, _visitor: Reader) -> Response:
        """The state, live, until the visitor leaves or signs out or the server ends."""
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(request), media_type="text/event-stream", headers=headers)

    async def ask_resync(self, request: Request, _visitor: Operator) -> Response:
        """Whether everybody is really to be judged again."""
        return self._ask(request, "resync", "")

    async def resync(self, request: Request, visitor: Operator) -> Response:
        """Let everybody be judged again."""
        return await self._do(request, visitor, "resync", "", self._room.safe.resync)

    async def ask(self, request: Request, operation: ForOne, department: str, _visitor: Operator) -> Response:
        """Whether a department's topic is really to go on, or its endpoint to be used again."""
        self._known(department)
        return self._ask(request, operation, department)

    async def operate(self, request: Request, operation: ForOne, department: str, visitor: Operator) -> Response:
        """Let it."""
        self._known(department)
        act = self._room.safe.release if operation == "release" else self._room.safe.resume
        return await self._do(request, visitor, operation, department, lambda: act(department))

    def _ask(self, request: Request, operation: Operation, department: str) -> Response:
        return self._room.pages.page(request, "operations/confirm.html", operation=operation, department=department)

    async def _do(
        self, request: Request, visitor: Visitor, operation: Operation, department: str, act: Callable[[], int]
    ) -> Response:
        """Write down, do, write to the log, and back to the page."""
        door: Admits = request.app.state.access
        matter = f"{operation} {department}".strip()
        await door.note(visitor, Act.OPERATE, matter=matter, request_id=request.state.request_id)
        count = await asyncio.to_thread(act)
        log.warning("operation matter=%r account=%r count=%d", matter, visitor.account, count)
        return RedirectResponse(f"/operations?done={operation}&count={count}", 303)

    def _known(self, department: str) -> None:
        if department not in self._room.catalogue.departments:
            raise RequestError(
                f"没有此部门 no department {department!r}", code="unknown_department", remedy="see /operations"
            )

    def _recent(self) -> list[Point]:
        """The newest points, newest first."""
        return list(self._room.watch.points)[: -RECENT - 1 : -1]

    async def _events(self, request: Request) -> AsyncIterator[str]:
        yield f"retry: {_RETRY_MS}\n\n"
        yield _event("history", [list(point) for point in self._room.watch.points])
        door: Admits = request.app.state.access
        async with aclosing(self._room.watch.follow()) as states:
            async for health in states:
                if not await door.still(request, Act.READ_OPERATIONS):
                    yield _event("ended", {})
                    return
                yield _event("health", self._shown(request, health))

    def _shown(self, request: Request, health: Health) -> dict[str, Any]:
        """What the page's script puts in place."""
        pages, points = self._room.pages, self._room.watch.points
        return {
            "health": pages.render(request, "operations/health.html", health=health),
            "recent": pages.render(request, "operations/recent.html", points=self._recent()),
            "point": list(points[-1]) if points else None,
        }


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def operations_routes(room: OperationsRoom) -> APIRouter:
    """The routes of the operator page."""
    return OperationsRoutes(room).router()
