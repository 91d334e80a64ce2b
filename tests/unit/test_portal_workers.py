"""Processes that serve together end together, however one of them ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.waiting import wait_until

PROGRAM = """
import signal, sys
from consumers.portal.run import serve_in

def serve():
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("serving", flush=True)
    signal.pause()

sys.exit(0 if serve_in(2, serve) else 1)
"""


@pytest.fixture
def served() -> "Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]":
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["serving\n"] * 2
    workers = psutil.Process(process.pid).children()
    yield process, workers
    for one in workers:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.kill()
    process.communicate()


def test_they_end_when_asked(served: "tuple[subprocess.Popen[str], list[psutil.Process]]") -> None:
    process, workers = served
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    wait_until(lambda: not any(one.is_running() for one in workers))


def test_one_that_is_killed_ends_the_other(served: "tuple[subprocess.Popen[str], list[psutil.Process]]") -> None:
    process, workers = served
    workers[0].kill()
    assert process.wait(20) == 1
    wait_until(lambda: not any(one.is_running() for one in workers))


def test_they_end_with_their_parent(served: "tuple[subprocess.Popen[str], list[psutil.Process]]") -> None:
    process, workers = served
    process.kill()
    wait_until(lambda: all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in workers))
