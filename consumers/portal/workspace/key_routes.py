"""Routes of the own API keys: list, issue (shown once), revoke."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.workspace.forms import read_typed
from consumers.portal.workspace.parts import WorkspaceParts
from exchange.api_keys import issue, keys_of, revoke
from exchange.domain.access import Act, Visitor, may
from exchange.errors import RequestError

_NAME_CHARACTERS = 80


class KeyRoutes:
    """API keys.

    Args:
        parts: what the routes share.
    """

    def __init__(self, parts: WorkspaceParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/workspace/{department}/keys")(self.keys)
        router.post("/workspace/{department}/keys")(self.issue)
        router.post("/workspace/{department}/keys/{key}/revoke")(self.revoke)
        return router

    async def keys(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.READ_KEYS))]
    ) -> Response:
        """The keys, the revoked ones too."""
        return await self._show(request, department, visitor)

    async def issue(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.CHANGE_KEYS))]
    ) -> Response:
        """A new key; this answer is the only one that shows it."""
        name = (await read_typed(request)).get("name", "").strip()
        if not name or len(name) > _NAME_CHARACTERS:
            error = RequestError(
                f"用途须为 1 到 {_NAME_CHARACTERS} 字 say what uses it, in 1 to {_NAME_CHARACTERS} characters",
                code="bad_name",
            )
            return await self._show(request, department, visitor, error=error)
        secret, _ = await asyncio.to_thread(issue, self._parts.keys, department, name, datetime.now(UTC))
        return await self._show(request, department, visitor, secret=secret)

    async def revoke(
        self, department: str, key: str, _: Annotated[Visitor, Depends(needs(Act.CHANGE_KEYS))]
    ) -> Response:
        """End a key, at once."""
        await asyncio.to_thread(revoke, self._parts.keys, key, datetime.now(UTC), department=department)
        return RedirectResponse(f"/workspace/{department}/keys", 303)

    async def _show(
        self, request: Request, department: str, visitor: Visitor, *, secret: str = "", error: RequestError | None = None
    ) -> Response:  # fmt: skip
        found = await asyncio.to_thread(keys_of, self._parts.keys, department)
        return self._parts.page(
            request, "keys.html", department, status=422 if error else 200, keys=found, secret=secret, error=error,
            may_change=may(visitor, Act.CHANGE_KEYS, department=department),
        )  # fmt: skip


def key_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of API keys."""
    return KeyRoutes(parts).router()
