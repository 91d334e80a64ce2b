"""Processors killed with SIGKILL at every numbered step and at random; nothing is lost, wrong or told twice."""

import random
import signal
import time

import pytest

from consumers.standing.join import FEEDBACK
from exchange.domain.bodies import FeedbackState
from exchange.domain.standing import Answer
from exchange.partitioner import partition_of
from tests.extent import sized
from tests.faults.bus import STEPS, BusUnderFault, kill, shuffled
from tests.faults.records import about_firm, province
from tests.worlds import FIRM

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200)]
RANDOM_KILLS = sized(30, 150)
KILLS_A_STEP = sized(4, 10)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(bus: BusUnderFault, step: str) -> None:
    rnd = random.Random(step)
    records = shuffled(province(seed=7, count=400 * KILLS_A_STEP), rnd)
    died = 0
    for _ in range(KILLS_A_STEP):
        process = bus.start("one", step, 1 if step == "assign" else rnd.randint(1, 4))
        until = time.monotonic() + 90
        while process.poll() is None:
            assert time.monotonic() < until, f"never came to step {step}"
            bus.feed(records[:15])
            del records[:15]
            time.sleep(0.05)
        assert process.returncode == -signal.SIGKILL
        died += 1
    bus.feed(records)
    bus.start("one")
    bus.wait_quiet()
    bus.stop_all()
    verdict = bus.verify()
    assert verdict.notices > 100
    assert died == KILLS_A_STEP


MEASURE = ("gd.tax", "tax_strict_management")


def response(bus: BusUnderFault) -> tuple[int, Answer | None]:
    """How many feedbacks the firm's standing counts, and the answer to the measure that it keeps."""
    standing = bus.store.standing(partition_of(FIRM, bus.settings.partitions), FIRM)
    assert standing is not None
    return standing.counts.get(FEEDBACK, 0), standing.answers.get(" ".join(MEASURE))


@pytest.mark.parametrize("step", ["commit", "sent", "committed", "publish"])
def test_killed_between_the_intake_of_a_feedback_and_its_consequences(bus: BusUnderFault, step: str) -> None:
    bus.start("one")
    bus.feed([about_firm("gd.tax", "listing", "名1", list_code="TAX", grounds="1")])
    bus.wait_quiet()
    bus.stop_all()
    assert response(bus) == (0, None)
    executed = about_firm(
        "gd.tax", FEEDBACK, "反馈1", measure=MEASURE[1], state="EXECUTED", epoch=0, n=1, notice_id="0" * 32
    )
    # The listing behind it changes what departments are told, so that there is something to publish.
    bus.feed([executed, executed, about_firm("gd.tax", "listing", "名2", list_code="TAX", grounds="1")])
    process = bus.start("one", step, 1)
    assert process.wait(120) == -signal.SIGKILL
    if step == "commit":
        assert response(bus) == (0, None), "taken in, and nothing of it committed"
    elif step != "sent":  # then Redis may or may not have been asked
        assert response(bus)[0] == 1, "committed, and nothing of it published"
    bus.start("one")
    bus.wait_quiet()
    bus.stop_all()
    count, answer = response(bus)
    assert count == 1
    assert answer is not None
    assert (answer.state, answer.n, answer.document) == (FeedbackState.EXECUTED, 1, "反馈1")
    bus.verify()


def test_killed_at_random(bus: BusUnderFault) -> None:
    rnd = random.Random(20261123)
    records = shuffled(province(seed=11, count=20 * RANDOM_KILLS), rnd)
    share = len(records) // RANDOM_KILLS + 1
    running = [bus.start("one"), bus.start("two")]
    for number in range(RANDOM_KILLS):
        bus.feed(records[number * share : (number + 1) * share])
        time.sleep(rnd.uniform(0.05, 1.2))
        which = rnd.randrange(2)
        kill(running[which])
        running[which] = bus.start(("one", "two")[which])
    bus.wait_quiet()
    bus.stop_all()
    assert bus.verify().notices > 100


def test_a_paused_zombie_changes_nothing(bus: BusUnderFault) -> None:
    rnd = random.Random(5)
    records = shuffled(province(seed=13, count=3000), rnd)
    zombie = bus.start("", CREDITBUS_SESSION_TIMEOUT_SECONDS="2")
    for round_number in range(3):
        bus.feed(records[round_number * 1000 : round_number * 1000 + 500])
        time.sleep(2)
        zombie.send_signal(signal.SIGSTOP)
        heir = bus.start("", CREDITBUS_SESSION_TIMEOUT_SECONDS="2")
        bus.feed(records[round_number * 1000 + 500 : (round_number + 1) * 1000])
        time.sleep(4)
        zombie.send_signal(signal.SIGCONT)
        time.sleep(1)
        kill(heir)
    bus.feed(records[3000:])
    bus.wait_quiet()
    bus.stop_all()
    bus.verify()
