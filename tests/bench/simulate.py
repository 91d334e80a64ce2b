"""Policy simulation over a million standings: minutes, memory, and what it costs a bus that goes on.

    python -m tests.bench.simulate [--standings 1000000] [--workers 2] [--json]

A million organisations lie in Redis, one in ten on a list that obliges departments. The other policy takes all measures from one
department and lets tax listings hold longer, so that every listed one is affected. While it runs, Redis is pinged.
"""

import argparse
import resource
import shutil
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

import psutil

from consumers.simulation.run import Question, simulate
from exchange.catalogue import load_catalogue
from exchange.domain.calendar import day_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from tests.bench.measured import bench_bus, machine, print_result
from tests.bench.standings import fill

MEBIBYTE = 2**20


def other_policy(folder: Path) -> Path:
    """A copy of the schemas without gd.fin's measures and with a longer term of tax listings."""
    shutil.copytree(SCHEMAS, folder, dirs_exist_ok=True)
    measures = folder / "policy" / "measures.toml"
    head, *rows = measures.read_text(encoding="utf-8").split("[[measure]]")
    measures.write_text("[[measure]]".join([head, *(row for row in rows if '"gd.fin"' not in row)]), encoding="utf-8")
    lists = folder / "policy" / "lists.toml"
    before, code, after = lists.read_text(encoding="utf-8").partition('code = "TAX"')
    lists.write_text(before + code + after.replace("months = 36", "months = 60", 2), encoding="utf-8")
    return folder


class Watch(threading.Thread):
    """Looks at memory (of this process and its workers, in bytes) and at how long Redis takes to answer (in seconds)."""

    def __init__(self, redis: str) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.pings: list[float] = []
        self._client = connect(redis)
        self._over = threading.Event()

    def run(self) -> None:
        """Until `end`."""
        this = psutil.Process()
        while not self._over.wait(0.02):
            began = time.perf_counter()
            self._client.ping()
            self.pings.append(time.perf_counter() - began)
            if len(self.pings) % 25 == 0:
                used = [
                    one.memory_info().rss for one in (this, *this.children(recursive=True)) if "python" in one.name()
                ]
                self.peak = max(self.peak, sum(used))

    def end(self) -> None:
        """Look no longer."""
        self._over.set()
        self.join()


def _cpu_seconds() -> float:
    """User and system time of this process and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--standings", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    catalogue = load_catalogue(SCHEMAS)
    with bench_bus() as bench, tempfile.TemporaryDirectory() as folder:
        fill(bench, options.standings)
        question = Question(
            redis=bench.redis(), partitions=bench.settings.partitions, now=load_policy(SCHEMAS, catalogue),
            then=load_policy(other_policy(Path(folder)), catalogue), as_of=day_of(time.time_ns() // 1_000_000),
        )  # fmt: skip
        watch = Watch(bench.redis())
        watch.start()
        before, began = _cpu_seconds(), time.perf_counter()
        effect = simulate(question, options.workers)
        seconds = time.perf_counter() - began
        after = _cpu_seconds()
        watch.end()
        assert effect.subjects == options.standings
    print_result(
        {
            "standings": options.standings, "workers": options.workers, "affected": effect.affected,
            "notices": effect.notices, "minutes": round(seconds / 60, 2), "subjects_per_s": round(effect.subjects / seconds),
            "cpu_s": round(after - before, 1),
            "peak_mib": round(watch.peak / MEBIBYTE), "redis_ping_p99_ms": round(quantiles(watch.pings, n=100)[98] * 1000, 1),
            **machine(),
        },
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
