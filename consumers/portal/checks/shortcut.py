"""The short way to `POST /v1/checks`: past the routing that all other requests go through, which costs more than the check itself."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from exchange.http.problems import answer_problem

PATH = "/v1/checks"
log = logging.getLogger("creditbus.portal")


class Shortcut:
    """Answers one path by itself; errors become problems as on the long way.

    Args:
        app: the application, for everything else.
        answer: of a `POST` to `PATH`.
    """

    def __init__(self, app: ASGIApp, *, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Exception as error:  # the answer says which; a fault of ours is logged with its trace
            response = await answer_problem(request, error)
            if response.status_code == 500:  # internal error
                log.exception("check failed")
        await response(scope, receive, send)
