"""Composes the room: settings in, what its routes need out."""

from dataclasses import dataclass

from consumers.portal.operations.facts import FactReader
from consumers.portal.operations.safe import SafeOperations
from consumers.portal.operations.scrape import read_targets
from consumers.portal.operations.watch import Watch
from consumers.portal.pages import Pages
from exchange.catalogue import Catalogue
from exchange.clock import now_ms
from exchange.endpoint_store import EndpointStore
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store

_RESYNC_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsRoom:
    """What the routes of the operator page share.

    Attributes:
        pages: the templates.
        catalogue: of departments.
        watch: follows the processes.
        safe: does the operations.
    """

    pages: Pages
    catalogue: Catalogue
    watch: Watch
    safe: SafeOperations


def open_operations(settings: Settings, pages: Pages, catalogue: Catalogue) -> OperationsRoom:
    """The room of a bus.

    Args:
        settings: `redis` names the server.
        pages: the templates.
        catalogue: of departments.

    Raises:
        RequestError: `bad_setting`.
    """
    targets = read_targets(settings.operations_targets)
    facts = FactReader(settings, Store(connect(settings.redis)), EndpointStore(connect(settings.redis)), catalogue)
    client = connect(settings.redis, timeout=_RESYNC_TIMEOUT_SECONDS)
    return OperationsRoom(
        pages=pages, catalogue=catalogue,
        watch=Watch(targets, facts.read, partitions=settings.partitions, every=settings.operations_every_seconds),
        safe=SafeOperations(settings, Store(client), EndpointStore(client), now_ms),
    )  # fmt: skip
