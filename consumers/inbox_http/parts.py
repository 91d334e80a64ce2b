"""What the routes of the HTTP inbox share, and the port through which they put answers on the bus."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from consumers.inbox_http.access import Door
from consumers.inbox_http.cursor import CursorForm
from exchange.codec import Codec
from exchange.metrics import InboxHttpMetrics


class Outbound(Protocol):
    """Puts records on the bus in the name of a department; a publisher for each, given by who composes the process."""

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Any]:
        """Check a record and hand it over.

        Returns:
            The receipt: its result is where the record lies, or it raises `RetryLaterError`.

        Raises:
            RejectedError: the record breaks a rule; all reasons are in it.
            RetryLaterError: there is no room now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes share.

    Attributes:
        door: lets departments in.
        form: of cursors.
        codec: of the contracts.
        outbound: puts answers on the bus.
        metrics: to count in.
    """

    door: Door
    form: CursorForm
    codec: Codec
    outbound: Outbound
    metrics: InboxHttpMetrics
