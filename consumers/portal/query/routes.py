"""Routes of the one-stop query: search, and the credit picture of a subject."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.language import language_of, translator
from consumers.portal.parts import Parts
from consumers.portal.query.room import QueryRoom
from exchange.domain.access import Act, Visitor, may
from exchange.domain.identity import is_person, is_series
from exchange.errors import RequestError
from exchange.http.problems import RefusedError
from exchange.known_as import PREFIX
from exchange.look_up import subject_of

PAGE = 20
"""Hits of a page."""

Searcher = Annotated[Visitor, Depends(needs(Act.SEARCH))]
Viewer = Annotated[Visitor, Depends(needs(Act.PICTURE))]


class QueryRoutes:
    """The pages of the room.

    Args:
        parts: what the routes share.
        room: draws pictures.
    """

    def __init__(self, parts: Parts, room: QueryRoom) -> None:
        self._parts = parts
        self._room = room

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/")(self.home)
        router.get("/search")(self.search)
        router.get("/subjects/{subject}")(self.picture)
        return router

    async def home(self, request: Request, _visitor: Searcher) -> Response:
        """The search form."""
        return self._parts.pages.page(request, "query/home.html")

    async def search(
        self, request: Request, _visitor: Searcher, q: Annotated[str, Query(max_length=100)] = "", page: Annotated[int, Query(ge=1, le=500)] = 1
    ) -> Response:  # fmt: skip
        """Whoever is meant: a code leads to its subject at once, a name to a list."""
        text = q.strip()
        if not text:
            return RedirectResponse("/", 303)
        try:
            return RedirectResponse(f"/subjects/{subject_of(text)}", 303)
        except RequestError:
            pass  # no code: a name
        directory = self._parts.directory
        found = await asyncio.to_thread(directory.search, text, limit=PAGE, offset=(page - 1) * PAGE)
        return self._parts.pages.page(
            request, "query/results.html", text=text, hits=found.hits, total=found.total_at_least, page=page,
            more=found.total_at_least > page * PAGE, **self._words(request),
        )  # fmt: skip

    async def picture(self, request: Request, subject: str, visitor: Viewer) -> Response:
        """The credit picture, as far as the visitor may see it."""
        asked = self._asked(subject, visitor)
        if is_series(asked) and may(visitor, Act.READ_WARNINGS):
            return RedirectResponse(f"/warnings/{asked}", 307)
        found, picture = await self._room.picture(asked, visitor)
        if found.subject != asked:
            return RedirectResponse(f"/subjects/{self._parts.keys.known_as(found.subject, visitor)}", 307)
        say = translator(language_of(request))
        shown = self._words(request) | self._room.showing.picture(picture, say)
        shown["risk"] = await self._room.risk(found, visitor)
        return self._parts.pages.page(request, "query/picture.html", status=200 if found.is_known else 404, **shown)

    def _asked(self, text: str, visitor: Visitor) -> str:
        """The subject that a link names: a person only by the pseudonym of the visitor's own audience."""
        asked = self._parts.keys.subject_of(text, visitor) if text.startswith(PREFIX) else subject_of(text)
        no_series = asked is not None and is_series(asked) and not may(visitor, Act.READ_WARNINGS)
        if asked is None or no_series or (is_person(asked) and not text.startswith(PREFIX)):
            raise RefusedError(
                404, f"没有此主体 no subject {text}", code="unknown_subject", remedy="查询名称或代码 search again"
            )
        return asked

    def _words(self, request: Request) -> dict[str, Any]:
        return self._room.showing.words(translator(language_of(request)), self._parts.books.today().as_of)


def query_routes(parts: Parts, room: QueryRoom) -> APIRouter:
    """The routes of the one-stop query."""
    return QueryRoutes(parts, room).router()
