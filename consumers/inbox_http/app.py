"""Puts the HTTP inbox together: routes, problems, counting, and its own documentation."""

from fastapi import FastAPI

from consumers.inbox_http import words
from consumers.inbox_http.desk import Desk
from consumers.inbox_http.notices import NoticeRoutes
from consumers.inbox_http.parts import Parts
from consumers.inbox_http.replies import reply_routes
from exchange.http.docs_page import add_docs
from exchange.http.problems import add_problems
from exchange.http.serving import Counting


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
    add_docs(app)
    app.add_middleware(Counting, requests=parts.metrics.requests)
    return app
