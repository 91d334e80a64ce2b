"""Delivery: notices on `credit.out.*` until real HTTP endpoints have them, each message signed twice and verified.

    python -m tests.bench.delivery [--notices 24000] [--rate 300] [--seconds 15] [--processes 1] [--json]

1. Throughput: a backlog to nine departments, each notice of a subject of its own; counted after a warm-up of a quarter.
2. Latency at a steady rate far below saturation, from just before a notice is published until its endpoint has it.
3. The same, while a third of the endpoints are dead or answer after 20 s: what the healthy ones notice of it. Both in turns, three
   rounds, each with dispatchers of its own; of a figure the median of the rounds counts.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median, quantiles

import psutil
from confluent_kafka import Producer

from exchange.domain.synthetic import synthetic_uscc
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.redis_client import connect
from exchange.signatures import SigningKeys
from tests.bench.measured import ROOT, WARM_UP, Bench, bench_bus, cpu_seconds, machine, print_result

DEPARTMENTS = ("gd.amr", "gd.fin", "gd.prtc", "gd.tax", "gd.drc", "gd.dnr", "gd.pbc", "gd.data", "gd.hud")
DEAD = ("gd.dnr", "gd.pbc")
SLOW = ("gd.hud",)
HEALTHY = tuple(one for one in DEPARTMENTS if one not in DEAD + SLOW)
SLOW_SECONDS = 20
SUBJECTS = 90_000
DEAD_PORT = 9  # discard: nothing listens there
KEYS_TEXT = "bench:" + "5a" * 32
KEYS = SigningKeys.parse(KEYS_TEXT)
WARM_UP_SECONDS = 12.0
ROUNDS = 3


class Desks:
    """The endpoints' process."""

    def __init__(self) -> None:
        secrets = {name: KEYS.endpoint_key(name, 1).secret_text for name in DEPARTMENTS}
        command = [sys.executable, "-m", "tests.bench.desks", json.dumps(secrets), str(SLOW_SECONDS)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)  # our own module
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def latencies(self) -> dict[str, list[float]]:
        """What came since the last call, by department."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=30) as answer:
            found: dict[str, list[float]] = json.load(answer)
            return found


class Notices:
    """Puts notices on topics."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._producer: Producer = bench.feeder(linger_ms=0)
        self._count = 0
        shown = json.loads((ROOT / "schemas/examples/notice/imposed.json").read_text("utf-8"))
        schema = bench.codec.contracts.latest["notice"].schema
        from exchange.json_form import from_json

        self._value = from_json(schema, shown)

    def put(self) -> None:
        """The next notice, to the next department, about the next subject."""
        self._count += 1
        firm, department = f"org:{synthetic_uscc(self._count % SUBJECTS + 1)}", DEPARTMENTS[self._count % 9]
        value = self._value | {
            "id": f"{self._count:032x}", "subject": firm, "department": department, "epoch": 1, "n": self._count,
            "issued_at": datetime.now(UTC),
        }  # fmt: skip
        raw = self._bench.codec.encode("notice", value)
        while True:
            try:
                self._producer.produce(self._bench.topics.out_of(department), raw, firm.encode())
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until all are there."""
        assert self._producer.flush(60) == 0


@contextmanager
def dispatchers(bench: Bench, processes: int) -> Iterator[list[psutil.Process]]:
    """Running dispatchers."""
    environment = bench.environment(
        CREDITBUS_WEBHOOK_NETWORKS="127.0.0.0/8", CREDITBUS_WEBHOOK_PLAIN_HTTP="1", CREDITBUS_SIGNING_KEYS=KEYS_TEXT
    )
    command = [sys.executable, "-m", "deploy.cli.main", "run", "dispatcher"]
    running = [subprocess.Popen(command, env=environment, cwd=ROOT) for _ in range(processes)]  # our own command
    try:
        yield [psutil.Process(one.pid) for one in running]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(60)


def throughput(bench: Bench, desks: Desks, notices: Notices, total: int, processes: int) -> dict[str, object]:
    """Work off a backlog."""
    for _ in range(total):
        notices.put()
    notices.flush()
    with dispatchers(bench, processes) as running:
        done, first, began, used = 0, 0, 0.0, 0.0
        while done < total:
            time.sleep(0.1)
            done += sum(map(len, desks.latencies().values()))
            if not began and done >= total * WARM_UP:
                first, began, used = done, time.perf_counter(), sum(map(cpu_seconds, running))
        seconds = time.perf_counter() - began
        used = sum(map(cpu_seconds, running)) - used
    rate = (total - first) / seconds
    return {
        "notices": total, "processes": processes, "deliveries_per_s": round(rate),
        "dispatcher_cpu_us": round(used / (total - first) * 1e6),
        "deliveries_per_dispatcher_core_s": round((total - first) / used),
    }  # fmt: skip


def steady(desks: Desks, notices: Notices, rate: int, seconds: float) -> list[float]:
    """Latencies of the healthy endpoints at a steady rate, sorted."""
    begin = time.perf_counter()
    is_warm = False
    for number in range(int(rate * (seconds + WARM_UP_SECONDS))):
        due = begin + number / rate
        if not is_warm and number >= rate * WARM_UP_SECONDS:
            is_warm = True
            desks.latencies()
        while (now := time.perf_counter()) < due:
            time.sleep(due - now)
        notices.put()
    notices.flush()
    samples: list[float] = []
    while more := [one for name, found in desks.latencies().items() if name in HEALTHY for one in found]:
        samples += more
        time.sleep(2)
    expected = rate * seconds * len(HEALTHY) / len(DEPARTMENTS)
    if len(samples) < 0.95 * expected:
        raise SystemExit(f"only {len(samples)} of {expected:.0f} deliveries at {rate}/s")
    return sorted(samples)


def set_endpoints(bench: Bench, desks: Desks, *, broken: bool) -> None:
    """Every department's endpoint; with a third of them dead or slow."""
    store = EndpointStore(connect(bench.redis()))
    for name in DEPARTMENTS:
        url = f"http://127.0.0.1:{desks.port}/{name}"
        if broken and name in DEAD:
            url = f"http://127.0.0.1:{DEAD_PORT}/{name}"
        if broken and name in SLOW:
            url = f"http://127.0.0.1:{desks.port}/slow/{name}"
        store.remove(name)
        now = time.time_ns() // 1_000_000
        store.add(
            Endpoint(department=name, url=url, key_id=KEYS.newest, rate=5000, concurrency=16, since=now).verified(now)
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notices", type=int, default=24_000)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        bench = stack.enter_context(bench_bus())
        desks = Desks()
        stack.callback(desks.process.wait)
        stack.callback(desks.process.terminate)
        notices = Notices(bench)
        set_endpoints(bench, desks, broken=False)
        result = {"bench": "delivery", "departments": len(DEPARTMENTS), "dead_or_slow": len(DEAD + SLOW), **machine()}
        result |= {"aiohttp": version("aiohttp"), "cryptography": version("cryptography"), "signatures": "v1a and v1"}
        result |= throughput(bench, desks, notices, arguments.notices, arguments.processes)
        rounds: dict[bool, list[list[float]]] = {False: [], True: []}
        for broken in (False, True) * ROUNDS:
            set_endpoints(bench, desks, broken=broken)
            with dispatchers(bench, arguments.processes):
                rounds[broken].append(quantiles(steady(desks, notices, arguments.rate, arguments.seconds), n=100))
    calm, with_dead = ([median(one[at] for one in rounds[broken]) for at in (49, 98)] for broken in (False, True))
    result |= {
        "rate": arguments.rate, "seconds": arguments.seconds, "rounds": ROUNDS, "p50_ms": round(calm[0], 1),
        "p99_ms": round(calm[1], 1), "p50_ms_with_dead": round(with_dead[0], 1), "p99_ms_with_dead": round(with_dead[1], 1),
        "p99_ms_rounds": ", ".join(f"{one[98]:.1f}" for one in rounds[False]),
        "p99_ms_with_dead_rounds": ", ".join(f"{one[98]:.1f}" for one in rounds[True]),
        "ratio_p99_with_dead": round(with_dead[1] / calm[1], 2),
    }  # fmt: skip
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
