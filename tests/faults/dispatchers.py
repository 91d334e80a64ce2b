"""Dispatchers as processes of a fault test, and what must hold in the end, whatever happened."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from consumers.dispatcher.run import open_delivery_store
from exchange.partitioner import partition_of
from tests.conftest import environment_of
from tests.receiving import DEPARTMENTS, Pushed
from tests.waiting import wait_until

MAIN = Path(__file__).with_name("dispatcher_main.py")


def start_process(pushed: Pushed, *at: str | int, log: Path | None = None, **settings: str) -> subprocess.Popen[bytes]:
    """Start a dispatcher.

    Args:
        pushed: its bus.
        at: STEP COUNT [SIGNAL], where it sends itself a signal.
        log: file for what it says; None leaves it to the test's own output.
        settings: beside the bus's.
    """
    command = [sys.executable, str(MAIN), *map(str, at)]
    environment = environment_of(pushed.settings) | settings
    root = Path(__file__).parents[2]
    if log is None:
        return subprocess.Popen(command, env=environment, cwd=root)
    with log.open("ab") as said:
        return subprocess.Popen(command, env=environment, cwd=root, stderr=said)


def put_all(pushed: Pushed, n: int, subjects: Iterable[int] = range(12)) -> None:
    """The n-th notice of each subject, to its department."""
    for number in subjects:
        pushed.put(DEPARTMENTS[number % 3], number, n)
    pushed.flush()


def written_down(pushed: Pushed) -> dict[tuple[str, str], tuple[int, int]]:
    """The sequences that Redis says are delivered, by department and subject."""
    store = open_delivery_store(pushed.settings, pushed.settings.redis)
    wanted: dict[tuple[int, str], list[str]] = defaultdict(list)
    for department, firm in pushed.newest:
        wanted[partition_of(firm, pushed.settings.partitions), department].append(firm)
    return store.delivered(wanted)


def check(pushed: Pushed) -> None:
    """Every subject's newest notice arrives and gets a receipt; who compares sequences acted on each once, in order.

    To be called while a dispatcher runs; those in threads of the test are ended.
    """
    pushed.all_arrived()
    newest = {f"回执-{pushed.ids[key, sequence]}" for key, sequence in pushed.newest.items()}
    wait_until(lambda: newest <= set(pushed.receipts()), "a newest notice has no receipt")
    pushed.stop()
    delivered = {f"回执-{one.headers['webhook-id']}" for desk in pushed.desks.desks.values() for one in desk.taken}
    receipts = pushed.receipts()
    # A notice that was delivered without being written down, and superseded meanwhile, has no receipt of its own.
    assert set(receipts) <= delivered
    for same in receipts.values():
        assert len({one["notice_id"] for one in same}) == 1
    for desk in pushed.desks.desks.values():
        for acted in desk.acted.values():
            assert acted == sorted(set(acted)), "each sequence once, in order"
