"""What the routes of the query and of the report share: a subject's picture as a visitor may see it."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from consumers.disclosure.documents import places_of
from consumers.portal.language import language_of, translator
from consumers.portal.parts import Parts
from consumers.portal.query.narrowing import narrow
from consumers.portal.query.picture import Overall, Picture, draw
from consumers.portal.query.risk import RiskShown, may_see_risk, shown_risk
from consumers.portal.query.showing import Showing
from consumers.portal.query.words import OVERALL
from exchange.directory import Place
from exchange.domain.access import Visitor
from exchange.labels import Labels
from exchange.look_up import Found, look_up
from exchange.risk_look_up import explain_class


class QueryRoom:
    """Draws pictures.

    Args:
        parts: what the portal's routes share.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.showing = Showing(Labels(parts.codec.contracts), parts.catalogue)

    async def picture(self, subject: str, visitor: Visitor) -> tuple[Found, Picture]:
        """What is known of a subject (an alias leads to whose it is), and its picture as the visitor may see it.

        Raises:
            RetryLaterError: Redis is away.
        """
        found, texts = await asyncio.to_thread(self._read, subject)
        picture = draw(found, texts, self._parts.books.today())
        return found, narrow(picture, visitor, self._parts.catalogue, self._parts.keys.for_visitor(visitor))

    async def risk(self, found: Found, visitor: Visitor) -> RiskShown | None:
        """The firm's risk class with its shares, for who may see it; None for others, and for whoever has no class.

        Raises:
            RetryLaterError: Redis is away.
        """
        parts = self._parts
        if not may_see_risk(visitor, parts.catalogue) or found.is_person or not found.is_known:
            return None
        book = parts.books.today()
        explained = await asyncio.to_thread(
            explain_class, parts.store, parts.settings.partitions, found, book.policy, parts.risk, book.as_of
        )
        return shown_risk(explained) if explained is not None else None

    def overall_name(self, request: Request) -> Callable[[Overall], str]:
        """Names the answer at a glance in the visitor's language."""
        say = translator(language_of(request))
        return lambda overall: say(*OVERALL[overall][1])

    def _read(self, subject: str) -> tuple[Found, dict[Place, dict[str, Any]]]:
        """A subject, and its full records as far as the directory has them."""
        found = look_up(self._parts.store, self._parts.settings.partitions, subject)
        raw = self._parts.directory.details(places_of(found.entries))
        return found, {place: self._parts.codec.decode(one)[1] for place, one in raw.items()}
