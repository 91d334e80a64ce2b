"""Risk classes killed at each step, beside a bus that is fed, rolled back and rebuilt: nobody's class is lost, none is said twice over."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.conftest import RunningStack
from tests.faults.bus import BusUnderFault, shuffled
from tests.faults.records import about_firm, province
from tests.risk_bus import RiskBeside, terminate

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]
STEPS = ("consume", "work_out", "publish", "published", "commit", "round")


@pytest.fixture
def risk(bus: BusUnderFault) -> Iterator[RiskBeside]:
    with RiskBeside(bus) as made:
        yield made


def test_killed_at_each_step_everybody_has_his_class_at_the_end(bus: BusUnderFault, risk: RiskBeside) -> None:
    rnd = random.Random(11)
    records = shuffled(province(seed=11, count=1500), rnd)
    bus.start("one")
    share = len(records) // len(STEPS)  # to each step something new, however far those before came
    for number, step in enumerate(STEPS):
        fed = records[number * share : (number + 1) * share]
        if step == "round":
            risk.forget_rounds()
        process = risk.start(step, 1 if step == "round" else rnd.randint(1, 3))
        until = time.monotonic() + 120
        while process.poll() is None:
            assert time.monotonic() < until, f"never came to step {step}"
            bus.feed(fed[:20])
            del fed[:20]
            time.sleep(0.1)
        assert process.returncode == -signal.SIGKILL
        bus.feed(fed)
    bus.wait_quiet()
    risk.forget_rounds()
    first, second = risk.start(), risk.start()
    risk.wait_members(2)
    risk.wait_done()
    bus.wait_quiet()
    terminate(first)
    terminate(second)
    bus.stop_all()
    assert not risk.due()
    assert not risk.gaps()
    letters = [letter for _, _, letter, _ in risk.published()]
    assert len(letters) > 50
    assert len(set(letters)) > 2


def test_a_rebuild_says_nothing_anew(bus: BusUnderFault, risk: RiskBeside) -> None:
    bus.start("one")
    bus.feed(province(seed=12, count=800))
    bus.wait_quiet()
    process = risk.start()
    risk.wait_done()
    bus.wait_quiet()
    before = risk.published()
    for number in range(bus.settings.partitions):
        bus.store.forget(number)
    time.sleep(1)
    bus.wait_quiet()
    risk.wait_done()
    terminate(process)
    assert risk.published() == before


def test_servers_that_go_and_come_back_are_waited_for(
    bus: BusUnderFault, risk: RiskBeside, stack: RunningStack
) -> None:
    bus.feed(province(seed=13, count=300))
    bus.start("one")
    bus.wait_quiet()
    process = risk.start()
    risk.wait_done()
    for server in (stack.valkey, stack.kafka):
        server.kill()
        time.sleep(1)
        server.start()
        bus.feed([about_firm("gd.eco", "penalty", f"罚{server is stack.kafka}", severity="SERIOUS")])
        bus.wait_quiet()
        risk.wait_done()
    assert process.poll() is None
    terminate(process)
