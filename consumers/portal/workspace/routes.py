"""All routes of the workspace. Each names its department in its path, and the door lets nobody into another's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.workspace.endpoint_routes import endpoint_routes
from consumers.portal.workspace.inbox_routes import inbox_routes
from consumers.portal.workspace.key_routes import key_routes
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.quality_routes import quality_routes
from consumers.portal.workspace.submission_routes import submission_routes
from consumers.portal.workspace.upload_routes import upload_routes
from exchange.domain.access import Act, Visitor


def workspace_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of the workspace."""
    router = APIRouter(include_in_schema=False)

    @router.get("/workspace")
    async def home(request: Request, visitor: Annotated[Visitor, Depends(needs(Act.READ_INBOX))]) -> Response:
        """One's own inbox; who has no department chooses one."""
        if visitor.department:
            return RedirectResponse(f"/workspace/{visitor.department}/inbox", 303)
        slugs = sorted(parts.portal.catalogue.departments)
        return parts.portal.pages.page(request, "workspace/departments.html", slugs=slugs)

    for room in (inbox_routes, submission_routes, upload_routes, quality_routes, endpoint_routes, key_routes):
        router.include_router(room(parts))
    return router
