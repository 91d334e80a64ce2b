"""A portal that ends itself with SIGKILL at a step of what it publishes: `portal_main.py STEP COUNT`.

`publish` is before a record is handed over, `confirmed` once the bus has it and before anybody is told.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from consumers.portal.run import Portal, bind_portal
from deploy.outbound import Publishers
from deploy.portal import portal_parts
from exchange.directory_memory import MemoryDirectory
from exchange.http.sending import Outbound
from exchange.settings import read_settings
from tests.faults.dying import signal_at_step


class DyingOutbound:
    """Puts records on the bus, and tells each step."""

    def __init__(self, outbound: Outbound, on_step: Callable[[str], None]) -> None:
        self._outbound = outbound
        self._on_step = on_step

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Any]:
        self._on_step("publish")
        sent = self._outbound.publish(department, record, record_type)
        sent.result(30)
        self._on_step("confirmed")
        return sent


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    settings = read_settings()
    die = signal_at_step()

    def on_step(step: str) -> None:
        die(step)
        time.sleep(0.05)  # nothing runs on until the signal arrives

    with Publishers(settings) as publishers:
        outbound = DyingOutbound(publishers, on_step)
        parts = portal_parts(settings, MemoryDirectory(), outbound, embedded=True)
        Portal(settings, parts, bind_portal(settings)).run()


if __name__ == "__main__":
    main()
