"""Growth: long histories, many subjects, a burst of listings, and a rebuild from an empty Redis.

   python -m tests.bench.growth [--burst 700000] [--json]

1. The cost of an event for a subject with 10, 1,000 and 100,000 records: load, fold and commit on the real server.
2. Bytes in Redis of a typical subject, with 5 records.
3. A burst of COURT listings through a processor: how fast it drains, and whether each subject's order holds.
4. Redis emptied: events a second until everything is there again, and how many notices that repeats (none).
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from statistics import median

import redis
from confluent_kafka import Consumer

from consumers.standing.decode import Arrival, Decoded
from consumers.standing.join import Join
from consumers.standing.partition import Partition
from consumers.standing.reading import read_places
from exchange.catalogue import load_catalogue
from exchange.domain.calendar import day_of
from exchange.domain.judge import RuleBook
from exchange.domain.record import DOCUMENT, Fact, Version, entry_key
from exchange.domain.response import ResponseRules
from exchange.domain.synthetic import synthetic_uscc
from exchange.kafka_places import watermarks
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import Burst, simulate
from tests.bench.measured import ROOT, Bench, bench_bus, machine, print_result

BATCH = 500
TYPES = ("penalty", "licence", "inspection_result", "annual_report", "award")


def facts(subject: str, begin: int, number: int) -> list[Arrival]:
    """So many new records about one subject, as they would arrive."""
    found = []
    for i in range(begin, begin + number):
        record_type = TYPES[i % len(TYPES)]
        body = (1, 200_000, 0, None) if record_type == "penalty" else (0, 0, None)
        version = Version(1, i, 20_000 + i % 500, 1_790_000_000, 3, 1_000_000 + i, body)
        key = entry_key(record_type, "gd.amr", f"粤市监〔2026〕{i:06d}号")
        value = {
            "decided_on": version.decided_on,
            "published_at": version.decided_on * 86_400_000,
            "department": "gd.amr",
        }
        found.append(Arrival(subject, Fact(key, DOCUMENT, version), record_type, value, "bench.in.gd.amr", i))
    return found


class Histories:
    """Joins batches straight on the store, as a processor does between consuming and publishing."""

    def __init__(self, bench: Bench) -> None:
        self._store = bench.store(2)
        book = RuleBook(load_policy(SCHEMAS, load_catalogue(SCHEMAS)), day_of(time.time_ns() // 1_000_000))
        tokens = (str(number) for number in count())
        self._join = Join(
            self._store,
            bench.topics,
            bench.codec,
            book,
            ResponseRules(deadline=lambda day, n: (day + n, False)),
            lambda: next(tokens),
        )
        self._partition = Partition(number=0, token="", epoch=0, reconcile=False, offsets={}, known={})

    def take(self, arrivals: list[Arrival]) -> float:
        """Join one batch; seconds it took."""
        begin = time.perf_counter()
        (work,) = self._join.begin([Decoded(self._partition, arrivals=arrivals)], {})
        self._join.judge(work, now=1_790_000_000_000)
        commit = self._join.finish(work, now=1_790_000_000_000)
        if error := self._store.commit([commit])[0]:
            raise error
        self._partition.token = commit.token
        self._partition.cache.update(work.standings)
        return time.perf_counter() - begin


def cost_by_history(bench: Bench) -> dict[str, object]:
    """Part 1."""
    histories, result, cost = Histories(bench), {}, {}
    lengths = (10, 1_000, 100_000)
    subjects = {length: f"org:{synthetic_uscc(number)}" for number, length in enumerate(lengths, 1)}
    for length, subject in subjects.items():
        for begin in range(0, length, BATCH):
            histories.take(facts(subject, begin, min(BATCH, length - begin)))
    times: dict[int, list[float]] = {length: [] for length in lengths}
    for repeat in range(20):  # taken in turn, so that a slow moment of the machine hits all three
        for length, subject in subjects.items():
            times[length].append(histories.take(facts(subject, length + repeat * BATCH, BATCH)))
    for length in lengths:
        cost[length] = median(times[length]) / BATCH * 1e6
        result[f"event_us_{length}"] = round(cost[length], 1)
    return {**result, "ratio_100000_to_10": round(cost[100_000] / cost[10], 2)}


def bytes_by_subject(bench: Bench, subjects: int = 20_000) -> dict[str, object]:
    """Part 2."""
    client = redis.Redis.from_url(bench.redis(2))
    client.flushdb()
    histories, before = Histories(bench), client.info("memory")["used_memory"]
    for begin in range(0, subjects, 100):
        histories.take([a for n in range(begin + 1, begin + 101) for a in facts(f"org:{synthetic_uscc(n)}", n * 5, 5)])
    used = client.info("memory")["used_memory"] - before
    client.flushdb()
    return {"bytes_per_subject": round(used / subjects), "records_per_subject": 5}


def read_notices(bench: Bench) -> Iterator[dict[str, object]]:
    """Every notice there is, each partition in order."""
    consumer = Consumer({**bench.settings.kafka.config(), "group.id": "growth", "isolation.level": "read_committed"})
    partitions = range(bench.settings.partitions)
    places = [(bench.topics.out_of(department), number) for department in bench.departments for number in partitions]
    for message in read_places(consumer, watermarks(consumer, places)):
        yield bench.codec.decode_plain(message.value() or b"")[1]
    consumer.close()


def wait_for(bench: Bench, total: int, within: float) -> float:
    """Seconds until so many records are taken in."""
    begin = time.perf_counter()
    store = bench.store()
    while time.perf_counter() - begin < within:
        if bench.taken_in() >= total and not any(store.cursor(n).reconcile for n in range(bench.settings.partitions)):
            return time.perf_counter() - begin
        time.sleep(0.1)
    raise SystemExit(f"{bench.taken_in():,} of {total:,} after {within} s")


def burst_and_rebuild(bench: Bench, size: int) -> dict[str, object]:
    """Parts 3 and 4."""
    keys = load_person_keys(Settings(), embedded=True)
    stream = simulate(
        5, size, today=datetime.now(UTC).date(), keys=keys, bursts=(Burst(list_code="COURT", count=size),)
    )
    producer = bench.feeder()
    for department, record_type, value in islice(stream, size):
        while True:
            try:
                producer.produce(
                    bench.topics.into(department), bench.codec.encode(record_type, value), value["subject"].encode()
                )
            except BufferError:
                producer.poll(0.1)
            else:
                break
    producer.flush(120)
    process = subprocess.Popen(  # our own command
        [sys.executable, "-m", "deploy.cli.main", "run", "standing"], env=bench.environment(), cwd=ROOT
    )
    drained = wait_for(bench, size, 1800)
    process.terminate()
    process.wait(60)
    last: dict[tuple[object, object], tuple[object, ...]] = {}
    disorder = notices = 0
    for notice in read_notices(bench):
        notices += 1
        pair, sequence = (notice["department"], notice["subject"]), (notice["epoch"], notice["n"])
        disorder += pair in last and last[pair] >= sequence
        last[pair] = sequence
    last.clear()
    redis.Redis.from_url(bench.redis()).flushdb()
    process = subprocess.Popen(  # our own command
        [sys.executable, "-m", "deploy.cli.main", "run", "standing"], env=bench.environment(), cwd=ROOT
    )
    rebuilt = wait_for(bench, size, 1800)
    process.terminate()
    process.wait(60)
    return {
        "burst": size, "burst_drained_s": round(drained, 1), "burst_events_per_s": round(size / drained),
        "burst_notices": notices, "burst_notices_per_s": round(notices / drained), "out_of_order": disorder,
        "rebuild_s": round(rebuilt, 1), "rebuild_events_per_s": round(size / rebuilt),
        "rebuild_repeated_notices": sum(1 for _ in read_notices(bench)) - notices,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--burst", type=int, default=700_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = {"bench": "growth", **machine()}
    with bench_bus() as bench:
        result |= cost_by_history(bench)
        result |= bytes_by_subject(bench)
        result |= burst_and_rebuild(bench, arguments.burst)
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
