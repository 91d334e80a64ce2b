"""Routes of uploads: bring a file, watch it, take the report of its rows."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.upload_guard import check_upload
from consumers.portal.workspace.uploads import Upload
from exchange.domain.access import Act, Visitor, may
from exchange.errors import RequestError
from exchange.http.problems import RefusedError

SHOWN = 50


class UploadRoutes:
    """Uploads.

    Args:
        parts: what the routes share.
    """

    def __init__(self, parts: WorkspaceParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/workspace/{department}/uploads")(self.list)
        router.post("/workspace/{department}/uploads")(self.bring)
        reading = [Depends(needs(Act.READ_SUBMISSIONS))]
        router.get("/workspace/{department}/uploads/{upload}", dependencies=reading)(self.watch)
        router.get("/workspace/{department}/uploads/{upload}/report.csv", dependencies=reading)(self.report)
        return router

    async def list(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.READ_SUBMISSIONS))]
    ) -> Response:
        """The form, and the uploads of late."""
        return self._show(request, department, visitor)

    async def bring(
        self, request: Request, department: str, visitor: Annotated[Visitor, Depends(needs(Act.UPLOAD_SUBMISSIONS))]
    ) -> Response:
        """Take a file; one that cannot be taken is said so beside the field."""
        form = await request.form(max_files=1, max_fields=10)
        try:
            taken = await asyncio.to_thread(self._take, department, visitor.account, form.get("file"))
        except RequestError as error:
            return self._show(request, department, visitor, error=error)
        finally:
            await form.close()
        return RedirectResponse(f"/workspace/{department}/uploads/{taken.id}", 303)

    async def watch(self, request: Request, department: str, upload: str) -> Response:
        """How far an upload has come."""
        return self._parts.page(request, "upload.html", department, upload=self._find(department, upload))

    async def report(self, department: str, upload: str) -> Response:
        """The report of its rows, as CSV."""
        one = self._find(department, upload)
        path = self._parts.uploads.report(one)
        if not path.is_file():
            raise _unknown("报告尚未生成 there is no report yet")
        return FileResponse(path, media_type="text/csv; charset=utf-8", filename=f"report-{one.id}.csv")

    def _take(self, department: str, account: str, file: UploadFile | str | None) -> Upload:
        if not isinstance(file, UploadFile) or not file.filename:
            raise RequestError("未选择文件 no file is chosen", code="no_file", remedy="choose a CSV or XLSX file")
        name, settings = str(file.filename), self._parts.portal.settings
        with tempfile.NamedTemporaryFile(suffix=Path(name).suffix[:5]) as spooled:
            shutil.copyfileobj(file.file, spooled)
            spooled.flush()
            check_upload(
                Path(spooled.name), name, most_bytes=settings.upload_bytes, most_unpacked=settings.upload_unpacked_bytes
            )
            return self._parts.uploads.take(department, account, name, Path(spooled.name))

    def _find(self, department: str, upload: str) -> Upload:
        found = self._parts.uploads.find(department, upload)
        if found is None:
            raise _unknown("没有此文件 there is no such upload")
        return found

    def _show(
        self, request: Request, department: str, visitor: Visitor, error: RequestError | None = None
    ) -> Response:  # fmt: skip
        return self._parts.page(
            request, "uploads.html", department, status=422 if error else 200, error=error,
            uploads=self._parts.uploads.of(department)[:SHOWN],
            may_bring=may(visitor, Act.UPLOAD_SUBMISSIONS, department=department),
            most=self._parts.portal.settings.upload_bytes // 1_000_000,
        )  # fmt: skip


def _unknown(message: str) -> RefusedError:
    return RefusedError(404, message, code="unknown_upload", remedy="see the list of uploads")


def upload_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of uploads."""
    return UploadRoutes(parts).router()
