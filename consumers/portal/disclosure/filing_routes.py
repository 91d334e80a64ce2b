"""Routes of what the public files: objections and complaints."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from consumers.disclosure.documents import Document
from consumers.portal.access.needs import needs
from consumers.portal.disclosure.filing import Filing, complaint, new_number, objection
from consumers.portal.pages import code_of
from consumers.portal.parts import Parts
from consumers.portal.query.picture import Picture
from consumers.portal.query.room import QueryRoom
from exchange.domain.access import PUBLIC, Act, Visitor
from exchange.domain.identity import is_person, is_series
from exchange.errors import Reason, RejectedError, RequestError
from exchange.look_up import subject_of

_CONFIRM_SECONDS = 30.0

Objector = Annotated[Visitor, Depends(needs(Act.FILE_OBJECTION))]
Complainer = Annotated[Visitor, Depends(needs(Act.FILE_COMPLAINT))]
Code = Annotated[str, Form(max_length=100)]
Words = Annotated[str, Form(max_length=4000)]


class FilingRoutes:
    """The forms.

    Args:
        parts: what the routes share.
        room: draws pictures.
    """

    def __init__(self, parts: Parts, room: QueryRoom) -> None:
        self._parts = parts
        self._room = room

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/disclosure", include_in_schema=False)
        router.get("/objection")(self.objection_form)
        router.post("/objection")(self.object)
        router.get("/complaint")(self.complaint_form)
        router.post("/complaint")(self.complain)
        return router

    async def objection_form(
        self, request: Request, _visitor: Objector, subject: Annotated[str, Query(max_length=100)] = "",
        document: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:  # fmt: skip
        """The form of an objection: first whose, then to which document."""
        picture = await self._picture(subject) if subject else None
        return self._page(
            request, "objection", picture, {"subject": subject, "document": document, "number": new_number()}
        )

    async def object(
        self, request: Request, _visitor: Objector, subject: Code, document: Annotated[str, Form(max_length=500)] = "",
        detail: Words = "", number: Code = "",
    ) -> Response:  # fmt: skip
        """File an objection."""
        given = {"subject": subject, "document": document, "detail": detail, "number": number}
        try:
            picture = await self._picture(subject)
        except RequestError as error:
            return self._page(
                request, "objection", None, given, [Reason(code=error.code, field="subject", rule=str(error))]
            )
        try:
            filing = objection(
                picture.subject, _name(picture), _wanted(picture, document), detail, number, self._parts.catalogue
            )
            await self._publish(filing)
        except RejectedError as error:
            return self._page(request, "objection", picture, given, error.reasons)
        return self._filed(request, filing)

    async def complaint_form(
        self, request: Request, _visitor: Complainer, subject: Annotated[str, Query(max_length=100)] = ""
    ) -> Response:
        """The form of a complaint."""
        return self._page(request, "complaint", None, {"subject": subject, "number": new_number()})

    async def complain(
        self, request: Request, _visitor: Complainer, subject: Code, title: Code = "", detail: Words = "", number: Code = ""
    ) -> Response:  # fmt: skip
        """File a complaint."""
        given = {"subject": subject, "title": title, "detail": detail, "number": number}
        try:
            picture = await self._picture(subject)
            department = self._parts.settings.operator_department
            filing = complaint(picture.subject, _name(picture), title, detail, number, department)
            await self._publish(filing)
        except RejectedError as error:
            return self._page(request, "complaint", None, given, error.reasons)
        except RequestError as error:
            return self._page(
                request, "complaint", None, given, [Reason(code=error.code, field="subject", rule=str(error))]
            )
        return self._filed(request, filing)

    async def _picture(self, text: str) -> Picture:
        """The public picture of the organisation that is meant.

        Raises:
            RequestError: `unknown_subject`, or what is wrong with the code.
        """
        subject = subject_of(text)
        found, picture = await self._room.picture(subject, PUBLIC)
        if is_person(subject) or is_series(subject) or not found.is_known:
            raise RequestError(
                f"没有此主体 no subject {text}", code="unknown_subject", remedy="核对代码 check the code"
            )
        return picture

    async def _publish(self, filing: Filing) -> None:
        """Put it on the bus; returns once the bus has it.

        Raises:
            RejectedError: it breaks a rule, such as a citizen ID in the text.
            RetryLaterError: the bus is away.
        """
        future = await asyncio.to_thread(
            self._parts.outbound.publish, filing.department, filing.record, filing.record_type
        )
        await asyncio.wait_for(asyncio.wrap_future(future), _CONFIRM_SECONDS)

    def _page(
        self, request: Request, kind: str, picture: Picture | None, given: dict[str, str], reasons: Any = ()
    ) -> Response:
        return self._parts.pages.page(
            request, f"disclosure/{kind}.html", status=422 if reasons else 200, picture=picture, given=given, reasons=reasons,
            name=_name(picture) if picture else "", labels=self._room.showing.labels,
        )  # fmt: skip

    def _filed(self, request: Request, filing: Filing) -> Response:
        return self._parts.pages.page(request, "disclosure/filed.html", filing=filing)


def _name(picture: Picture) -> str:
    return picture.registration.name if picture.registration else code_of(picture.subject)


def _wanted(picture: Picture, document: str) -> Document:
    """The document that is objected to, by its key or number.

    Raises:
        RejectedError: `unknown_document`.
    """
    for one in picture.documents:
        if document in (one.key, one.number):
            return one
    rule = "请选择要提出异议的文书: choose a document that is public"
    raise RejectedError((Reason(code="unknown_document", field="document", value=document[:200], rule=rule),))


def filing_routes(parts: Parts, room: QueryRoom) -> APIRouter:
    """The routes of what the public files."""
    return FilingRoutes(parts, room).router()
