"""What all lanes of a dispatcher share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.dispatcher.commits import Commits
from consumers.dispatcher.guard import Guard
from consumers.dispatcher.message import Envelope
from consumers.dispatcher.receipts import Receipts
from consumers.dispatcher.report import DispatcherReport
from exchange.codec import Codec
from exchange.signatures import SigningKeys

if TYPE_CHECKING:
    from consumers.dispatcher.traces import DeliveryTraces

Reread = Callable[[str, int, list[int]], Awaitable[dict[int, bytes]]]
"""Reads notices of a topic and partition again, by their offsets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything outside a lane that it needs.

    Attributes:
        topic_of: a department's topic of notices.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins.
        thin_only: departments that the catalogue grants no whole notices.
        operator: department in whose name receipts are published.
        payload_bytes: notices that each lane may keep in memory.
        traces: of notices; None where traces are off.
    """

    codec: Codec
    envelope: Envelope
    keys: SigningKeys
    guard: Guard
    commits: Commits
    receipts: Receipts
    report: DispatcherReport
    reread: Reread
    topic_of: Callable[[str], str]
    now: Callable[[], int]
    on_step: Callable[[str], None]
    thin_only: frozenset[str]
    operator: str
    timeout_seconds: float
    payload_bytes: int
    traces: "DeliveryTraces | None" = None
