"""Pages of the auditor: who asked for what, by account, subject and day; as a page and as a file."""

import asyncio
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from consumers.portal.access.needs import Admits, needs
from consumers.portal.access.reads import Read
from consumers.portal.checks.question import typed_subject
from consumers.portal.checks.sheet import plain_cell
from consumers.portal.pages import Pages
from exchange.clock import CHINA, today
from exchange.domain.access import MATRIX, Act, Visitor
from exchange.errors import Reason, RejectedError
from exchange.known_as import PortalKeys

SHOWN = 200
"""Entries of a page, the newest; the file has more."""
EXPORTED = 100_000
"""Entries of a file, at most, the newest."""
HEADER = (
    "时间 asked at", "账号 account", "角色 role", "部门 department", "行为 act", "主体 subject", "事由 matter", "请求 request id"
)  # fmt: skip
Auditor = Annotated[Visitor, Depends(needs(Act.READ_ACCESS_LOG, log=False))]
"""Written down by the route, with whom he searches for."""
Text = Annotated[str, Query(max_length=100)]
Reads = Callable[["Wanted"], list[Read]]
"""Entries, oldest first; raises `RetryLaterError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched for; times in milliseconds since 1970-01-01 UTC."""

    since_ms: int
    until_ms: int | None
    subject: str = ""
    account: str = ""


class AccessLogRoutes:
    """The pages of the access log.

    Args:
        pages: the templates.
        reads: reads the log.
        keys: of the pseudonyms under which auditors know persons.
    """

    def __init__(self, pages: Pages, reads: Reads, keys: PortalKeys) -> None:
        self._pages = pages
        self._reads = reads
        self._keys = keys

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/access-log", include_in_schema=False)
        router.get("")(self.search)
        router.get("/entries.csv")(self.export)
        return router

    async def search(
        self, request: Request, visitor: Auditor, account: Text = "", about: Text = "", day: Text = ""
    ) -> Response:
        """The newest entries of a day, by default of today."""
        day = day or today().isoformat()
        entries, error = [], None
        try:
            entries = await self._found(request, visitor, account.strip(), about.strip(), day, "")
        except RejectedError as failed:
            error = failed
        shown = [
            entry | {"subject": self._keys.known_as(entry["subject"], visitor)} for entry in entries[: -SHOWN - 1 : -1]
        ]
        return self._pages.page(
            request, "administration/access_log.html", status=422 if error else 200, entries=shown, total=len(entries), account=account,
            about="" if error else about, day=day, error=error, acts=MATRIX,
        )  # fmt: skip

    async def export(
        self, request: Request, visitor: Auditor, account: Text = "", about: Text = "", day: Text = ""
    ) -> Response:
        """The same as a CSV file that spreadsheets open; no cell can be taken for a formula."""
        day = day or today().isoformat()
        entries = await self._found(request, visitor, account.strip(), about.strip(), day, "export")
        content = await asyncio.to_thread(_as_csv, entries[-EXPORTED:], lambda one: self._keys.known_as(one, visitor))
        headers = {"Content-Disposition": f'attachment; filename="access-log-{date.fromisoformat(day)}.csv"'}
        return Response(content, headers=headers, media_type="text/csv; charset=utf-8")

    async def _found(
        self, request: Request, visitor: Visitor, account: str, about: str, day: str, matter: str
    ) -> list[Read]:
        """Entries, once it is written down that he looks for them.

        Raises:
            RejectedError: day or subject are wrong; nothing that may be a citizen ID is repeated.
            RetryLaterError: Kafka or Redis is away.
        """
        try:
            begin = datetime.combine(date.fromisoformat(day), time(), CHINA)
        except ValueError:
            rule = "须写成 2026-05-20 write 2026-05-20"
            raise RejectedError((Reason(code="bad_day", field="day", value=day[:20], rule=rule),)) from None
        subject = typed_subject(about, lambda text: self._keys.subject_of(text, visitor)) if about else ""
        door: Admits = request.app.state.access
        searched = " ".join(filter(None, (matter, day, account)))
        await door.note(
            visitor, Act.READ_ACCESS_LOG, subject=subject, matter=searched, request_id=request.state.request_id
        )
        until = begin + timedelta(days=1)
        wanted = Wanted(since_ms=_ms(begin), until_ms=_ms(until), subject=subject, account=account)
        return await asyncio.to_thread(self._reads, wanted)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _as_csv(entries: Sequence[Read], show: Callable[[str], str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for one in entries:
        asked_at = one["asked_at"].astimezone(CHINA).isoformat(timespec="seconds")
        cells: tuple[Any, ...] = (
            asked_at, one["account"], one["role"], one["department"], one["act"], show(one["subject"]), one["matter"], one["request_id"],
        )  # fmt: skip
        writer.writerow(tuple(plain_cell(str(cell)) for cell in cells))
    return ("\ufeff" + text.getvalue()).encode()


def access_log_routes(pages: Pages, reads: Reads, keys: PortalKeys) -> APIRouter:
    """The routes of the access log."""
    return AccessLogRoutes(pages, reads, keys).router()
