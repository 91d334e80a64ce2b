"""Puts the portal together: rooms, static files, the visitor's language, errors."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from consumers.portal.access.headers import SecureHeaders
from consumers.portal.access.needs import Admits
from consumers.portal.access.routes import access_routes
from consumers.portal.body_limit import LimitBody
from consumers.portal.checks.routes import add_checks
from consumers.portal.disclosure.filing_routes import filing_routes
from consumers.portal.disclosure.routes import disclosure_routes
from consumers.portal.failures import add_failures
from consumers.portal.language import RememberLanguage
from consumers.portal.pages import STATIC
from consumers.portal.parts import Parts
from consumers.portal.query.room import QueryRoom
from consumers.portal.query.routes import query_routes
from consumers.portal.report.routes import report_routes
from consumers.portal.statistics.routes import statistics_routes
from consumers.portal.warnings.routes import warning_routes

_FORM_BYTES = 1_000_000
"""What a form takes beside its file."""


def build_app(parts: Parts, door: Admits, rooms: Iterable[APIRouter] = ()) -> FastAPI:
    """The application.

    Args:
        parts: what the routes share.
        door: lets visitors in.
        rooms: routes beside these, such as those of the workspace and of the operator page.
    """
    pictures = QueryRoom(parts)
    app = FastAPI(title="creditbus", version="1", docs_url=None, redoc_url=None)
    app.state.access = door
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(access_routes(parts.pages))
    app.include_router(query_routes(parts, pictures))
    app.include_router(warning_routes(parts, pictures))
    app.include_router(report_routes(parts, pictures))
    app.include_router(filing_routes(parts, pictures))
    app.include_router(
        statistics_routes(parts, pictures)
    )  # before disclosure, which takes every other place below its own
    app.include_router(disclosure_routes(parts, pictures))
    for room in rooms:
        app.include_router(room)
    app.add_middleware(LimitBody, most_bytes=parts.settings.upload_bytes + _FORM_BYTES)
    app.add_middleware(RememberLanguage)
    add_failures(app, parts.pages)
    add_checks(app, parts)
    app.add_middleware(SecureHeaders, plain_http=parts.settings.portal_plain_http)
    return app
