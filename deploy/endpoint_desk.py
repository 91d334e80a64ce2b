"""Composes the endpoint desk, for the command line and the portal."""

from consumers.dispatcher.endpoint_desk import EndpointDesk
from consumers.dispatcher.message import Envelope
from consumers.dispatcher.run import open_guard
from deploy.local.connect import find_servers
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.endpoint_store import EndpointStore
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import load_signing_keys


def open_endpoint_desk(settings: Settings, *, embedded: bool) -> EndpointDesk:
    """The desk of a bus.

    Args:
        settings: of the bus.
        embedded: whether it is the embedded stack, which has a key of its own to develop with.

    Raises:
        RequestError: `not_running`.
        FatalError: the signing keys are not right.
    """
    return EndpointDesk(
        EndpointStore(connect(find_servers(settings).redis)),
        load_signing_keys(settings, embedded=embedded),
        open_guard(settings),
        Envelope(open_codec(settings, SCHEMAS), f"/creditbus/{settings.topic_prefix}"),
        load_catalogue(SCHEMAS),
        timeout_seconds=settings.webhook_timeout_seconds,
    )
