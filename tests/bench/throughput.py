"""Throughput: the whole job in one standing processor, beside Faust and Quix Streams doing the same job in the same run.

    python -m tests.bench.throughput [--records 300000] [--subjects 50000] [--json] [--only creditbus,faust,quix]

All three decode, validate, join and judge with the same code and leave the same standings and records in the same Redis; they
differ in client, loop, state and commit. A quarter of the records is each contestant's warm-up, then the clock starts.
"""

import argparse
import re
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

import redis
from confluent_kafka.admin import NewTopic

from exchange.kafka import open_admin
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.measured import ROOT, Bench, Run, bench_bus, machine, print_result, timed
from tests.bench.peers.job_names import EVERYTHING, PROGRESS

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
METRICS_PORT = 19464


def make_everything(bench: Bench) -> None:
    """One topic of all records, as the peers want it."""
    topic = NewTopic(EVERYTHING, num_partitions=bench.settings.partitions, replication_factor=1)
    admin = open_admin(bench.settings.kafka)  # kept: answers to a client that is gone never come
    admin.create_topics([topic])[EVERYTHING].result()


def feed(bench: Bench, count: int, subjects: int, *, everything: bool) -> int:
    """Publish a synthetic province, into the peers' topic too or not; returns the average size of a record in bytes."""
    producer, size = bench.feeder(), 0
    keys = load_person_keys(Settings(), embedded=True)
    stream = simulate(20261123, subjects, today=datetime.now(UTC).date(), keys=keys)
    for department, record_type, value in islice(stream, count):
        raw = bench.codec.encode_plain(record_type, bench.codec.plain(record_type, value))
        size += len(raw)
        topic, key = bench.topics.into(department), value["subject"].encode()
        producer.produce(topic, raw, key)
        if everything:
            producer.produce(EVERYTHING, raw, key, headers={"topic": topic})
        producer.poll(0)
        while len(producer) > 100_000:
            producer.poll(0.1)
    if producer.flush(120):
        raise SystemExit("the broker did not take everything")
    return size // count


def counter(bench: Bench, database: int) -> Callable[[], int]:
    """What a peer says it has finished."""
    client = redis.Redis.from_url(bench.redis(database))
    return lambda: int(client.get(PROGRESS) or 0)


def stage_microseconds(records: int) -> dict[str, object]:
    """Microseconds an event in each stage, from the processor's own metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/metrics", timeout=5) as page:  # our own
        text = page.read().decode()
    found = re.findall(r'creditbus_stage_seconds_sum\{stage="(\w+)"\} (\S+)', text)
    return {f"stage_{name}_us": round(float(seconds) / records * 1e6, 2) for name, seconds in found}


def figures(name: str, run: Run) -> dict[str, object]:
    """A contestant's rate, and CPU microseconds an event by process."""
    return {f"{name}_events_per_s": round(run.rate)} | {f"{name}_{who}_cpu_us": us for who, us in run.cpu_us.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--subjects", type=int, default=50_000)
    parser.add_argument("--only", default="creditbus,faust,quix")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    if not PEERS_PYTHON.exists() and set(only) & {"faust", "quix"}:
        raise SystemExit("the peers are not installed: run `make .venv-peers/ready`")
    result: dict[str, object] = {
        "bench": "throughput",
        "records": arguments.records,
        "subjects": arguments.subjects,
        **machine(),
    }
    with bench_bus() as bench, tempfile.TemporaryDirectory() as state:
        make_everything(bench)
        result["bytes_per_record"] = feed(bench, arguments.records, arguments.subjects, everything=True)
        contestants = {
            "creditbus": ([sys.executable, "-m", "deploy.cli.main", "run", "standing"], lambda: bench.taken_in(1)),
            "faust": ([str(PEERS_PYTHON), "-m", "tests.bench.peers.faust_app", "--datadir", state, "worker", "-l", "warn"], counter(bench, 2)),
            "quix": ([str(PEERS_PYTHON), "-m", "tests.bench.peers.quix_app", state], counter(bench, 3)),
        }  # fmt: skip
        for database, (name, (command, progress)) in enumerate(contestants.items(), 1):
            if name not in only:
                continue
            environment = bench.environment(database, CREDITBUS_METRICS_PORT=str(METRICS_PORT))
            with timed(bench, command, environment, progress, arguments.records) as run:
                result |= figures(name, run)
                sys.stderr.write(f"{name}: {run.rate:,.0f} events/s\n")
                if name == "creditbus":
                    result["events_per_s"] = round(run.rate)
                    result |= stage_microseconds(arguments.records)
            redis.Redis.from_url(bench.redis(database)).flushdb()
    for peer in ("faust", "quix"):
        rate = result.get(f"{peer}_events_per_s")
        if isinstance(rate, int) and isinstance(result.get("events_per_s"), int):
            result[f"ratio_{peer}"] = round(result["events_per_s"] / rate, 2)  # type: ignore[operator] # checked above
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
