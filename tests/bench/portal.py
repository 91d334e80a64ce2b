"""The portal on a bus under load: checks one by one and in batches, pages, searches, and how fresh an answer is.

    python -m tests.bench.portal [--standings 1000000] [--names 1000000] [--load 2000] [--seconds 15] [--workers 1] [--json]

A million organisations lie in Redis, one in ten on a list, and a million names in the directory. While it is measured, a synthetic
province publishes at an even pace, a standing processor joins and the directory is fed. All of it shares the machine: while the checks
came at their pace, `cpu_*` are cores taken, `ready_*` how many threads were ready to run and had none. `checks_per_core_s` is per
second of the portal's CPU time. Latencies are counted from when a request should have left; `late_p99_ms` is by how much the client
itself was late. `..._rest` are measured once more after the load has ended and all of it is taken in, as a counter sees a bus at rest.
"""

import argparse
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from exchange.api_keys import RedisKeys, issue
from exchange.fed_folder import Bus
from exchange.kafka import open_admin
from exchange.redis_client import connect
from tests.bench.asking import measured, milliseconds
from tests.bench.departments import Departments
from tests.bench.directory import index
from tests.bench.measured import ROOT, Bench, bench_bus, cpu_seconds, machine, print_result
from tests.bench.standings import fill
from tests.pulling import free_port
from tests.waiting import wait_until

KEYS = "b1:" + "07" * 32
CHECKS, PICTURES, SEARCHES, EVENTS = 400, 50, 20, 10
"""A second, at which latency is measured; events are those whose effect is waited for."""
REST_SECONDS = 3
"""The bus is at rest when so long nothing was taken in."""
WARM_SECONDS = 15
"""The broker's compiler is at work."""


