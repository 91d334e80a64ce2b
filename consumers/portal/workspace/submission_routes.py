"""Routes of own submissions: what was published, what was rejected, and the form that mends it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.workspace.correcting import send_correction
from consumers.portal.workspace.forms import read_typed
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.persons import Persons
from consumers.portal.workspace.record_form import form_of, in_words, texts_of
from consumers.portal.workspace.submissions import Rejected, read_rejection, read_rejections, read_submissions
from exchange.domain.access import Act, Visitor, may
from exchange.errors import Reason, RejectedError
from exchange.http.problems import RefusedError

Cursor = Annotated[str, Query(max_length=4096)]
PlacePath = Annotated[str, Path(pattern=r"^\d{1,4}-\d{1,18}$")]


class SubmissionRoutes:
    """Own submissions.

    Args:
        parts: what the routes share.
    """

    def __init__(self, parts: WorkspaceParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        reading = [Depends(needs(Act.READ_SUBMISSIONS))]
        router.get("/workspace/{department}/submissions", dependencies=reading)(self.submissions)
        router.get("/workspace/{department}/rejections", dependencies=reading)(self.rejections)
        router.get("/workspace/{department}/rejections/{place}")(self.rejection)
        router.post("/workspace/{department}/rejections/{place}")(self.correct)
        return router

    async def submissions(self, request: Request, department: str, cursor: Cursor = "") -> Response:
        """What the department has published, the newest first."""
        page = await read_submissions(self._parts, department, self._ends(department, cursor))
        return self._page(request, "submissions.html", department, page, cursor)

    async def rejections(self, request: Request, department: str, cursor: Cursor = "") -> Response:
        """What was rejected, with every reason."""
        page = await read_rejections(self._parts, department, self._ends(department, cursor))
        return self._page(request, "rejections.html", department, page, cursor)

    async def rejection(
        self, request: Request, department: str, place: PlacePath,
        visitor: Annotated[Visitor, Depends(needs(Act.READ_SUBMISSIONS))], sent: str = "",
    ) -> Response:  # fmt: skip
        """One rejected record as a form, filled in, with what is wrong beside its fields."""
        found = await self._find(department, place)
        return self._show(request, department, found, visitor, sent=sent)

    async def correct(
        self, request: Request, department: str, place: PlacePath,
        visitor: Annotated[Visitor, Depends(needs(Act.CORRECT_SUBMISSIONS))],
    ) -> Response:  # fmt: skip
        """Publish what was mended; what is still wrong comes back with the reasons."""
        persons = self._persons(visitor)
        typed = {name: persons.find(text) for name, text in (await read_typed(request)).items()}
        found = await self._find(department, place)
        try:
            await send_correction(self._parts, department, visitor.account, found, typed)
        except RejectedError as error:
            return self._show(request, department, found, visitor, typed=typed, reasons=error.reasons)
        return RedirectResponse(f"/workspace/{department}/rejections/{place}?sent=yes", 303)

    async def _find(self, department: str, place: str) -> Rejected:
        partition, _, offset = place.partition("-")
        found = await read_rejection(self._parts, department, (int(partition), int(offset)))
        if found is None:
            raise RefusedError(
                404,
                "没有此退回记录 there is no such rejection",
                code="unknown_rejection",
                remedy="see the list of rejections",
            )
        return found

    def _show(
        self, request: Request, department: str, found: Rejected, visitor: Visitor, *,
        typed: Mapping[str, str] | None = None, reasons: tuple[Reason, ...] | None = None, sent: str = "",
    ) -> Response:  # fmt: skip
        fields = []
        persons = self._persons(visitor)
        wrong = [persons.hide_value(one) for one in (found.reasons if reasons is None else reasons)]
        if found.record is not None and found.record_type in self._parts.portal.catalogue.grants(department):
            schema = self._parts.portal.codec.contracts.latest[found.record_type].schema
            texts = {name: persons.hide(text) for name, text in (typed or texts_of(schema, found.record)).items()}
            fields = form_of(self._parts.labels, schema, found.record_type, texts, wrong)
        shown = {field.name for field in fields if field.errors}
        return self._parts.page(
            request, "rejection.html", department, status=422 if reasons else 200, found=found, fields=fields, sent=sent,
            label=self._parts.labels.record(found.record_type) if found.record_type else None,
            others=[(one.field, in_words(one)) for one in wrong if one.field.split("[")[0] not in shown],
            may_correct=may(visitor, Act.CORRECT_SUBMISSIONS, department=department),
            step=(typed or {}).get("step", "as_is"),
        )  # fmt: skip

    def _persons(self, visitor: Visitor) -> Persons:
        return Persons(self._parts.portal.keys, visitor)

    def _ends(self, department: str, cursor: str) -> tuple[int, ...]:
        form = self._parts.form
        return form.read(department, cursor) if cursor else form.end()

    def _page(self, request: Request, name: str, department: str, page: Any, cursor: str) -> Response:
        older = self._parts.form.write(department, page.older) if page.older is not None else ""
        return self._parts.page(
            request, name, department, rows=page.rows, older=older, first=not cursor,
            in_words=lambda reason: in_words(self._persons(request.state.visitor).hide_value(reason)),
            record_label=self._parts.labels.record,
        )  # fmt: skip


def submission_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of own submissions."""
    return SubmissionRoutes(parts).router()
