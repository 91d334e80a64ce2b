"""Route of data quality and timeliness."""

import asyncio

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from consumers.portal.access.needs import needs
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.quality import SAMPLE, Measures, Quality, assess
from consumers.portal.workspace.submissions import read_submissions
from exchange.catalogue_resources import UPDATE_CYCLES
from exchange.clock import now_ms
from exchange.domain.access import Act
from exchange.domain.timeliness import Timeliness
from exchange.labels import Label
from exchange.reasons import REASONS, Meaning

KEPT_MS = 60_000


class QualityRoutes:
    """Quality and timeliness.

    Args:
        parts: what the routes share.
    """

    def __init__(self, parts: WorkspaceParts) -> None:
        self._parts = parts
        portal = parts.portal
        timeliness = Timeliness(portal.books.policy, parts.working_days.deadlines())
        self._measures = Measures(timeliness, parts.working_days, portal.catalogue.recommended)
        self._kept: dict[str, tuple[int, Quality]] = {}

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        reading = [Depends(needs(Act.READ_SUBMISSIONS))]
        router.get("/workspace/{department}/quality", dependencies=reading)(self.quality)
        return router

    async def quality(self, request: Request, department: str) -> Response:
        """How good and how timely what the department publishes is."""
        return self._parts.page(
            request, "quality.html", department, quality=await self._assess(department),
            cycle=lambda code: Label(*UPDATE_CYCLES[code]), meaning=lambda code: REASONS.get(code, Meaning(code, code)),
        )  # fmt: skip

    async def _assess(self, department: str) -> Quality:
        now = now_ms()
        at, kept = self._kept.get(department, (0, None))
        if kept is None or now - at > KEPT_MS:
            parts = self._parts
            page = await read_submissions(parts, department, parts.form.end(), SAMPLE)
            resources = [one for one in parts.portal.catalogue.resources if department in one.providers]
            kept = await asyncio.to_thread(
                assess, page.rows, resources, self._measures, now=now, whole=page.older is None
            )
            self._kept[department] = (now, kept)
        return kept


def quality_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of quality."""
    return QualityRoutes(parts).router()
