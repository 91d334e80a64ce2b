"""Dispatchers that lose their partitions without knowing it, or their name in the group: nothing stale, nothing of theirs counts."""

import re
import signal
import subprocess
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

from exchange.kafka import leave
from tests.faults.dispatchers import check, put_all, start_process, written_down
from tests.faults.test_ledger_faults import is_stopped
from tests.receiving import DEPARTMENTS, Pushed
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
QUICK: dict[str, Any] = {"CREDITBUS_SESSION_TIMEOUT_SECONDS": "6"}


def end(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.terminate()
    assert [process.wait(30) for process in processes] == [0] * len(processes)


@pytest.mark.parametrize(
    ("step", "found_out"), [("send", "given up|fenced"), ("answered", "given up|fenced"), ("commit", "fenced")]
)
def test_one_that_was_suspended_sends_nothing_stale_and_its_commits_are_refused(
    pushed: Pushed, step: str, found_out: str, tmp_path: Path
) -> None:
    """It stops itself at a step, loses its partitions to an heir, and goes on as if nothing had happened.

    What it has in hand is either refused by Redis or thrown away when Kafka says that the partitions are lost, whichever is first.
    """
    for department in DEPARTMENTS:
        pushed.add(department)
    log, numbers = tmp_path / "zombie.log", count(1)
    with ExitStack() as ending:
        zombie = start_process(pushed, step, 8, "SIGSTOP", log=log, CREDITBUS_INSTANCE_ID="one", **QUICK)
        ending.callback(zombie.kill)

        def stops() -> bool:
            put_all(pushed, next(numbers))  # one after the other, or a slow machine takes them all in at once
            return is_stopped(zombie.pid)

        wait_until(stops, f"never stopped at {step}")
        heir = start_process(pushed, CREDITBUS_INSTANCE_ID="two", **QUICK)
        ending.callback(heir.kill)
        put_all(pushed, next(numbers))
        pushed.all_arrived()
        wait_until(lambda: written_down(pushed) == pushed.newest, "the heir has not written down what it delivered")
        taken = {name: len(desk.taken) for name, desk in pushed.desks.desks.items()}
        zombie.send_signal(signal.SIGCONT)
        wait_until(lambda: re.search(found_out, log.read_text()) is not None, "the zombie never found out")
        assert written_down(pushed) == pushed.newest, "the zombie has written something"
        assert {name: len(desk.taken) for name, desk in pushed.desks.desks.items()} == taken, "it has sent something"
        put_all(pushed, next(numbers))
        check(pushed)
        end(zombie, heir)


def test_one_whose_name_nobody_else_has_comes_back(pushed: Pushed) -> None:
    """What a broker does that dies while the member joins: the name goes to a twin that is not there."""
    for department in DEPARTMENTS:
        pushed.add(department)
    pushed.start()
    put_all(pushed, 1)
    pushed.all_arrived()
    twin = Consumer(
        {
            **pushed.settings.kafka.config(),
            "group.id": f"{pushed.settings.topic_prefix}.dispatcher",
            "group.instance.id": pushed.settings.instance_id,
            "session.timeout.ms": 6000,
            "partition.assignment.strategy": "range",
        }
    )
    twin.subscribe([pushed.topics.out_of(department) for department in DEPARTMENTS])
    wait_until(lambda: twin.poll(0.1) is not None or bool(twin.assignment()), "the twin was given nothing")
    pushed.wait(lambda: pushed.metrics.rejoins._value.get() >= 1)
    put_all(pushed, 2)
    pushed.all_arrived(within=60)
    leave(twin)
    put_all(pushed, 3)
    check(pushed)


def test_of_two_of_one_name_one_ends_and_everything_arrives(pushed: Pushed) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    with ExitStack() as ending:
        twins = [start_process(pushed, CREDITBUS_INSTANCE_ID="same", **QUICK) for _ in range(2)]
        for twin in twins:
            ending.callback(twin.kill)
        put_all(pushed, 1)
        wait_until(lambda: any(twin.poll() is not None for twin in twins), "one twin ends", within_seconds=90)
        assert [twin.returncode for twin in twins if twin.poll() is not None] == [1]
        put_all(pushed, 2)
        check(pushed)
        end(*(twin for twin in twins if twin.poll() is None))
