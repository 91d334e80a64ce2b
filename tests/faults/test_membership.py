"""A processor whose name in the group somebody else has taken: it goes on when that was nobody, and ends when it has a real twin."""

import random
import subprocess
import time

import pytest
from confluent_kafka import Consumer

from exchange.kafka import leave
from tests.faults.bus import BusUnderFault, shuffled
from tests.faults.records import province
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


def test_a_member_whose_name_nobody_else_has_comes_back(bus: BusUnderFault) -> None:
    """What a broker does that dies while the member joins: the name goes to a twin that is not there."""
    records = shuffled(province(seed=17, count=1500), random.Random(17))
    bus.start("one")
    bus.feed(records[:700])
    bus.wait_quiet()
    settings = bus.settings
    twin = Consumer(
        {
            **settings.kafka.config(),
            "group.id": f"{settings.topic_prefix}.{settings.group}",
            "group.instance.id": "one",
            "session.timeout.ms": 6000,
            "partition.assignment.strategy": "range",
        }
    )
    twin.subscribe([bus.topics.into(department) for department in bus.departments])
    until = time.monotonic() + 90
    while not twin.assignment():
        assert time.monotonic() < until, "the twin was given nothing"
        twin.poll(0.1)
    bus.feed(records[700:])
    bus.wait_quiet()
    leave(twin)
    bus.stop_all()
    assert bus.verify().notices > 50


def test_of_two_processors_of_one_name_one_ends_and_nothing_is_lost(bus: BusUnderFault) -> None:
    records = shuffled(province(seed=19, count=1500), random.Random(19))
    twins: list[subprocess.Popen[bytes]] = [bus.start("same")]
    bus.feed(records[:700])
    bus.wait_quiet()
    twins.append(bus.start("same"))
    wait_until(lambda: any(twin.poll() is not None for twin in twins), "one twin ends", within_seconds=90)
    ended = [twin.returncode for twin in twins if twin.poll() is not None]
    assert ended == [1]
    bus.feed(records[700:])
    bus.wait_quiet()
    bus.stop_all()
    assert bus.verify().notices > 50
