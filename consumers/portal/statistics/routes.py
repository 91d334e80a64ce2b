"""Routes of statistics and of the releases of open data: files of the newest release and of those before, nothing else."""

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import FileResponse, Response

from consumers.disclosure.dcat import MEDIA
from consumers.open_data.describe import DCAT, PACKAGE
from consumers.open_data.files import CHECKSUMS, read_checksums
from consumers.open_data.release import FIGURE, days_of
from consumers.open_data.run import newest_figures, releases_folder
from consumers.portal.access.needs import needs
from consumers.portal.language import language_of, translator
from consumers.portal.parts import Parts
from consumers.portal.query.room import QueryRoom
from consumers.portal.statistics.tiles import tiles
from exchange.domain.access import Act, Visitor
from exchange.domain.suppression import LEAST
from exchange.errors import RequestError
from exchange.labels import Label

Reader = Annotated[Visitor, Depends(needs(Act.READ_OPEN_DATA))]
SHOWN = 31
"""Releases that the page lists."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DESCRIPTIONS = (PACKAGE, DCAT, CHECKSUMS)


class StatisticsRoutes:
    """The pages.

    Args:
        parts: what the routes share.
        room: what things are called.
    """

    def __init__(self, parts: Parts, room: QueryRoom) -> None:
        self._parts = parts
        self._room = room
        self._folder = releases_folder(parts.settings)

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/statistics")(self.statistics)
        router.get("/disclosure/open-data")(self.releases)
        router.get("/disclosure/open-data/{day}/{name}")(self.file)
        return router

    async def statistics(
        self, request: Request, _visitor: Reader, of: Annotated[str, Query(max_length=40)] = ""
    ) -> Response:
        """The figures of the newest release: a map, trends, lists, the league table."""
        day, figures = await asyncio.to_thread(newest_figures, self._folder)
        regions = figures.get("regions")
        kinds = [one for one in regions["columns"] if one != "total"] if regions else []
        shown = of if of in kinds else "penalty" if "penalty" in kinds else (kinds or [""])[0]
        counts = {row["row"]: row.get(shown) for row in regions["rows"]} if regions else {}
        return self._page(
            request, "statistics/statistics.html", day=day, figures=figures, kinds=kinds, shown=shown, least=LEAST,
            tiles=tiles(counts, self._cities(request)), name=partial(self._name, request),
        )  # fmt: skip

    async def releases(self, request: Request, _visitor: Reader) -> Response:
        """The releases, each with its files."""
        found = await asyncio.to_thread(self._read_releases)
        return self._page(request, "statistics/releases.html", releases=found, descriptions=_DESCRIPTIONS)

    async def file(self, day: str, name: str, _visitor: Reader) -> Response:
        """A file of a release: what its list of checksums names, and that list."""
        folder = self._folder / day
        if not _DAY.fullmatch(day) or (
            name != CHECKSUMS and name not in await asyncio.to_thread(read_checksums, folder)
        ):
            raise RequestError(
                f"没有此文件 no file {name!r} of {day!r}", code="unknown_page", remedy="see /disclosure/open-data"
            )
        media = MEDIA.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
        return FileResponse(folder / name, media_type=media, filename=name)

    def _read_releases(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Day, and (name, bytes) of each file, of the newest releases."""
        return [(day, _sizes(self._folder / day)) for day in days_of(self._folder)[:SHOWN]]

    def _cities(self, request: Request) -> dict[str, str]:
        t, day = translator(language_of(request)), self._parts.books.today().as_of
        found = ((code, self._parts.catalogue.region(code, day)) for code in self._parts.catalogue.regions)
        return {code: t(one.name_zh, one.name_en) for code, one in found if one is not None and one.level == "city"}

    def _name(self, request: Request, kind: str, code: str) -> str:
        """What a row or a column of a figure is called: `region`, `record`, `list`, `kind`."""
        t = translator(language_of(request))
        labels = self._room.showing.labels
        match kind, code:
            case _, "total":
                return t("合计", "Total")
            case _, "":
                return t("未注明", "Not stated")
            case "region", _:
                return self._cities(request).get(code, code)
            case "list", _ if code in self._parts.books.policy.lists:
                rule = self._parts.books.policy.lists[code]
                return t(rule.name_zh, rule.name_en)
            case "record", _:
                label = labels.record(code)
                return t(label.zh, label.en)
            case "kind", _:
                label = (
                    labels.symbol("registration", "kind", code)
                    if code != "UNKNOWN"
                    else Label("未登记", "Not registered")
                )
                return t(label.zh, label.en)
        return code

    def _page(self, request: Request, template: str, **given: Any) -> Response:
        words = self._room.showing.words(translator(language_of(request)), self._parts.books.today().as_of)
        return self._parts.pages.page(request, template, **(words | given))


def _sizes(folder: Path) -> list[tuple[str, int]]:
    names = sorted(read_checksums(folder), key=lambda name: (name in _DESCRIPTIONS, name.startswith(FIGURE), name))
    return [(name, (folder / name).stat().st_size) for name in [*names, CHECKSUMS] if (folder / name).is_file()]


def statistics_routes(parts: Parts, room: QueryRoom) -> APIRouter:
    """The routes of statistics and releases."""
    return StatisticsRoutes(parts, room).router()
