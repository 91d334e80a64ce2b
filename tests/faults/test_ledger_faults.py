"""Ledger processes that are killed, paused and cut off: no gap, nothing twice, every message's offset exactly once."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import psutil
import pytest

from consumers.ledger.run import LedgerParts
from exchange.kafka import leave, open_admin
from tests.conftest import BusFactory, RunningStack
from tests.ledger_bus import LedgerBus
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
STEPS = ("assign", "consume", "append", "offsets", "commit", "committed")
ONE = {"CREDITBUS_INSTANCE_ID": "one"}
"""A name kept over restarts: the group and the broker's transactions know at once who has come back."""
QUICK = {"CREDITBUS_SESSION_TIMEOUT_SECONDS": "3", "CREDITBUS_LEDGER_CHECKPOINT_SECONDS": "1"}
"""A member that is gone is known to be soon, and an end is signed before anybody stops: who stops while the group gives partitions
anew leaves it to the next owner."""


@pytest.fixture
def bus(new_bus: BusFactory) -> Iterator[LedgerBus]:
    with LedgerBus(new_bus()) as made:
        yield made


def test_killed_at_each_step(bus: LedgerBus) -> None:
    for number, step in enumerate(STEPS):
        bus.fill(number, 400)
        process = bus.start(step, 1 if step == "assign" else 3, settings=ONE)
        assert process.wait(60) == -signal.SIGKILL, step
    bus.start(settings=ONE)
    bus.wait_entered()
    bus.stop_all()
    assert bus.verify().total() > 400 * len(STEPS)


def test_a_zombie_in_the_middle_of_a_transaction_is_refused(new_bus: BusFactory) -> None:
    """It stops itself at a step, loses its partitions to an heir, and goes on as if nothing had happened; a bus for each step."""
    with ExitStack() as ending:
        buses = {step: ending.enter_context(LedgerBus(new_bus())) for step in ("append", "offsets", "commit")}
        zombies = {}
        for step, bus in buses.items():
            bus.fill(0, 600)
            zombies[step] = bus.start(step, 3, "SIGSTOP", settings=QUICK)
        for step, zombie in zombies.items():
            wait_until(partial(is_stopped, zombie.pid), f"never stopped at {step}")
        for bus in buses.values():
            bus.start(settings=QUICK)
            bus.fill(1, 600)
        for step, bus in buses.items():
            bus.wait_entered()  # once Kafka has given the zombie's transaction up, which takes ten seconds
            zombies[step].send_signal(signal.SIGCONT)
            bus.fill(2, 600)
        for bus in buses.values():
            bus.wait_entered()
            bus.wait_signed()
            bus.stop_all()
            bus.verify()


def is_stopped(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


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
    bus.start()  # with the default session: with three seconds a few restarts were never recovered from (decision 31)
    bus.fill(0, 1000)
    wait_until(lambda: bus.entered() > 0, "nothing entered")
    stack.kafka.kill()
    time.sleep(1)
    stack.kafka.start()
    bus.fill(1, 1000)
    bus.wait_entered(150)  # seconds; usually less than fifteen
    bus.wait_signed()
    bus.stop_all()
    bus.verify()


def test_a_member_whose_name_nobody_else_has_comes_back(bus: LedgerBus) -> None:
    """What a broker does that dies while the member joins: the name goes to a twin that is not there."""
    bus.start(settings=ONE)
    bus.fill(0, 400)
    bus.wait_entered()
    twin = LedgerParts(bus.settings.model_copy(update={"instance_id": "one"}), bus.settings.kafka).consumer()
    twin.subscribe(sorted(bus.describer.sources))
    wait_until(lambda: twin.poll(0.1) is not None or bool(twin.assignment()), "the twin was given nothing")
    bus.fill(1, 400)
    bus.wait_entered()
    leave(twin)
    bus.stop_all()
    bus.verify()
