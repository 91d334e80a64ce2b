"""Publishes the synthetic province at an even pace, each record by its own department's publisher."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Self

from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.metrics import PublisherMetrics
from exchange.settings import Settings
from producers.publisher import Publisher
from producers.simulator.events import Event

TICK_SECONDS = 0.01
"""The pace is kept to within so long."""

OnEvent = Callable[[Event, int], None]
"""Told of every event handed over, and how many there were."""


class Province:
    """The publishers of all departments that take part; opened as they are needed, closed (and confirmed) together.

    Args:
        settings: of the bus.
        codec: of the contracts.
        catalogue: of the departments.
    """

    def __init__(self, settings: Settings, codec: Codec, catalogue: Catalogue) -> None:
        self.metrics = PublisherMetrics()
        self._settings = settings
        self._codec = codec
        self._catalogue = catalogue
        self._publishers: dict[str, Publisher] = {}
        self._open = ExitStack()

    def publisher(self, department: str) -> Publisher:
        """The publisher of a department."""
        known = self._publishers.get(department)
        if known is None:
            known = Publisher(self._settings, department, self._codec, self._catalogue, metrics=self.metrics)
            self._publishers[department] = self._open.enter_context(known)
        return known

    def publish(
        self, events: Iterable[Event], *, rate: float, seconds: float | None, stop: threading.Event, on_event: OnEvent
    ) -> int:
        """Publish events in order, each as of now.

        Args:
            events: as `simulate` gives them.
            rate: events a second; 0 publishes as fast as the bus takes them.
            seconds: for so long; None until the events or the patience end.
            stop: ends it after the event at hand.
            on_event: told of each.

        Returns:
            How many were handed over; they are confirmed when the province is closed.
        """
        stream = iter(events)
        start = time.monotonic()
        sent = 0
        while not stop.is_set():
            elapsed = time.monotonic() - start
            if seconds is not None and elapsed >= seconds:
                break
            due = int(elapsed * rate) + 1 - sent if rate else 1000
            batch = list(islice(stream, due))
            for event in batch:
                department, record_type, record = event
                self.publisher(department).publish({**record, "published_at": datetime.now(UTC)}, record_type)
                sent += 1
                on_event(event, sent)
            if len(batch) < due:
                break
            if rate:
                stop.wait(max(0.0, min(TICK_SECONDS, start + sent / rate - time.monotonic())))
        return sent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()