@contextmanager
def running(bench: Bench, *command: str, **changes: str) -> Iterator[psutil.Process]:
    """A process of the bus, ended afterwards; it must not have ended by itself."""
    environment = bench.environment() | changes
    process = subprocess.Popen([sys.executable, *command], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
        assert process.poll() is None, f"{command} ended"
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    """Whether a server is there."""
    place = urlsplit(url)
    try:
        socket.create_connection((str(place.hostname), int(place.port or 0)), 1).close()
    except OSError:
        return False
    return True


class Meter:
    """Cores that processes take, and how many of their threads were ready to run while no core was free.

    Args:
        processes: by name; their children are counted with them.
    """

    def __init__(self, processes: dict[str, psutil.Process]) -> None:
        self._processes = processes
        self._began = time.perf_counter()
        self._before = self._now()

    def figures(self) -> dict[str, float]:
        """Since it was made: `cpu_<name>` and `ready_<name>`, in cores."""
        seconds = time.perf_counter() - self._began
        found = {}
        for name, now in self._now().items():
            for kind, before, after in zip(("cpu", "ready"), self._before[name], now, strict=True):
                found[f"{kind}_{name}"] = round((after - before) / seconds, 2)
        return found

    def _now(self) -> dict[str, tuple[float, float]]:
        return {name: (cpu_seconds(one), ready_seconds(one)) for name, one in self._processes.items()}


def ready_seconds(process: psutil.Process) -> float:
    """So long threads of a process and its children have waited for a core (Linux; elsewhere 0)."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        for path in Path(f"/proc/{one.pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(path.read_text().split()[1])
    return total / 1e9


def measure(
    bench: Bench, departments: Departments, processes: dict[str, psutil.Process], seconds: float
) -> dict[str, object]:
    """All figures; what needs quiet first, what leaves a queue behind last."""
    portal = processes["portal"]
    result: dict[str, object] = {}
    began, before = time.perf_counter(), bench.taken_in()
    meter = Meter(processes)
    times = measured(departments.checks(CHECKS, seconds))
    result |= meter.figures()
    result |= {"check_p50_ms": milliseconds(times.took, 500), "check_p99_ms": milliseconds(times.took, 990)}
    result |= {"late_p99_ms": milliseconds(times.late, 990)}
    times = measured(departments.pictures(PICTURES, seconds))
    result |= {"picture_p50_ms": milliseconds(times.took, 500), "picture_p99_ms": milliseconds(times.took, 990)}
    times = measured(departments.searches(SEARCHES, 2 * seconds))
    result |= {"search_p50_ms": milliseconds(times.took, 500), "search_p99_ms": milliseconds(times.took, 990)}
    times = measured(departments.effects(EVENTS, 2 * seconds))
    result |= {"freshness_p50_ms": milliseconds(times.took, 500), "freshness_p99_ms": milliseconds(times.took, 990)}
    cpu = cpu_seconds(portal)
    subjects, took = measured(departments.batches(20))
    result |= {"batch_per_s": round(subjects / took), "batch_per_core_s": round(subjects / (cpu_seconds(portal) - cpu))}
    cpu = cpu_seconds(portal)
    samples = measured(departments.full_speed(seconds))
    result |= {
        "checks_per_s": round(len(samples) / seconds), "checks_per_core_s": round(len(samples) / (cpu_seconds(portal) - cpu)),
        "full_speed_p99_ms": milliseconds(samples, 990),
    }  # fmt: skip
    events = round((bench.taken_in() - before) / (time.perf_counter() - began))
    return {"load_events_per_s": events} | result


def measure_at_rest(bench: Bench, departments: Departments, seconds: float) -> dict[str, object]:
    """Checks and pictures once nothing is left to take in."""
    taken = -1
    while taken != (taken := bench.taken_in()):
        time.sleep(REST_SECONDS)
    checks = measured(departments.checks(CHECKS, seconds)).took
    pictures = measured(departments.pictures(PICTURES, seconds)).took
    return {
        "check_p50_ms_rest": milliseconds(checks, 500), "check_p99_ms_rest": milliseconds(checks, 990),
        "picture_p50_ms_rest": milliseconds(pictures, 500), "picture_p99_ms_rest": milliseconds(pictures, 990),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--standings", type=int, default=1_000_000)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--load", type=int, default=2000, help="records a second meanwhile; 0 for an idle bus")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with bench_bus() as bench, ExitStack() as stack:
        settings = bench.settings
        began, folder = time.perf_counter(), settings.home / "directory"
        bus = Bus(settings.topic_prefix, settings.partitions, str(open_admin(settings.kafka).list_topics().cluster_id))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
            indexing = beside.submit(index, folder, arguments.names, bus)
            fill(bench, arguments.standings)
            indexing.result()
        filled = time.perf_counter() - began
        key = issue(RedisKeys(connect(bench.redis())), "gd.fin", "bench", datetime.now(UTC))[0]
        port = free_port()
        changes = {
            "CREDITBUS_PORTAL_PORT": str(port), "CREDITBUS_DIRECTORY_FOLDER": str(folder), "CREDITBUS_PERSON_KEYS": KEYS,
            "CREDITBUS_PORTAL_KEYS": KEYS, "CREDITBUS_SIGNING_KEYS": KEYS, "CREDITBUS_SEARCHES_PER_MINUTE": "1000000",
        }  # fmt: skip
        run = ("-m", "deploy.cli.main", "run")
        processes = {"kafka": psutil.Process(bench.stack.kafka.pid), "valkey": psutil.Process(bench.stack.valkey.pid)}
        for name, options in {"directory": (), "portal": ("--workers", str(arguments.workers)), "standing": ()}.items():
            processes[name] = stack.enter_context(running(bench, *run, name, *options, **changes))
        feeding = stack.enter_context(ExitStack())
        if arguments.load:
            feed = ("-m", "tests.bench.feed", str(arguments.load))
            processes["publisher"] = feeding.enter_context(running(bench, *feed))
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url), "the portal serves", within_seconds=180)  # it starts beside everything else
        time.sleep(WARM_SECONDS)
        departments = Departments(bench, url, key, arguments.standings, arguments.names, random.Random(1))
        result = measure(bench, departments, processes, arguments.seconds)
        feeding.close()
        result |= measure_at_rest(bench, departments, arguments.seconds)
    print_result(
        {
            "bench": "portal", **machine(), "standings": arguments.standings, "names": arguments.names, "filled_s": round(filled, 1),
            "workers": arguments.workers, "checks_paced_per_s": CHECKS, "seconds": arguments.seconds, **result,
        },
        as_json=arguments.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
