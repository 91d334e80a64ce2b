"""What the routes of the HTTP inbox share."""

from dataclasses import dataclass

from consumers.inbox_http.cursor import CursorForm
from exchange.codec import Codec
from exchange.http.door import Door
from exchange.http.sending import Outbound
from exchange.metrics import InboxHttpMetrics


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
