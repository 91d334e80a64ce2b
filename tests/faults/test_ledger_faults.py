"""Ledger processes that are killed, paused and cut off: no gap, nothing twice, every message's offset exactly once."""

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from exchange.kafka import open_admin
from tests.conftest import BusFactory, RunningStack
from tests.ledger_bus import LedgerBus
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
STEPS = ("assign", "consume", "append", "offsets", "commit", "committed")


@pytest.fixture
def bus(new_bus: BusFactory) -> Iterator[LedgerBus]:
    with LedgerBus(new_bus()) as made:
        yield made


def test_killed_at_each_step(bus: LedgerBus) -> None:
    for number, step in enumerate(STEPS):
        bus.fill(number, 400)
        # A name kept over restarts: the group and the broker's transactions know at once who has come back.
        process = bus.start(step, 1 if step == "assign" else 3, CREDITBUS_INSTANCE_ID="one")
        assert process.wait(60) == -signal.SIGKILL, step
    bus.start(CREDITBUS_INSTANCE_ID="one")
    bus.wait_entered()
    bus.stop_all()
    assert bus.verify().total() > 400 * len(STEPS)


@pytest.mark.parametrize("step", ["append", "offsets", "commit"])
def test_a_zombie_in_the_middle_of_a_transaction_is_refused(bus: LedgerBus, step: str) -> None:
    """It stops itself there, loses its partitions to an heir, and goes on as if nothing had happened."""
    bus.fill(0, 600)
    zombie = bus.start(step, 3, "SIGSTOP", CREDITBUS_SESSION_TIMEOUT_SECONDS="2")
    wait_until(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_STOPPED, f"never stopped at {step}")
    bus.start(CREDITBUS_SESSION_TIMEOUT_SECONDS="2")
    bus.fill(1, 600)
    bus.wait_entered()
    zombie.send_signal(signal.SIGCONT)
    bus.fill(2, 600)
    bus.wait_entered()
    bus.stop_all()
    bus.verify()


def test_two_share_the_work_and_offsets_that_were_forgotten_are_read_back(bus: LedgerBus) -> None:
    bus.start()
    bus.start()
    bus.fill(0, 2000)
    bus.wait_entered()
    bus.stop_all()
    bus.verify()
    admin = open_admin(bus.settings.kafka)  # kept: answers to a client that is gone never come
    for deleted in admin.delete_consumer_groups([bus.parts.group]).values():
        deleted.result(30)
    bus.fill(1, 500)
    bus.start()
    bus.wait_entered()
    bus.stop_all()
    bus.verify()


def test_the_broker_dies_and_comes_back(bus: LedgerBus, stack: RunningStack) -> None:
    bus.start()
    bus.fill(0, 1000)
    time.sleep(2)
    stack.kafka.kill()
    time.sleep(1)
    stack.kafka.start()
    bus.fill(1, 1000)
    bus.wait_entered(120)
    bus.stop_all()
    bus.verify()
