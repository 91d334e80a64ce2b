"""Leaving a group ends in time whatever the group is doing: librdkafka's own close can wait for ever (librdkafka #4884)."""

import threading
import time

import pytest
from confluent_kafka import Consumer

from exchange.kafka import leave, open_admin
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics

DEPARTMENT = "gd.fin"


class HangingConsumer:
    """A consumer whose close never returns."""

    def __init__(self) -> None:
        self.left = False
        self.released = threading.Event()

    def unsubscribe(self) -> None:
        self.left = True

    def poll(self, _: float) -> None: ...
    def assignment(self) -> list[object]:
        return []

    def close(self) -> None:
        self.released.wait()


def test_a_close_that_hangs_is_left_behind() -> None:
    consumer = HangingConsumer()
    began = time.monotonic()
    leave(consumer, within_seconds=0.2)  # type: ignore[arg-type] # all that it uses of a consumer
    assert time.monotonic() - began < 5
    assert consumer.left
    consumer.released.set()


@pytest.mark.servers
def test_members_leave_while_others_come_and_nobody_answers(bus_settings: Settings) -> None:
    """Each rebalance is still unanswered in its members' queues when they leave."""
    apply_topics(open_admin(bus_settings.kafka), [DEPARTMENT], bus_settings)
    topic = Topics(bus_settings.topic_prefix).out_of(DEPARTMENT)
    members: list[Consumer] = []
    for number in range(12):
        member = Consumer({**bus_settings.kafka.config(), "group.id": topic, "session.timeout.ms": 6000})
        member.subscribe([topic])
        members.append(member)
        if number % 2:
            member.poll(0.5)
        time.sleep(0.1)
        if len(members) == 3:
            began = time.monotonic()
            leave(members.pop(0))
            assert time.monotonic() - began < 10
    for member in members:
        leave(member)
