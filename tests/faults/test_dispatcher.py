"""Dispatchers killed at every point of an attempt, endpoints that misbehave, servers that die: every subject's newest notice
arrives, in order, a receiver that dedupes never acts twice, and each notice delivered has exactly one receipt document.
"""

import random
import signal
import time

import pytest

from consumers.dispatcher.schedule import URGENT, delay
from tests.conftest import RunningStack
from tests.extent import sized
from tests.faults.dispatchers import check, start_process
from tests.receiving import DEPARTMENTS, Pushed

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
STEPS = ("fetch", "send", "answered", "concluded", "commit", "committed")
"""Where a dispatcher is killed: before and after each step of an attempt."""
KILLS_A_STEP = sized(1, 10)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(pushed: Pushed, step: str) -> None:
    rnd = random.Random(step)
    for department in DEPARTMENTS:
        pushed.add(department)
    n = 0
    for _ in range(KILLS_A_STEP):
        # Without room for payloads every notice is read again, so that `fetch` is a step of each attempt.
        process = start_process(pushed, step, rnd.randint(2, 20), CREDITBUS_WEBHOOK_PAYLOAD_BYTES="0")
        until = time.monotonic() + 120
        while process.poll() is None:
            assert time.monotonic() < until, f"never came to step {step}"
            n += 1
            for number in range(5):
                pushed.put(rnd.choice(DEPARTMENTS), number, n)
            pushed.flush()
            time.sleep(0.1)
        assert process.returncode == -signal.SIGKILL
    pushed.start()
    check(pushed)


def test_an_endpoint_that_takes_the_message_and_drops_the_connection(pushed: Pushed) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    desk = pushed.desks.desks["gd.fin"]
    desk.answer = lambda: None if desk.seen <= 3 else (204, {})
    for number in range(3):
        for department in DEPARTMENTS:
            pushed.put(department, number, 1)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: desk.seen >= 3)
    pushed.wait(lambda: len(pushed.missing()) == 3)
    pushed.move(4)  # an urgent notice is tried again after 3 s
    check(pushed)


def test_the_clock_moves_over_the_whole_schedule(pushed: Pushed) -> None:
    pushed.add("gd.fin")
    desk = pushed.desks.desks["gd.fin"]
    desk.answer = lambda: (500, {})
    pushed.put("gd.fin", 1, 1)
    pushed.flush()
    pushed.start()
    for attempt in range(1, len(URGENT) + 2):
        pushed.wait(lambda attempt=attempt: desk.seen >= attempt)  # type: ignore[misc]
        waits = pushed.metrics.attempts.labels("gd.fin", "failed")._value
        pushed.wait(lambda attempt=attempt, waits=waits: waits.get() >= attempt)  # type: ignore[misc]
        pushed.move(delay(attempt, urgent=True, chance=1.0) / 1000 + 0.1)
    exhausted = pushed.metrics.exhausted.labels("gd.fin")._value
    pushed.wait(lambda: exhausted.get() == 1)
    desk.answer = lambda: (204, {})
    pushed.move(12 * 3600)
    check(pushed)


def test_redis_is_killed(pushed: Pushed, stack: RunningStack) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    pushed.start()
    for n in range(1, 30):
        for number in range(6):
            pushed.put(DEPARTMENTS[number % 3], number, n)
        pushed.flush()
        if n == 15:
            stack.valkey.kill()
            time.sleep(0.5)
            stack.valkey.start()
        time.sleep(0.02)
    check(pushed)


def test_the_broker_restarts(pushed: Pushed, stack: RunningStack) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    pushed.start()
    for n in range(1, 30):
        for number in range(6):
            pushed.put(DEPARTMENTS[number % 3], number, n)
        if n == 15:
            stack.kafka.kill()
            stack.kafka.start()
        time.sleep(0.02)
    pushed.flush()
    check(pushed)


def test_two_share_the_work_and_one_is_killed(pushed: Pushed) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    first, second = (
        start_process(pushed, CREDITBUS_SESSION_TIMEOUT_SECONDS="6", CREDITBUS_INSTANCE_ID=name)
        for name in ("one", "two")
    )
    for n in range(1, 40):
        for number in range(12):
            pushed.put(DEPARTMENTS[number % 3], number, n)
        pushed.flush()
        time.sleep(0.1)
        if n == 20:
            first.kill()
            first.wait()
    try:
        check(pushed)
    finally:
        second.terminate()
        assert second.wait(30) == 0
