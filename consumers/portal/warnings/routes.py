"""Routes of early warnings: those in force by level, domain, region and industry; and one with its explanation and counts."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from consumers.disclosure.documents import Document
from consumers.early_warning.words import SeriesWords
from consumers.portal.access.needs import needs
from consumers.portal.language import language_of, translator
from consumers.portal.parts import Parts
from consumers.portal.query.picture import Picture
from consumers.portal.query.room import QueryRoom
from consumers.portal.warnings.reading import Wanted, WarningReader
from consumers.portal.warnings.words import TONES, industries, level_label, points_of, title_of
from exchange.domain.access import Act, Visitor
from exchange.domain.bodies import EarlyWarning, WarningLevel, WarningState
from exchange.domain.identity import is_person
from exchange.http.problems import RefusedError
from exchange.known_as import PREFIX
from exchange.look_up import subject_of

PAGE = 50

Reader = Annotated[Visitor, Depends(needs(Act.READ_WARNINGS))]
Text = Annotated[str, Query(max_length=200)]


class WarningRoutes:
    """The pages of the room.

    Args:
        parts: what the routes share.
        room: draws pictures.
    """

    def __init__(self, parts: Parts, room: QueryRoom) -> None:
        self._parts = parts
        self._room = room
        self._reader = WarningReader(parts)
        self._series = SeriesWords(parts.catalogue, parts.books.policy)

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/warnings", include_in_schema=False)
        router.get("")(self.overview)
        router.get("/{subject}")(self.warning)
        return router

    async def overview(
        self, request: Request, visitor: Reader, level: Literal["", "BLUE", "YELLOW", "ORANGE", "RED"] = "",
        domain: Text = "", division: Text = "", industry: Text = "", page: Annotated[int, Query(ge=1, le=500)] = 1,
    ) -> Response:  # fmt: skip
        """The warnings in force, the gravest first."""
        policy = self._parts.books.policy
        wanted = Wanted(level, policy.warning_lists.get(domain, ""), division, industry)
        found = await asyncio.to_thread(self._reader.in_force, visitor, wanted)
        first = (page - 1) * PAGE
        return self._page(
            request, "warnings/overview.html", items=found.items[first : first + PAGE], total=len(found.items), whole=found.whole,
            page=page, more=len(found.items) > first + PAGE, counts=_counts([one.level.name for one in found.items]),
            given={"level": level, "domain": domain, "division": division, "industry": industry},
            domains=[one.domain for one in policy.warning_rules], regions=self._regions(),
        )  # fmt: skip

    async def warning(self, request: Request, subject: str, visitor: Reader, document: Text = "") -> Response:
        """One warning: why, since when, the counts, what follows; by default the newest of the subject."""
        asked = subject_of(subject) if not subject.startswith(PREFIX) else subject
        if is_person(asked) or asked.startswith(PREFIX):
            raise _unknown(subject)
        found, picture = await self._room.picture(asked, visitor)
        documents = picture.of_type("early_warning")
        chosen = next((one for one in documents if document in ("", one.number)), None)
        if chosen is None:
            raise _unknown(subject)
        body = EarlyWarning._make(chosen.version.body)
        holding = next((one.holding for one in picture.lists if one.holding.key == chosen.key), None)
        return self._page(
            request, "warnings/warning.html", subject=found.subject, document=chosen, documents=documents,
            fields=chosen.fields, called=str(chosen.fields.get("subject_name", "")), level=WarningLevel(body.level).name,
            ended=body.state == WarningState.ENDED, holding=holding, points=points_of(chosen.fields),
            follows=_follows(picture, chosen), evidence=_evidence(chosen),
        )  # fmt: skip

    def _regions(self) -> list[tuple[str, str]]:
        """The province's cities."""
        day = self._parts.books.today().as_of
        codes = sorted(code for code in self._parts.catalogue.regions if code.endswith("00"))
        found = [(code, self._parts.catalogue.region(code, day)) for code in codes]
        return [(code, region.name_zh) for code, region in found if region is not None]

    def _page(self, request: Request, name: str, /, **given: Any) -> Response:
        say = translator(language_of(request))
        day = self._parts.books.today().as_of
        labels = self._room.showing.labels
        words = self._room.showing.words(say, day) | {
            "level_name": lambda level: say(*level_label(level)),
            "level_tone": lambda level: TONES[level],
            "title_of": lambda subject, given_name: title_of(subject, given_name, self._series, day, say),
            "domain_name": lambda domain: say(*labels.symbol("early_warning", "domain", domain)),
            "signal_name": lambda signal: say(*labels.symbol("early_warning", "signal", signal)),
            "why": lambda fields: say(fields.get("explanation_zh", ""), fields.get("explanation_en", "")),
            "record_name": lambda kind: say(*labels.record(kind)),
            "industries": industries(say),
        }
        return self._parts.pages.page(request, name, **(words | given))


def _counts(levels: list[str]) -> list[tuple[str, int]]:
    """How many of each level, the gravest first."""
    return [(level.name, levels.count(level.name)) for level in reversed(WarningLevel)]


def _follows(picture: Picture, chosen: Document) -> list[tuple[str, str, tuple[str, ...], str]]:
    """The measures that a warning leads to: names, departments and basis."""
    found = []
    for one in picture.follows:
        supports = [support for support in one.supports if support.holding.key == chosen.key]
        if supports:
            rule = supports[0].rule
            found.append((rule.name_zh, rule.name_en, one.departments, rule.basis))
    return found


def _evidence(chosen: Document) -> list[tuple[str, str, str]]:
    """(record type, department, number) of the records that a warning rests on."""
    keys = (str(one).split("/", 2) for one in chosen.fields.get("documents") or [])
    return [(kind, department, number) for kind, department, number in keys]


def _unknown(subject: str) -> RefusedError:
    return RefusedError(
        404, f"没有此预警 no warning of {subject[:80]}", code="unknown_warning", remedy="查看现行预警 see /warnings"
    )


def warning_routes(parts: Parts, room: QueryRoom) -> APIRouter:
    """The routes of early warnings."""
    return WarningRoutes(parts, room).router()
