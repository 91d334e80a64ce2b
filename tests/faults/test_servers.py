"""Servers that stop, die, come back older or empty under running processors."""

import random
import time
from pathlib import Path

import pytest

from tests.conftest import RunningStack
from tests.faults.bus import BusUnderFault, shuffled
from tests.faults.older_redis import come_back_from, keep_copy
from tests.faults.records import province

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

REFUSED = 20
"""Records that are none; fewer in a row than hold a topic."""


def finish(bus: BusUnderFault) -> None:
    bus.wait_quiet()
    bus.stop_all()
    assert bus.verify().notices > 50


def test_the_broker_dies_and_comes_back(bus: BusUnderFault, stack: RunningStack) -> None:
    records = shuffled(province(seed=3, count=2000), random.Random(3))
    bus.start("one")
    for half, end in enumerate((stack.kafka.kill, stack.kafka.stop)):
        bus.feed(records[half * 1000 : half * 1000 + 900])
        end()
        time.sleep(1)
        stack.kafka.start()
        bus.feed(records[half * 1000 + 900 : (half + 1) * 1000])
    bus.feed(records[2000:])
    finish(bus)


def test_redis_dies_and_comes_back(bus: BusUnderFault, stack: RunningStack) -> None:
    records = shuffled(province(seed=4, count=2000), random.Random(4))
    bus.start("one")
    bus.feed(records[:1000])
    time.sleep(2)
    stack.valkey.kill()
    bus.feed(records[1000:])
    time.sleep(1)
    stack.valkey.start()
    finish(bus)


def test_redis_comes_back_from_an_older_copy(bus: BusUnderFault, stack: RunningStack, tmp_path: Path) -> None:
    records = shuffled(province(seed=5, count=3000), random.Random(5))
    bus.start("one")
    bus.feed(records[:1000])
    bus.wait_quiet()
    keep_copy(stack, tmp_path / "aof")
    bus.feed(records[1000:2000])
    bus.wait_quiet()
    come_back_from(stack, tmp_path / "aof")
    bus.feed(records[2000:])
    finish(bus)


def test_redis_is_wiped(bus: BusUnderFault) -> None:
    records = shuffled(province(seed=6, count=2000), random.Random(6))
    bus.start("one")
    bus.feed(records[:1500])
    bus.wait_quiet()
    before = bus.verify().notices
    bus.wipe_redis()
    time.sleep(3)
    bus.wait_quiet()
    assert bus.verify().notices == before, "a rebuild told departments what they already held"
    bus.feed(records[1500:])
    finish(bus)


@pytest.mark.parametrize("step", ["read_back", "tell"])
def test_killed_while_reconciling(bus: BusUnderFault, step: str) -> None:
    records = shuffled(province(seed=8, count=1000), random.Random(8))
    bus.at_rest_with_redis_wiped(records)
    for number in range(REFUSED):  # beyond Kafka's offsets, so that nobody has heard of them
        bus.feed_raw("gd.tax", f"org:{number}".encode(), b"no record")
    bus.feed([])
    for count in (1, 2, 3):
        bus.start("one", step, count).wait(60)
    bus.start("one")
    bus.wait_quiet()
    bus.stop_all()
    verdict = bus.verify()
    assert (verdict.notices > 50, verdict.rejected) == (True, REFUSED)
