"""Routes of the credit report: the PDF, and the check of one that somebody shows."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, File, Query, Request, UploadFile
from starlette.responses import Response

from consumers.portal.access.needs import needs
from consumers.portal.parts import Parts
from consumers.portal.query.picture import Overall
from consumers.portal.query.room import QueryRoom
from consumers.portal.report.content import ContentMaker
from consumers.portal.report.pdf import LARGEST_BYTES, Press, read_report
from exchange.domain.access import PUBLIC, Act, Visitor
from exchange.domain.identity import is_person, is_series
from exchange.errors import RetryLaterError
from exchange.http.problems import RefusedError
from exchange.look_up import subject_of

_WAITING = 16
"""Reports that may wait for the press; who comes then is asked to come again."""

Reader = Annotated[Visitor, Depends(needs(Act.REPORT))]
Checker = Annotated[Visitor, Depends(needs(Act.VERIFY_REPORT))]


class ReportRoutes:
    """The report's routes.

    Args:
        parts: what the routes share.
        room: draws pictures.
    """

    def __init__(self, parts: Parts, room: QueryRoom) -> None:
        self._parts = parts
        self._seals = parts.seals
        self._room = room
        self._maker = ContentMaker(self._room.showing, parts.catalogue)
        self._press = Press()
        self._printing = asyncio.Lock()
        self._waiting = 0

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/subjects/{subject}/report.pdf")(self.report)
        router.get("/verify")(self.verify)
        router.post("/verify")(self.verify_file)
        return router

    async def report(self, request: Request, subject: str, _visitor: Reader) -> Response:
        """The report of an organisation as PDF: what anybody may see, whoever asks for it."""
        asked = subject_of(subject)
        if is_person(asked) or is_series(asked):
            raise RefusedError(
                404,
                "仅组织有信用报告 there are reports of organisations alone",
                code="no_report",
                remedy="核查 use a check",
            )
        found, picture = await self._room.picture(asked, PUBLIC)
        if not found.is_known:
            raise RefusedError(
                404, f"暂无信息 nothing is known of {asked}", code="unknown_subject", remedy="查询名称或代码 search"
            )
        content = self._maker.content(picture, datetime.now(UTC))
        code = self._seals.code(content["subject"], content["issued_at"], content["overall"])
        page = str(request.url_for("verify"))
        link = f"{page}?{urlencode({'subject': content['subject'], 'issued': content['issued_at'], 'code': code})}"
        raw = await self._print(content, code, link, page)
        name = quote(f"信用报告-{content['code']}-{content['as_of']}.pdf")
        return Response(
            raw, media_type="application/pdf",
            headers={"Content-Disposition": f"inline; filename*=UTF-8''{name}", "Cache-Control": "no-store"},
        )  # fmt: skip

    async def _print(self, content: Mapping[str, Any], code: str, link: str, page: str) -> bytes:
        if self._waiting >= _WAITING:
            raise RetryLaterError(
                "报告正在排队 the press is busy", code="press_busy", remedy="稍后再试 ask again in a minute"
            )
        self._waiting += 1
        try:
            async with self._printing:
                seal = self._seals.seal(content)
                return await asyncio.to_thread(self._press.print, dict(content), seal, code, link, page)
        finally:
            self._waiting -= 1

    async def verify(
        self,
        request: Request,
        _visitor: Checker,
        subject: Annotated[str, Query(max_length=100)] = "",
        issued: Annotated[str, Query(max_length=40)] = "",
        code: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:
        """Whether a report with this code was issued, and what it said."""
        given = {"subject": subject, "issued": issued, "code": code}
        if not all(given.values()):
            return self._page(request, given, None)
        named = subject_of(subject)
        said = self._seals.said(named, issued.strip(), code, [one.value for one in Overall])
        return await self._answer(request, given, named, said, whole=False)

    async def verify_file(self, request: Request, _visitor: Checker, report: Annotated[UploadFile, File()]) -> Response:
        """Whether a PDF is a report of this bus, unchanged."""
        raw = await report.read(LARGEST_BYTES + 1)
        content, seal = await asyncio.to_thread(read_report, raw)
        named = subject_of(str(content.get("subject", "")))
        good = self._seals.is_sealed(content, seal)
        given = {"subject": named, "issued": str(content.get("issued_at", "")), "code": ""}
        return await self._answer(request, given, named, str(content["overall"]) if good else None, whole=True)

    async def _answer(
        self, request: Request, given: dict[str, str], subject: str, said: str | None, *, whole: bool
    ) -> Response:
        verdict: dict[str, Any] = {"good": said is not None, "whole": whole}
        if said is not None:
            _, picture = await self._room.picture(subject, PUBLIC)
            verdict |= {"said": Overall(said), "now": picture.overall, "subject": subject}
        return self._page(request, given, verdict)

    def _page(self, request: Request, given: dict[str, str], verdict: dict[str, Any] | None) -> Response:
        return self._parts.pages.page(
            request, "report/verify.html", given=given, verdict=verdict, public_keys=self._seals.public(),
            overall_name=self._room.overall_name(request),
        )  # fmt: skip


def report_routes(parts: Parts, room: QueryRoom) -> APIRouter:
    """The routes of the credit report."""
    return ReportRoutes(parts, room).router()
