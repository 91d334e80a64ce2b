"""Pages of checks for officers: ask, see the answer and why, record the decision; check a file and watch it."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.needs import needs
from consumers.portal.checks.answers import Single, read_rows
from consumers.portal.checks.counter import Ask, new_id
from consumers.portal.checks.decisions import Decided, Decision, Recorded, check_decision
from consumers.portal.checks.desk import Desk
from consumers.portal.checks.keeping import get_decision
from consumers.portal.checks.question import Question, check_matter, typed_subject
from consumers.portal.checks.reading import Command
from consumers.portal.checks.sheet import FILE_BYTES, as_csv, as_xlsx, persons_looked_up, read_sheet, result_rows
from consumers.portal.checks.words import ADVICE, VERDICTS
from exchange.clock import now_ms
from exchange.domain.access import Act, Visitor
from exchange.domain.check import GRAVEST_FIRST, Answer
from exchange.errors import RejectedError
from exchange.http.problems import RefusedError

SHOWN_ROWS = 200
"""Rows of a file's answer that its page shows, the gravest first; the file to download has all."""
_PRIVATE = {"Cache-Control": "no-store"}
_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Checking = Annotated[Visitor, Depends(needs(Act.CHECK, log=False))]
CheckingFiles = Annotated[Visitor, Depends(needs(Act.CHECK_FILE, log=False))]
Deciding = Annotated[Visitor, Depends(needs(Act.RECORD_DECISION, log=False))]
FindingPersons = Annotated[Visitor, Depends(needs(Act.FIND_PERSON, log=False))]
Text = Annotated[str, Form(max_length=1000)]


