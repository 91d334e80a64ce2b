"""Whether traces are taken: off unless an endpoint is set, and then the bus imports nothing of OpenTelemetry.

A trace goes through the bus as a W3C `traceparent`: in HTTP headers to gateway and inbox, in headers of Kafka's messages, in the headers
of pushed notices. See docs/observability.md.
"""

import functools
import importlib
from typing import TYPE_CHECKING

from exchange.errors import RequestError
from exchange.settings import Settings

if TYPE_CHECKING:
    from exchange.spans import Tracing

PARENT = "traceparent"
"""Name of the header, in HTTP and in Kafka."""


def open_tracing(settings: Settings) -> "Tracing | None":
    """What spans are made with, one for a process; None where traces are off.

    Raises:
        RequestError: `no_tracing`: the packages for it are not installed.
    """
    if not settings.tracing_endpoint:
        return None
    return _tracing(settings.tracing_endpoint, settings.tracing_share)


@functools.cache
def _tracing(endpoint: str, share: float) -> "Tracing":
    try:
        spans = importlib.import_module("exchange.spans")
    except ImportError as error:
        raise RequestError(
            f"traces need packages that are not installed: {error}",
            code="no_tracing",
            remedy="pip install 'creditbus[tracing]', or unset CREDITBUS_TRACING_ENDPOINT",
        ) from error
    found: Tracing = spans.Tracing(endpoint, share)
    return found
