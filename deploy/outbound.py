"""Publishers of several departments in one process, each opened when it is first needed: for HTTP doors that serve many."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from producers.publisher import Delivery, Publisher


class Publishers:
    """A publisher for each department, whose callers read every receipt. A context manager: at its end everything is confirmed.

    Args:
        settings: of the bus.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._codec = open_codec(settings, SCHEMAS)
        self._catalogue = load_catalogue(SCHEMAS)
        self._open: dict[str, Publisher] = {}
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Delivery]:
        """See `Publisher.publish`; a department whose producer has failed for good gets a new one at its next record."""
        return self.of(department).publish(record, record_type)

    def of(self, department: str) -> Publisher:
        """A department's publisher."""
        with self._lock:
            found = self._open.get(department)
            if found is None or found.failed:
                found = Publisher(self._settings, department, self._codec, self._catalogue, remember_lost=False)
                self._open[department] = self._stack.enter_context(found)
            return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
