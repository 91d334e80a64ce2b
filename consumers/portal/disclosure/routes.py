"""Routes of public disclosure: what departments decided and may be public today, the lists, the catalogue, open data."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from consumers.disclosure.dcat import as_dcat
from consumers.disclosure.shelf import After, Choice, Disclosed, Shelf, kind_of_list
from consumers.notice_file.rows import guard
from consumers.open_data.run import newest_files, releases_folder
from consumers.portal.access.needs import needs
from consumers.portal.disclosure.calendar import month_of, read_month
from consumers.portal.language import language_of, translator
from consumers.portal.pages import code_of, write_day
from consumers.portal.parts import Parts
from consumers.portal.query.room import QueryRoom
from exchange.catalogue_resources import UPDATE_CYCLES
from exchange.directory import FIRST
from exchange.domain.access import Act, Visitor
from exchange.domain.calendar import to_date
from exchange.domain.policy import ListRule
from exchange.domain.timeliness import Timeliness
from exchange.errors import RequestError
from exchange.working_days import load_working_days

PAGE = 20
OPEN_ROWS = 10_000
"""Rows of one download, at most; the daily release has all."""
KINDS: dict[str, str] = {"penalties": "penalty", "licences": "licence"}
"""Places under /disclosure and the record types shown there."""
LIST_KINDS = ("listing", "abnormal_entry", "rating")

Reader = Annotated[Visitor, Depends(needs(Act.READ_DISCLOSURE))]
CatalogueReader = Annotated[Visitor, Depends(needs(Act.READ_CATALOGUE))]
DataReader = Annotated[Visitor, Depends(needs(Act.READ_OPEN_DATA))]
Text = Annotated[str, Query(max_length=200)]


class DisclosureRoutes:
    """The pages of the room.

    Args:
        parts: what the routes share.
        room: draws pictures.
    """

    def __init__(self, parts: Parts, room: QueryRoom) -> None:
        self._parts = parts
        self._room = room
        self._timeliness = Timeliness(parts.books.policy, load_working_days().deadlines())
        self._shelf = Shelf(
            parts.directory, parts.store, parts.settings.partitions, parts.codec, parts.catalogue
        )  # fmt: skip

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/disclosure", include_in_schema=False)
        router.get("")(self.overview)
        router.get("/catalogue")(self.catalogue)
        router.get("/catalogue.jsonld")(self.catalogue_for_machines)
        router.get("/lists/{list_code}")(self.on_list)
        router.get("/open-data/{place}.{form}")(self.open_data)
        router.get("/calendar")(self.calendar)
        router.get("/{place}")(self.decided)
        return router

    async def overview(self, request: Request, _visitor: Reader) -> Response:
        """What there is to see."""
        lists = sorted(self._public_lists().values(), key=lambda one: (one.colour != "black", one.list_code))
        return self._page(request, "disclosure/overview.html", lists=lists)

    async def decided(
        self, request: Request, place: str, _visitor: Reader, department: Text = "", division: Text = "", after: Text = ""
    ) -> Response:  # fmt: skip
        """Penalties or licences, the newest decision first."""
        choice = Choice(_kind(place), department=department, division=division)
        return await self._shown(request, place, choice, after, title=None)

    async def on_list(
        self, request: Request, list_code: str, _visitor: Reader, division: Text = "", after: Text = ""
    ) -> Response:  # fmt: skip
        """Who is on a list."""
        rule = self._public_lists().get(list_code)
        if rule is None:
            raise RequestError(f"没有名单 no list {list_code!r}", code="unknown_list", remedy="see /disclosure")
        choice = Choice(kind_of_list(list_code, self._parts.books.policy), topic=list_code, division=division)
        return await self._shown(request, f"lists/{list_code}", choice, after, title=rule)

    async def calendar(self, request: Request, _visitor: Reader, month: Text = "") -> Response:
        """What was decided on each day of a month, and by when it had to be public."""
        year, number = month_of(month, to_date(self._parts.books.today().as_of))
        read = await asyncio.to_thread(read_month, self._parts.directory, self._timeliness, year, number)
        return self._page(request, "disclosure/calendar.html", month=read)

    async def catalogue(self, request: Request, _visitor: CatalogueReader) -> Response:
        """The resources: who provides what, how often, how it is shared and opened."""
        return self._page(
            request, "disclosure/catalogue.html", resources=self._parts.catalogue.resources, cycles=UPDATE_CYCLES
        )

    async def catalogue_for_machines(self, request: Request, _visitor: CatalogueReader) -> Response:
        """The same as DCAT."""
        day = self._parts.books.today().as_of
        released = await asyncio.to_thread(newest_files, releases_folder(self._parts.settings))
        return JSONResponse(
            as_dcat(self._parts.catalogue, str(request.base_url), day, released), media_type="application/ld+json"
        )

    async def open_data(
        self, place: str, form: Literal["csv", "json"], _visitor: DataReader, department: Text = "", division: Text = ""
    ) -> Response:  # fmt: skip
        """What is public today, for programs; the newest ten thousand."""
        list_code = place.removeprefix("list-") if place.startswith("list-") else ""
        kind = kind_of_list(list_code, self._parts.books.policy) if list_code else _kind(place)
        choice = Choice(kind, topic=list_code, department=department, division=division)
        found = self._shelf.all(choice, self._parts.books.today(), most=OPEN_ROWS)
        media = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
        lines = _csv_lines(found) if form == "csv" else _json_lines(found)
        name = f"{place}-{write_day(self._parts.books.today().as_of)}.{'csv' if form == 'csv' else 'ndjson'}"
        return StreamingResponse(
            _in_thread(lines), media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    async def _shown(self, request: Request, place: str, choice: Choice, after: str, *, title: Any) -> Response:
        book = self._parts.books.today()
        page = await asyncio.to_thread(self._shelf.page, choice, book, after=_read_after(after), limit=PAGE)
        return self._page(
            request, "disclosure/decided.html", place=place, choice=choice, items=page.items, list_rule=title,
            after="~".join(map(str, page.after)) if page.after else "", label=self._room.showing.labels.record(choice.kind),
            departments=sorted(self._parts.catalogue.departments), regions=self._regions(book.as_of),
            download=f"list-{choice.topic}" if choice.topic else place,
        )  # fmt: skip

    def _public_lists(self) -> dict[str, ListRule]:
        """The lists that the public may see; warnings are for departments."""
        policy = self._parts.books.policy
        hidden = set(policy.warning_lists.values())
        return {code: one for code, one in policy.lists.items() if code not in hidden}

    def _regions(self, day: int) -> list[tuple[str, str]]:
        """The cities."""
        codes = sorted(code for code in self._parts.catalogue.regions if code.endswith("00"))
        found = [(code, self._parts.catalogue.region(code, day)) for code in codes]
        return [(code, region.name_zh) for code, region in found if region is not None]

    def _page(self, request: Request, name: str, **given: Any) -> Response:
        words = self._room.showing.words(translator(language_of(request)), self._parts.books.today().as_of)
        return self._parts.pages.page(request, name, **(words | given))


def _kind(place: str) -> str:
    if place not in KINDS:
        raise RequestError(f"没有此公示栏目 no page {place!r}", code="unknown_page", remedy="see /disclosure")
    return KINDS[place]


def _read_after(text: str) -> After:
    day, _, rest = text.partition("~")
    entry, _, subject = rest.rpartition("~")
    if not text:
        return FIRST
    try:
        return (int(day), entry, subject)
    except ValueError as error:
        raise RequestError(f"{text!r} is no place to go on at", code="bad_cursor", remedy="begin again") from error


_COLUMNS = (
    "decided_on",
    "document",
    "department",
    "subject",
    "subject_name",
    "list",
    "until",
    "content",
    "basis",
    "authority",
)


def _values(one: Disclosed) -> tuple[str, ...]:
    filed, fields = one.filed, one.document.fields
    content = fields.get("content") or fields.get("circumstances") or fields.get("facts") or ""
    return (
        write_day(filed.decided_on), one.document.number, filed.department, code_of(filed.subject), one.name, filed.topic,
        write_day(one.until) if one.until is not None else "", str(content), str(fields.get("basis", "")),
        str(fields.get("authority", "")),
    )  # fmt: skip


def _csv_lines(found: Iterator[Disclosed]) -> Iterator[bytes]:
    def line(values: tuple[str, ...]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerow(map(guard, values))
        return out.getvalue().encode()

    yield b"\xef\xbb\xbf" + line(_COLUMNS)
    for one in found:
        yield line(_values(one))


def _json_lines(found: Iterator[Disclosed]) -> Iterator[bytes]:
    for one in found:
        yield msgspec.json.encode(dict(zip(_COLUMNS, _values(one), strict=True))) + b"\n"


async def _in_thread(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The lines, each batch made beside the event loop."""
    while batch := await asyncio.to_thread(_some, lines):
        yield batch


def _some(lines: Iterator[bytes], count: int = 200) -> bytes:
    return b"".join(islice(lines, count))


def disclosure_routes(parts: Parts, room: QueryRoom) -> APIRouter:
    """The routes of public disclosure."""
    return DisclosureRoutes(parts, room).router()
