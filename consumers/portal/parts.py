"""What the portal's routes share."""

import asyncio
import time
from dataclasses import dataclass

from redis.asyncio import Redis

from consumers.portal.pages import Pages
from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.directory import Directory
from exchange.domain.calendar import day_of
from exchange.domain.judge import RuleBook
from exchange.domain.policy import Policy
from exchange.domain.risk.model import RiskModel
from exchange.http.sending import Outbound
from exchange.known_as import PortalKeys
from exchange.look_up import Found, look_up
from exchange.pseudonym import PersonKeys
from exchange.report_seal import ReportSeals
from exchange.settings import Settings
from exchange.standing_store import StandingStore


class Books:
    """The rule book of today; a new one when the day has changed.

    Args:
        policy: that is in force.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._book: RuleBook | None = None

    def today(self) -> RuleBook:
        """The policy as of today in China."""
        day = day_of(time.time_ns() // 1_000_000)
        if self._book is None or self._book.as_of != day:
            self._book = RuleBook(self.policy, day)
        return self._book


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes share.

    Attributes:
        settings: of the bus.
        store: of the standings.
        catalogue: of departments and resources.
        books: of the policy.
        codec: of the contracts.
        directory: finds subjects by name, and the full text of records.
        pages: the templates.
        keys: of the pseudonyms under which departments know persons.
        person_keys: of the bus's own pseudonyms, for citizen IDs that officers type in.
        outbound: puts records on the bus in the name of a department.
        redis: of the bus, for what is asked on the event loop.
        seals: of credit reports.
        risk: model of the risk classes.
    """

    settings: Settings
    store: StandingStore
    catalogue: Catalogue
    books: Books
    codec: Codec
    directory: Directory
    pages: Pages
    keys: PortalKeys
    person_keys: PersonKeys
    outbound: Outbound
    redis: Redis
    seals: ReportSeals
    risk: RiskModel

    async def find(self, subject: str) -> Found:
        """A subject's standing and entries; an alias leads to whose it is. Raises `RetryLaterError` when Redis is away."""
        return await asyncio.to_thread(look_up, self.store, self.settings.partitions, subject)
