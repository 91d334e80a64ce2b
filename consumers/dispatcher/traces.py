"""Traces through the dispatcher: an attempt to deliver goes on from the notice's message, and its receiver from the attempt.

The notices' traces are kept in memory only: after a restart notices are delivered without them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind

from exchange.spans import Tracing, parent_of
from exchange.tracing import PARENT

KEPT = 100_000
"""Notices whose traces are kept, at most."""


class DeliveryTraces:
    """The traces of notices that wait.

    Args:
        tracing: makes spans.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._parents: dict[str, str] = {}

    def arrived(self, notice: str, parent: str) -> None:
        """A traced notice was read."""
        self._parents[notice] = parent
        while len(self._parents) > KEPT:
            del self._parents[next(iter(self._parents))]

    @contextmanager
    def attempt(self, notice: str, department: str) -> Iterator[dict[str, str]]:
        """An attempt to deliver; the headers that its request carries, none where the notice is not traced."""
        parent = self._parents.get(notice)
        if parent is None:
            yield {}
            return
        attributes: dict[str, str | int] = {"creditbus.department": department}
        with self._tracing.span("deliver", SpanKind.CLIENT, attributes, parent=parent) as span:
            yield {PARENT: parent_of(span)}
