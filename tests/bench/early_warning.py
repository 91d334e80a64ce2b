"""Early warning: records a second of one worker, and how long a burst keeps it busy.

    python -m tests.bench.early_warning [--records 40000] [--per-second 5000] [--seconds 10] [--json]

First a province's records are there before the worker starts; a part is its warm-up. Then, the worker idle, a burst comes at a steady
pace: once of the province's mix, of which one record in eight counts, and once of penalties alone, which all do. Lag is what
the group has not committed; a commit waits until the tables' changelogs are written.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from typing import Any

from confluent_kafka import Producer

from consumers.early_warning.closing import Ends
from consumers.early_warning.ends import AskEnds, lag
from consumers.early_warning.topics import OwnTopics
from consumers.standing.assignment import pauses
from exchange.clock import now_ms
from exchange.domain.synthetic import synthetic_uscc
from exchange.errors import RetryLaterError
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.measured import Bench, bench_bus, machine, print_result, timed

Raw = tuple[str, bytes, bytes]
"""Topic, key, message."""
SUBJECTS = 50_000
CAUGHT_UP = 100
"""Records of lag that are on their way."""


def province(bench: Bench, seed: int) -> Iterable[Raw]:
    """Records of a synthetic province."""
    keys = load_person_keys(Settings(), embedded=True)
    for department, record_type, value in simulate(seed, SUBJECTS, today=datetime.now(UTC).date(), keys=keys):
        yield bench.topics.into(department), value["subject"].encode(), bench.codec.encode(record_type, value)


def penalties(bench: Bench) -> Iterable[Raw]:
    """Penalties of one department, each of another document."""
    number, today = 0, datetime.now(UTC)
    while True:
        number += 1
        value: dict[str, Any] = {
            "subject": f"org:{synthetic_uscc(number % SUBJECTS + 1)}", "subject_name": "合成公司", "department": "gd.amr",
            "document": f"突罚〔2026〕{number}号", "revision": 1, "decided_on": today.date(), "published_at": today,
            "division": f"44{number % 20 + 1:02d}00" if number % 20 < 9 else "440100", "violation": str(number % 30),
        }  # fmt: skip
        yield bench.topics.into("gd.amr"), value["subject"].encode(), bench.codec.encode("penalty", value)


def send(producer: Producer, raws: Iterable[Raw]) -> None:
    """Hand over."""
    for topic, key, raw in raws:
        producer.produce(topic, raw, key)
        producer.poll(0)


def ask(ends: AskEnds) -> Ends:
    """How far the worker is; a broker whose coordinator is just moving in is asked again."""
    for pause in pauses():
        try:
            return ends.ask()
        except RetryLaterError:
            time.sleep(pause)
    raise AssertionError("pauses have no end")


def burst(bench: Bench, raws: list[Raw], per_second: int, ends: AskEnds) -> dict[str, float]:
    """Send at a steady pace; the greatest lag, and how long after the last record all is committed."""
    producer, highest, began = bench.feeder(linger_ms=5), 0, time.perf_counter()
    step = max(1, per_second // 20)
    for number in range(0, len(raws), step):
        send(producer, raws[number : number + step])
        behind = began + (number + step) / per_second - time.perf_counter()
        if behind > 0:
            time.sleep(behind)
        if number % (step * 10) == 0:
            highest = max(highest, lag(ask(ends)))
    producer.flush(60)
    sent = time.perf_counter()
    while (left := lag(ask(ends))) > CAUGHT_UP:
        highest = max(highest, left)
        if time.perf_counter() - sent > 600:
            raise SystemExit(f"{left:,} records are still waiting")
        time.sleep(0.2)
    return {
        "sent_per_s": round(len(raws) / (sent - began)), "lag_max_records": highest,
        "caught_up_after_s": round(time.perf_counter() - sent, 1),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--per-second", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = {
        "bench": "early-warning", **machine(), "faust_streaming": version("faust-streaming"), "aiokafka": version("aiokafka"),
        "rocksdict": version("rocksdict"), "records": arguments.records, "burst_per_s": arguments.per_second,
        "burst_s": arguments.seconds,
    }  # fmt: skip
    with bench_bus() as bench:
        send(producer := bench.feeder(), islice(province(bench, 1), arguments.records))
        producer.flush(120)
        topics = [bench.topics.into(slug) for slug in bench.departments]
        places = [(topic, number) for topic in topics for number in range(bench.settings.partitions)]
        ends = AskEnds(bench.settings.kafka, OwnTopics(bench.settings.topic_prefix).app_id, places, now_ms)
        command = [sys.executable, "-m", "deploy.cli", "run", "early-warning"]
        environment = bench.environment(CREDITBUS_HOME=str(bench.settings.home))
        with timed(bench, command, environment, lambda: sum(ask(ends).committed.values()), arguments.records) as run:
            result |= {"records_per_s": round(run.rate), "worker_cpu_us_per_record": round(run.cpu_us["app"])}
            many = arguments.per_second * arguments.seconds
            for name, raws in (("mix", province(bench, 2)), ("penalties", penalties(bench))):
                found = burst(bench, list(islice(raws, many)), arguments.per_second, ends)
                result |= {f"{name}_{figure}": value for figure, value in found.items()}
        ends.close()
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
