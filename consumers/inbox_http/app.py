"""Puts the HTTP inbox together: routes, problems, counting, and its own documentation from this host alone."""

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.inbox_http import words
from consumers.inbox_http.desk import Desk
from consumers.inbox_http.notices import NoticeRoutes
from consumers.inbox_http.parts import Parts
from consumers.inbox_http.problems import add_problems
from consumers.inbox_http.replies import reply_routes
from exchange.metrics import InboxHttpMetrics

_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.6 sans-serif;max-width:60em;margin:2em auto}}code{{background:#eee}}</style>
<h1>{title}</h1><p>{about}</p><p><a href="/openapi.json">openapi.json</a></p>{routes}</html>"""


class Counting:
    """Counts requests by route and status.

    Args:
        app: the application.
        metrics: to count in.
    """

    def __init__(self, app: ASGIApp, metrics: InboxHttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, str(status)).inc()


def build_app(parts: Parts, desk: Desk) -> FastAPI:
    """The application.

    Args:
        parts: what the routes share.
        desk: serves notices.
    """
    app = FastAPI(title=words.TITLE, description=words.ABOUT, version="1", docs_url=None, redoc_url=None)
    app.include_router(NoticeRoutes(parts, desk).router())
    app.include_router(reply_routes(parts, desk))
    add_problems(app)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_page_of(app.openapi()))

    app.add_middleware(Counting, metrics=parts.metrics)
    return app


def _page_of(openapi: dict[str, Any]) -> str:
    """The documentation as one page that asks no other host for anything."""
    routes = []
    for path, methods in openapi["paths"].items():
        for method, one in methods.items():
            rows = "".join(
                f"<li><code>{escape(given['name'])}</code> {escape(given.get('description', ''))}</li>"
                for given in one.get("parameters", ())
            )
            head = f"<h2><code>{method.upper()} {escape(path)}</code></h2><h3>{escape(one['summary'])}</h3>"
            routes.append(f"{head}<p>{escape(one['description'])}</p><ul>{rows}</ul>")
    return _PAGE.format(title=escape(words.TITLE), about=escape(words.ABOUT), routes="".join(routes))
