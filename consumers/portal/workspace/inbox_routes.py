"""Routes of the inbox: the list of notices, the case of a subject, and the answers to it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.workspace.answering import AnswerForm, answer_form, read_answer, send_answer
from consumers.portal.workspace.cases import Case
from consumers.portal.workspace.forms import read_typed
from consumers.portal.workspace.inbox import ROWS, View, read_history, read_inbox, read_overdue
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.record_form import in_words
from exchange.domain.access import Act, Visitor, may
from exchange.errors import Reason, RejectedError
from exchange.http.problems import RefusedError

Cursor = Annotated[str, Query(max_length=4096)]


class InboxRoutes:
    """The inbox.

    Args:
        parts: what the routes share.
    """

    def __init__(self, parts: WorkspaceParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        reading = [Depends(needs(Act.READ_INBOX))]
        router.get("/workspace/{department}/inbox", dependencies=reading)(self.inbox)
        router.get("/workspace/{department}/inbox/{subject}")(self.case)
        router.post("/workspace/{department}/inbox/{subject}")(self.answer)
        return router

    async def inbox(
        self, request: Request, department: str, view: View = View.OPEN, cursor: Cursor = "",
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> Response:  # fmt: skip
        """Notices, the newest first; what is overdue, the longest first."""
        parts = self._parts
        if view is View.OVERDUE:
            found = await asyncio.to_thread(read_overdue, parts, department)
            rows = found[(page - 1) * ROWS : page * ROWS]
            names = await asyncio.to_thread(parts.cases, department, [row.subject for row in rows])
            return parts.page(
                request, "overdue.html", department, view=view, rows=rows, cases=names, total=len(found), page=page,
                more=len(found) > page * ROWS,
            )  # fmt: skip
        ends = parts.form.read(department, cursor) if cursor else parts.form.end()
        inbox = await read_inbox(parts, department, view, ends)
        older = parts.form.write(department, inbox.older) if inbox.older is not None else ""
        late = parts.portal.store.count_overdue
        overdue = await asyncio.to_thread(late, range(parts.partitions), [department])
        return parts.page(
            request, "inbox.html", department, view=view, inbox=inbox, older=older, first=not cursor,
            overdue=overdue[department],
        )  # fmt: skip

    async def case(
        self, request: Request, department: str, subject: str,
        visitor: Annotated[Visitor, Depends(needs(Act.READ_INBOX))], *, far: bool = False, answered: str = "",
    ) -> Response:  # fmt: skip
        """What there is to do about a subject, why, and what was said before."""
        case = await self._parts.case(department, self._parts.subject_of(subject, visitor))
        return await self._show(request, department, case, visitor, far=far, answered=answered)

    async def answer(
        self, request: Request, department: str, subject: str,
        visitor: Annotated[Visitor, Depends(needs(Act.ANSWER_NOTICES))],
    ) -> Response:  # fmt: skip
        """Take an answer; one that is wrong comes back with the reasons beside its fields."""
        typed = await read_typed(request)
        case = await self._parts.case(department, self._parts.subject_of(subject, visitor))
        try:
            record = read_answer(self._parts, case, typed)
            seen = await send_answer(self._parts, department, record)
        except RejectedError as error:
            return await self._show(request, department, case, visitor, typed=typed, reasons=error.reasons)
        answered = "yes" if seen else "soon"
        known = self._parts.portal.keys.known_as(case.subject, visitor)
        return RedirectResponse(f"/workspace/{department}/inbox/{known}?answered={answered}", 303)

    async def _show(
        self, request: Request, department: str, case: Case, visitor: Visitor, *, far: bool = False, answered: str = "",
        typed: Mapping[str, str] | None = None, reasons: tuple[Reason, ...] = (),
    ) -> Response:  # fmt: skip
        history = await read_history(self._parts, department, case.subject, far=far)
        if not history and not case.duties:
            raise RefusedError(
                404, "没有关于该主体的通知 there is no notice about this subject", code="no_notice",
                remedy="see the inbox, or the one-stop query",
            )  # fmt: skip
        forms: list[AnswerForm] = []
        wrong = (typed or {}).get("measure", "")
        if history and may(visitor, Act.ANSWER_NOTICES, department=department):
            for duty in case.duties:
                if typed is not None and duty.obligation.measure == wrong:
                    forms.append(answer_form(self._parts, duty, typed, reasons))
                else:
                    forms.append(answer_form(self._parts, duty, {"officer": visitor.account}))
        shown = {field.name for form in forms for field in form.fields if form.duty.obligation.measure == wrong}
        return self._parts.page(
            request, "case.html", department, status=422 if reasons else 200, case=case, history=history, forms=forms,
            newest=history[0] if history else None, wrong=wrong, answered=answered, far=far,
            others=[(one.field, in_words(one)) for one in reasons if one.field not in shown],
            today=self._parts.portal.books.today().as_of,
            known_name=next((one["subject_name"] for one in history if one["subject_name"]), ""),
        )  # fmt: skip


def inbox_routes(parts: WorkspaceParts) -> APIRouter:
    """The routes of the inbox."""
    return InboxRoutes(parts).router()
