"""Footprint: what a record of the synthetic province takes on all topics, and how many notices it causes.

    python -m tests.bench.footprint [--records 50000] [--subjects 10000] [--json]

Runs the standing processor and the ledger on servers of their own, publishes, waits until both are done, and weighs the broker's
files: one copy, compressed as the bus's publishers do.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from exchange.settings import Settings
from tests.bench.measured import machine, print_result
from tests.conftest import environment_of, running_stack

WITHIN_SECONDS = 600
_BIN = Path(sys.executable).parent


def weigh(kafka: Path, prefix: str) -> Counter[str]:
    """Bytes of the messages of each family of topics: in, out, rejected, standing, internal, ledger."""
    found: Counter[str] = Counter()
    for log in kafka.glob(f"{prefix}.*/*.log"):
        topic = log.parent.name.removeprefix(f"{prefix}.").rpartition("-")[0]
        found[topic.partition(".")[0]] += log.stat().st_size
    return found


def main() -> None:
    """Publish, wait, weigh, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="creditbus-footprint-") as folder, running_stack(Path(folder)) as stack:
        servers = stack.servers()
        settings = Settings(kafka=servers.kafka, redis=servers.redis, home=Path(folder))
        result = measure(settings, Path(folder) / "data" / "kafka", arguments.records, arguments.subjects)
    print_result(result, as_json=arguments.json)


def measure(settings: Settings, kafka: Path, records: int, subjects: int) -> dict[str, object]:
    """What there is after the records are through."""
    environment = environment_of(settings) | {
        "CREDITBUS_SIGNING_KEYS": f"k1:{'11' * 32}",
        "CREDITBUS_PERSON_KEYS": f"k1:{'22' * 32}",
    }

    def run(*words: str) -> None:
        subprocess.run([_BIN / "creditbus", *words], env=environment, check=True, stdout=subprocess.DEVNULL)

    run("topics", "apply")
    processes = [
        subprocess.Popen(
            [_BIN / "creditbus", "run", name], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for name in ("standing", "ledger")
    ]
    try:
        run("simulate", "--count", str(records), "--subjects", str(subjects), "--rate", "0")
        weights = _quiet(kafka, settings.topic_prefix)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)
    notices = _count(settings, "out")
    return {
        "bench": "footprint", **machine(), "records": records, "subjects": subjects,
        **{f"bytes_{family}": count for family, count in weights.items()},
        "bytes_per_record": round(sum(weights.values()) / records), "notices_per_record": round(notices / records, 2),
    }  # fmt: skip


def _quiet(kafka: Path, prefix: str) -> Counter[str]:
    """The weights once nothing has been added for fifteen seconds."""
    give_up_at, before, since = time.monotonic() + WITHIN_SECONDS, Counter[str](), time.monotonic()
    while time.monotonic() < give_up_at:
        now = weigh(kafka, prefix)
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > 15:
            return now
        time.sleep(1)
    raise TimeoutError("the bus does not come to rest")


def _count(settings: Settings, family: str) -> int:
    from confluent_kafka import Consumer, TopicPartition

    reader = Consumer({"bootstrap.servers": settings.kafka, "group.id": "unused", "isolation.level": "read_committed"})
    try:
        topics = reader.list_topics(timeout=30).topics
        places = [
            TopicPartition(name, number, 0)
            for name, topic in topics.items()
            if name.startswith(f"{settings.topic_prefix}.{family}.")
            for number in topic.partitions
            if reader.get_watermark_offsets(TopicPartition(name, number), timeout=30)[1]
        ]
        reader.assign(places)
        count, idle = 0, 0
        while idle < 5:
            messages = [one for one in reader.consume(5000, 1) if one.error() is None]
            count, idle = count + len(messages), 0 if messages else idle + 1
        return count
    finally:
        reader.close()


if __name__ == "__main__":
    main()