class CheckPages:
    """The pages.

    Args:
        desk: what the routes of checks share.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/checks")(self.form)
        router.post("/checks")(self.check)
        router.post("/checks/person")(self.check_person)
        router.post("/checks/files")(self.send_file)
        router.get("/checks/files/{check_id}")(self.file)
        router.get("/checks/files/{check_id}/progress")(self.progress)
        router.get("/checks/files/{check_id}/result.{kind}")(self.download)
        router.get("/checks/{check_id}")(self.answer)
        router.post("/checks/{check_id}/decision")(self.decide)
        return router

    async def form(self, request: Request, _visitor: Checking) -> Response:
        """The form."""
        return self._form(request)

    async def check(self, request: Request, visitor: Checking, code: Text = "", matter: Text = "") -> Response:
        """A check of an organisation by any code it is known by, or of a person by the department's own pseudonym."""
        check_matter(matter, self._desk.policy)
        try:
            subject = typed_subject(code, self._desk.reading_for(visitor))
        except RejectedError as error:
            return self._form(request, code=code, matter=matter, error=error)
        check_id = new_id()
        log = self._desk.note(visitor, Act.CHECK, (subject,), matter, check_id)
        return await self._ask(visitor, check_id, subject, matter, log)

    async def check_person(
        self, request: Request, visitor: FindingPersons, citizen_id: Text = "", matter: Text = ""
    ) -> Response:
        """A check of a natural person; the citizen ID becomes a pseudonym here and goes no further."""
        check_matter(matter, self._desk.policy)
        try:
            subject = await self._desk.person(citizen_id, matter)
        except RejectedError as error:
            return self._form(request, matter=matter, error=error)
        check_id = new_id()
        # The door writes it down and counts the different persons that somebody looks for.
        await request.app.state.access.note(
            visitor, Act.FIND_PERSON, subject=subject, matter=matter, request_id=check_id
        )
        return await self._ask(visitor, check_id, subject, matter, ())

    async def answer(self, request: Request, check_id: str, visitor: Checking) -> Response:
        """A check as it was answered, and the decision if there is one."""
        return await self._answer(request, check_id, visitor)

    async def decide(
        self, request: Request, check_id: str, visitor: Deciding, decision: Text = "", document: Text = "", officer: Text = "",
        detail: Text = "",
    ) -> Response:  # fmt: skip
        """Record the decision."""
        if decision not in set(Decided):
            raise RefusedError(422, "未选择办理结果 no decision", code="unknown_decision", remedy="请选择 choose one")
        given = Decision(decision=Decided(decision), document=document, officer=officer, detail=detail)
        try:
            checked = check_decision(given, self._desk.reading_for(visitor))
            await self._desk.decisions.record(check_id, checked, visitor)
        except RejectedError as error:
            return await self._answer(request, check_id, visitor, given=given, error=error)
        return RedirectResponse(f"/checks/{check_id}#decision", 303)

    async def send_file(
        self, request: Request, visitor: CheckingFiles, file: UploadFile, matter: Text = ""
    ) -> Response:
        """Take a file in and begin."""
        check_matter(matter, self._desk.policy)
        content = await file.read(FILE_BYTES + 1)
        if len(content) > FILE_BYTES:
            raise RefusedError(
                413,
                f"文件过大 the file is larger than {FILE_BYTES} bytes",
                code="too_large",
                remedy="分批核查 send it in parts",
            )
        desk, name = self._desk, file.filename or ""
        lines = await asyncio.to_thread(read_sheet, name, content, desk.reading_for(visitor), desk.parts.person_keys)
        question = Question(matter, tuple(line.subject for line in lines), is_batch=True)
        check_id = new_id()
        await request.app.state.access.count_persons(
            visitor, Act.CHECK_FILE, persons_looked_up(lines), matter=matter, request_id=check_id
        )
        log = desk.note(visitor, Act.CHECK_FILE, question.subjects, matter, check_id)
        await desk.files.begin(Ask(check_id, question, visitor, desk.showing_for(visitor), log=log), name, lines)
        return RedirectResponse(f"/checks/files/{check_id}", 303)

    async def file(self, request: Request, check_id: str, visitor: CheckingFiles) -> Response:
        """How far a file is; its answers when it is done."""
        return self._page(request, "checks/file.html", **await self._file(check_id, visitor))

    async def progress(self, request: Request, check_id: str, visitor: CheckingFiles) -> Response:
        """The part of that page that changes."""
        return self._page(request, "checks/progress.html", **await self._file(check_id, visitor))

    async def download(self, check_id: str, kind: str, visitor: CheckingFiles) -> Response:
        """A file's answers as a file."""
        if kind not in _KINDS:
            raise RefusedError(
                404, f"没有此格式 no such format {kind[:8]!r}", code="unknown_format", remedy="csv, xlsx"
            )
        desk = self._desk
        kept = await desk.counter.find(check_id, visitor)
        lines = await desk.files.lines(check_id)
        rows = result_rows(read_rows(kept.answer), lines, desk.names, desk.parts.books.today().as_of)
        content = await asyncio.to_thread(as_csv if kind == "csv" else as_xlsx, rows)
        headers = _PRIVATE | {"Content-Disposition": f'attachment; filename="checks-{check_id}.{kind}"'}
        return Response(content, headers=headers, media_type=_KINDS[kind])

    async def _ask(
        self, visitor: Visitor, check_id: str, subject: str, matter: str, log: Sequence[Command]
    ) -> Response:
        desk = self._desk
        question = Question(matter, (subject,), is_batch=False)
        await desk.counter.ask(Ask(check_id, question, visitor, desk.showing_for(visitor), log=log))
        return RedirectResponse(f"/checks/{check_id}", 303)

    async def _answer(
        self, request: Request, check_id: str, visitor: Visitor, *, given: Decision | None = None, error: RejectedError | None = None
    ) -> Response:  # fmt: skip
        desk = self._desk
        kept = await desk.counter.find(check_id, visitor)
        if len(kept.subjects) != 1:
            return RedirectResponse(f"/checks/files/{check_id}", 303)
        (raw,) = await desk.reader.run([get_decision(check_id, kept.subjects[0])])
        one = msgspec.json.decode(kept.answer, type=Single)
        return self._page(
            request, "checks/answer.html", status=422 if error else 200, check=one, asked_at=kept.asked_at // 1000,
            verdict=VERDICTS[Answer(one.answer)], advice=ADVICE[Answer(one.answer)],
            recorded=msgspec.json.decode(raw, type=Recorded) if raw else None, given=given, error=error,
            decisions=list(Decided), own={ground.measure for ground in one.grounds if ground.department == visitor.department},
        )  # fmt: skip

    async def _file(self, check_id: str, visitor: Visitor) -> dict[str, Any]:
        desk = self._desk
        job = await desk.files.find(check_id, visitor)
        shown: dict[str, Any] = {
            "job": job,
            "is_lost": job.is_lost(now_ms()),
            "rows": [],
            "counts": {},
            "verdicts": VERDICTS,
        }
        if not job.is_done:
            return shown
        batch = read_rows((await desk.counter.find(check_id, visitor)).answer)
        lines = await desk.files.lines(check_id)
        gravity = {answer.value: at for at, answer in enumerate(GRAVEST_FIRST)}
        rows = sorted(zip(lines, batch.results, strict=True), key=lambda row: gravity.get(row[1].answer, -1))
        return shown | {"rows": rows[:SHOWN_ROWS], "counts": batch.counts}

    def _form(self, request: Request, *, code: str = "", matter: str = "", error: RejectedError | None = None) -> Response:  # fmt: skip
        return self._page(
            request, "checks/form.html", status=422 if error else 200, code=code, matter=matter, error=error
        )

    def _page(self, request: Request, template: str, **given: Any) -> Response:
        matters = self._desk.policy.matters
        page = self._desk.parts.pages.page(request, template, matters=matters, names=self._desk.names, **given)
        page.headers.update(_PRIVATE)
        return page
