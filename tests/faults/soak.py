"""Soak: the bus at an even pace for hours; memory and file handles of every process, and how steeply they rise.

    python -m tests.faults.soak [--minutes 120] [--rate 1000] [--processes standing,dispatcher,ledger,directory] [--json]

What is published are further revisions of the same documents about the same subjects, so that what the bus has to keep stays the same
size: whatever rises all the same has been forgotten to be given back. One record in ten enters a subject on the list of abnormal
operations or removes it, which three departments are told of; two of them are pushed to. It begins with a burst, so that queues and
batches have been as large as they get, and the delivery log is so short that it is full, before the samples count.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from statistics import fmean, linear_regression
from typing import Any

import psutil

from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.pseudonym import load_person_keys
from exchange.redis_client import connect
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.delivery import KEYS, KEYS_TEXT, Desks
from tests.bench.measured import ROOT, Bench, bench_bus, machine, print_result

SUBJECTS = 5_000
DOCUMENTS = 20_000
KINDS = ("licence", "penalty", "inspection_result", "award", "court_judgment", "rating")
LISTED_ONE_IN = 10
BURST = 100_000
"""Records that come at once in the beginning: what a process needs for the largest batches it keeps."""
LOG_ENTRIES = 5_000
PUSHED_TO = ("gd.fin", "gd.prtc")
SAMPLE_SECONDS = 5.0
TELL_SECONDS = 60.0
FLAT_SHARE = 0.05
"""What rises by less than this share of its mean in an hour is flat."""
MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """How a value rises: its mean, and by how much in an hour, give or take twice the standard error."""

    mean: float
    per_hour: float
    give_or_take: float

    @property
    def is_flat(self) -> bool:
        """Whether it rises by little, or by no more than chance would have it."""
        return self.per_hour <= max(FLAT_SHARE * self.mean, self.give_or_take)


def slope(seconds: Sequence[float], values: Sequence[float]) -> Slope:
    """Least squares over samples.

    >>> slope([0, 3600, 7200], [10, 12, 14])
    Slope(mean=12.0, per_hour=2.0, give_or_take=0.0)
    """
    line = linear_regression(seconds, values)
    middle = fmean(seconds)
    spread = sum((at - middle) ** 2 for at in seconds)
    off = sum((value - line.intercept - line.slope * at) ** 2 for at, value in zip(seconds, values, strict=True))
    error = (off / max(1, len(seconds) - 2) / spread) ** 0.5
    return Slope(mean=fmean(values), per_hour=line.slope * 3600, give_or_take=2 * error * 3600)


@dataclass(slots=True)
class Watched:
    """A process, and what was seen of it."""

    process: psutil.Process
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    handles: list[float] = field(default_factory=list)

    def look(self, at: float) -> None:
        """Take a sample: resident memory in bytes, open file handles."""
        self.seconds.append(at)
        self.memory.append(self.process.memory_info().rss)
        self.handles.append(self.process.num_fds())

    def figures(self, name: str) -> dict[str, object]:
        """Memory in MiB, handles, their slopes, and whether both are flat."""
        memory, handles = slope(self.seconds, self.memory), slope(self.seconds, self.handles)
        return {
            f"{name}_mib": round(memory.mean / MIB, 1), f"{name}_mib_per_hour": round(memory.per_hour / MIB, 2),
            f"{name}_mib_per_hour_give_or_take": round(memory.give_or_take / MIB, 2),
            f"{name}_handles": round(handles.mean), f"{name}_handles_per_hour": round(handles.per_hour, 2),
            f"{name}_flat": memory.is_flat and handles.is_flat,
        }  # fmt: skip


class Steady:
    """Revisions of the same documents, one after the other, without end.

    Args:
        bench: for whose topics.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._producer = bench.feeder(linger_ms=5)
        self.sent = 0
        self.unconfirmed = 0

    def publish(self, rate: float, until: float) -> Iterator[None]:
        """After the burst at a pace, until a time by the monotonic clock; gives the floor to others again and again."""
        begin, number, records = time.monotonic(), -BURST, self._records()
        while (now := time.monotonic()) < until:
            while number < (now - begin) * rate:
                department, record_type, plain = next(records)
                plain["published_at"] = time.time_ns() // 1_000_000
                wire = self._bench.codec.encode_plain(record_type, plain)
                self._producer.produce(
                    self._bench.topics.into(department), wire, plain["subject"].encode(), on_delivery=self._note
                )
                number += 1
            self._producer.poll(0)
            time.sleep(0.01)
            yield
        self._producer.flush(60)

    def _note(self, error: object, _message: object) -> None:
        self.sent += error is None
        self.unconfirmed += error is not None

    def _records(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        codec = self._bench.codec
        keys = load_person_keys(Settings(), embedded=True)
        stream = simulate(1, SUBJECTS, today=datetime.now(UTC).date(), keys=keys)
        chosen = islice((one for one in stream if one[1] in KINDS), DOCUMENTS)
        documents = [(department, kind, codec.plain(kind, record)) for department, kind, record in chosen]
        revision = 1
        while True:
            for number, (department, kind, plain) in enumerate(documents):
                plain["revision"] = revision
                yield department, kind, plain
                if number % (LISTED_ONE_IN - 1) == 0:
                    yield "gd.amr", "abnormal_entry", self._listed(plain, number, revision)
            revision += 1

    def _listed(self, plain: dict[str, Any], number: int, revision: int) -> dict[str, Any]:
        now = datetime.now(UTC)
        entered = revision % 2 == 1
        entry = {
            "subject": plain["subject"], "department": "gd.amr", "document": f"异{number}", "revision": revision,
            "decided_on": now.date(), "published_at": now, "grounds": "1", "state": "ENTERED" if entered else "REMOVED",
            "removed_on": None if entered else now.date(),
        }  # fmt: skip
        return self._bench.codec.plain("abnormal_entry", entry)


@contextmanager
def running(bench: Bench, names: Sequence[str], desks: Desks) -> Iterator[dict[str, Watched]]:
    """The bus's processes and its servers, watched."""
    store = EndpointStore(connect(bench.redis()))
    now = time.time_ns() // 1_000_000
    for name in PUSHED_TO:
        endpoint = Endpoint(department=name, url=f"http://127.0.0.1:{desks.port}/{name}", key_id=KEYS.newest, rate=5000)
        store.add(endpoint.verified(now))
    environment = bench.environment(
        CREDITBUS_WEBHOOK_NETWORKS="127.0.0.0/8", CREDITBUS_WEBHOOK_PLAIN_HTTP="1", CREDITBUS_SIGNING_KEYS=KEYS_TEXT,
        CREDITBUS_HOME=str(bench.settings.home), CREDITBUS_DELIVERY_LOG_ENTRIES=str(LOG_ENTRIES),
    )  # fmt: skip
    processes = {
        name: subprocess.Popen([sys.executable, "-m", "deploy.cli.main", "run", name], env=environment, cwd=ROOT)
        for name in names
    }
    pids = {name: one.pid for name, one in processes.items()}
    pids |= {"kafka": bench.stack.kafka.pid, "valkey": bench.stack.valkey.pid}
    try:
        yield {name: Watched(psutil.Process(pid)) for name, pid in pids.items()}
    finally:
        for one in processes.values():
            one.terminate()
        for one in processes.values():
            one.wait(60)


def soak(minutes: float, rate: float, warm_up_minutes: float, names: Sequence[str]) -> dict[str, object]:
    """Run it; samples count after the warm-up."""
    with ExitStack() as stack:
        bench = stack.enter_context(bench_bus())
        desks = Desks()
        stack.callback(desks.process.wait)
        stack.callback(desks.process.terminate)
        watched = stack.enter_context(running(bench, names, desks))
        steady, pushed = Steady(bench), 0
        began = time.monotonic()
        warm_at, due, tell_at = began + 60 * warm_up_minutes, 0.0, began + TELL_SECONDS
        for _ in steady.publish(rate, began + 60 * minutes):
            now = time.monotonic()
            if now >= due:
                due = now + SAMPLE_SECONDS
                pushed += sum(map(len, desks.latencies().values()))
                for one in watched.values():
                    if now >= warm_at:
                        one.look(now - began)
            if now >= tell_at:
                tell_at += TELL_SECONDS
                _tell(now - began, steady.sent, steady.sent - bench.taken_in(), watched)
        took = time.monotonic() - began
        behind = steady.sent - bench.taken_in()
        figures: dict[str, object] = {
            "bench": "soak", "minutes": minutes, "warm_up_minutes": warm_up_minutes, "burst": BURST, "records": steady.sent,
            "records_per_s": round(steady.sent / took, 1), "unconfirmed": steady.unconfirmed, "pushed": pushed,
            "behind_at_the_end": max(0, behind), "samples": len(watched["kafka"].seconds),
        }  # fmt: skip
        for name, one in watched.items():
            figures |= one.figures(name)
        figures["flat"] = all(figures[f"{name}_flat"] for name in watched)
        return figures | machine()


def _tell(seconds: float, sent: int, behind: int, watched: Mapping[str, Watched]) -> None:
    """How far it is, a line a minute on standard error."""
    of_each = ", ".join(
        f"{name} {one.process.memory_info().rss / MIB:.0f} MiB {one.process.num_fds()} handles"
        for name, one in watched.items()
    )
    minutes = round(seconds / 60)
    print(f"{minutes} min: {sent:,} records, {max(0, behind):,} behind; {of_each}", file=sys.stderr, flush=True)


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rate", type=float, default=1000, help="records a second")
    parser.add_argument("--warm-up", type=float, help="minutes that do not count; a quarter, ten at most, if not given")
    parser.add_argument("--processes", default="standing,dispatcher,ledger,directory")
    parser.add_argument("--json", action="store_true", help="print one flat JSON object as the last line")
    arguments = parser.parse_args()
    warm_up = arguments.warm_up if arguments.warm_up is not None else min(10.0, arguments.minutes / 4)
    result = soak(arguments.minutes, arguments.rate, warm_up, arguments.processes.split(","))
    print_result(result, as_json=arguments.json)
    raise SystemExit(0 if result["flat"] else 1)


if __name__ == "__main__":
    main()
