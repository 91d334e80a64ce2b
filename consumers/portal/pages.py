"""Renders pages: one place for templates, the visitor's language, and how days, money and times are written."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from consumers.portal.language import language_of, translator
from exchange.catalogue import Catalogue
from exchange.clock import CHINA
from exchange.domain.calendar import day_of, to_date

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
_NONE = "—"


def write_day(day: int | None) -> str:
    """A day (since 1970-01-01) as people write it.

    >>> write_day(20597)
    '2026-05-24'
    """
    return _NONE if day is None else to_date(day).isoformat()


def write_moment(seconds: float | None) -> str:
    """Seconds since 1970-01-01 UTC, as the clock on the wall shows them in China."""
    return f"{datetime.fromtimestamp(seconds, CHINA):%Y-%m-%d %H:%M:%S}" if seconds else _NONE


def write_yuan(fen: int) -> str:
    """Money in yuan.

    >>> write_yuan(123456789)
    '1,234,567.89'
    """
    return f"{fen / 100:,.2f}" if abs(fen) < 10**14 else f"{fen // 100:,}"


def code_of(subject: str) -> str:
    """What people call a subject by: its code without the kind.

    >>> code_of("org:91440300PDY00001X3")
    '91440300PDY00001X3'
    """
    return subject.partition(":")[2] or subject


class Pages:
    """The templates.

    Args:
        catalogue: names of departments and regions.
        now_ms: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, catalogue: Catalogue, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._catalogue = catalogue
        self._now_ms = now_ms
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters |= {"day": write_day, "moment": write_moment, "yuan": write_yuan, "code": code_of}

    def render(self, request: Request, name: str, /, **given: Any) -> str:
        """A template's text.

        Args:
            request: whose language and visitor it is for.
            name: of the template, such as `query/search.html`.
            given: what the template shows.
        """
        language = language_of(request)
        t = translator(language)

        def department(slug: str) -> str:
            found = self._catalogue.departments.get(slug)
            if found is None:
                return slug
            return t(self._catalogue.name_of(slug, day_of(self._now_ms())), found.name_en)

        context = {
            "request": request, "t": t, "language": language, "department_name": department,
            "visitor": getattr(request.state, "visitor", None), "now": self._now_ms() // 1000,
            "csrf_token": getattr(request.state, "csrf_token", ""),
        }  # fmt: skip
        return self._templates.get_template(name).render(context | given)

    def page(self, request: Request, name: str, /, *, status: int = 200, **given: Any) -> HTMLResponse:
        """A page; see `render`."""
        return HTMLResponse(self.render(request, name, **given), status)
