"""All routes of checks: the API, its short way, and the pages."""

from fastapi import FastAPI

from consumers.portal.checks.api import CheckApi
from consumers.portal.checks.desk import open_desk
from consumers.portal.checks.pages import CheckPages
from consumers.portal.checks.shortcut import Shortcut
from consumers.portal.parts import Parts


def add_checks(app: FastAPI, parts: Parts) -> None:
    """Add the routes of checks to the portal, and the short way round those added before."""
    desk = open_desk(parts)
    api = CheckApi(desk)
    app.include_router(api.router())
    app.include_router(CheckPages(desk).router())
    app.add_middleware(Shortcut, answer=api.check)
