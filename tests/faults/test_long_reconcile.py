"""A reconciling that takes longer than the group waits for a silent member: the group is answered meanwhile."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer

import consumers.standing.reconcile
import consumers.standing.run
from consumers.standing.consumed import Consumed
from consumers.standing.reading import read_places
from consumers.standing.run import build
from tests.faults.bus import BusUnderFault, shuffled
from tests.faults.records import province

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
PATIENCE_MS = 6000
"""A member that does not poll for so long is thrown out; not less than the session's time limit."""
STEPS = 40
"""Of 0.25 s each: longer than the group's patience."""


def slow_at_first() -> Any:
    """Reads back as ever, the first time after so many slow steps."""
    left = [STEPS]

    def slowly(reader: Consumer, places: Any, between: Any) -> Iterator[Consumed]:
        while left[0]:
            left[0] -= 1
            time.sleep(0.25)
            between()
        yield from read_places(reader, places, between)

    return slowly


def impatient(settings: dict[str, Any]) -> Consumer:
    """A consumer whose group does not wait long."""
    member = "partition.assignment.strategy" in settings
    limits = {"max.poll.interval.ms": PATIENCE_MS, "session.timeout.ms": PATIENCE_MS} if member else {}
    return Consumer(settings | limits)


def test_the_group_is_answered_while_much_is_read_back(bus: BusUnderFault, monkeypatch: pytest.MonkeyPatch) -> None:
    records = shuffled(province(seed=29, count=600), random.Random(29))
    bus.at_rest_with_redis_wiped(records)
    monkeypatch.setattr(consumers.standing.reconcile, "read_places", slow_at_first())
    monkeypatch.setattr(consumers.standing.run, "Consumer", impatient)
    steps: Counter[str] = Counter()
    processor, _ = build(
        bus.settings, bus.settings.kafka, bus.settings.redis, on_step=lambda step: steps.update([step])
    )
    thread = threading.Thread(target=processor.run, daemon=True)
    thread.start()
    try:
        bus.wait_quiet(within=150)
    finally:
        processor.stop()
        thread.join(30)
    assert steps["read_back"] == bus.settings.partitions, "each partition was read back once"
    assert steps["assign"] == 1, "the group threw the member out"
    bus.verify()
