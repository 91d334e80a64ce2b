"""Traces through the standing processor: a span for each traced record, from decoding to its commit; one for the batch, linked to them.

A notice goes on from the span of the record that caused it. What is traced is kept in memory only: if the process dies between a commit
and its publication, the notices come from the outbox, without their traces.
"""

from collections.abc import Iterable

from opentelemetry.trace import Span, SpanKind

from consumers.standing.consumed import Consumed
from consumers.standing.decode import Decoded
from exchange.spans import Tracing, parent_of
from exchange.tracing import PARENT

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class BatchTraces:
    """The traced records that are being worked on.

    Args:
        tracing: makes spans.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._open: dict[Place, Span] = {}

    def begin(self, messages: Iterable[Consumed]) -> dict[Place, str]:
        """A batch was consumed; the `traceparent` of the span of each traced record in it."""
        found: dict[Place, str] = {}
        size = 0
        for message in messages:
            size += 1
            parent = next((value for name, value in message.headers() or () if name == PARENT), None)
            if parent is None:
                continue
            place = (message.topic(), message.partition(), message.offset())
            again = self._open.pop(place, None)
            if again is not None:
                again.end()
            attributes: dict[str, str | int] = {
                "messaging.system": "kafka", "messaging.destination.name": place[0],
                "messaging.destination.partition.id": str(place[1]), "messaging.kafka.offset": place[2],
            }  # fmt: skip
            span = self._tracing.begin("standing", SpanKind.CONSUMER, attributes, parent=parent.decode("latin-1"))
            self._open[place] = span
            found[place] = parent_of(span)
        if found:
            batch: dict[str, str | int] = {"messaging.batch.message_count": size}
            self._tracing.begin("standing batch", SpanKind.INTERNAL, batch, links=found.values()).end()
        return found

    def committed(self, decoded: Decoded) -> None:
        """A partition's part of a batch was committed: the spans of its records end."""
        number = decoded.partition.number
        done = [
            place
            for place in self._open
            if place[1] == number and place[2] < decoded.offsets.get(place[0], 0)
        ]  # fmt: skip
        for place in done:
            self._open.pop(place).end()
