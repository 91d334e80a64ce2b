"""What no metric has: held topics by partition, overdue responses, endpoints; read from Redis by the functions that others use."""

from typing import NamedTuple

from exchange.catalogue import Catalogue
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.errors import CreditbusError
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics


class Held(NamedTuple):
    """A department's topic that the quarantine limit holds in a partition, after so many rejected records in a row."""

    department: str
    partition: int
    run: int


class Facts(NamedTuple):
    """A look at Redis; `away` says why there was none."""

    held: tuple[Held, ...] = ()
    overdue: tuple[tuple[str, int], ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    away: str = ""


class FactReader:
    """Reads them.

    Args:
        settings: of the bus.
        store: of the standings.
        endpoints: of webhooks.
        catalogue: of departments.
    """

    def __init__(self, settings: Settings, store: Store, endpoints: EndpointStore, catalogue: Catalogue) -> None:
        self._limit = settings.quarantine_run
        self._partitions = range(settings.partitions)
        self._store = store
        self._endpoints = endpoints
        topics = Topics(settings.topic_prefix)
        self._department_of = {topics.into(slug): slug for slug in catalogue.departments}

    def read(self) -> Facts:
        """A look. Blocks; Redis away is part of the answer."""
        try:
            held = [
                Held(self._department_of[topic], number, run)
                for number in self._partitions
                for topic, run in self._store.cursor(number).held.items()
                if run >= self._limit and topic in self._department_of
            ]
            overdue = self._store.count_overdue(self._partitions, sorted(self._department_of.values()))
            endpoints = sorted(self._endpoints.all().values(), key=lambda one: one.department)
        except CreditbusError as error:
            return Facts(away=error.code)
        return Facts(
            tuple(sorted(held)), tuple((one, count) for one, count in overdue.items() if count), tuple(endpoints)
        )
