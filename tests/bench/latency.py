"""Latency: from a department's publish until the notice can be read in `credit.out.*`, transactions on.

    python -m tests.bench.latency [--rates 200,1000,5000] [--seconds 20] [--warm-up 40] [--unverified] [--json]

Before the first rate a warm-up at 2,000/s gives the broker's compiler its work, which else takes longer than the records do.
A synthetic province is published at an even pace. Samples are the notices to one department, from just before the causing
record's publish until the notice is handed to the department's read_committed reader.
"""

import argparse
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from statistics import quantiles

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from exchange.kafka import leave, open_admin
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.measured import ROOT, Bench, bench_bus, machine, print_result

SUBJECTS = 20_000
WARM_UP_RATE = 2_000
SETTLE = 5.0
"""Seconds at the beginning of each rate that are not counted."""
TAKEN_IN_WITHIN = 120.0
"""Seconds after the last publish: what comes late is a sample too."""
QUIET = 3.0
"""Seconds without a notice after which no more is expected."""
READER = "gd.fin"
"""The department that most records of the simulated province concern. All that one record causes, for whatever departments, is
one transaction, which can be read as a whole or not at all."""


Place = tuple[str, int, int]
"""Topic, partition and offset of a record: what a notice names as its cause."""


class Reader(threading.Thread):
    """Reads the department's notices and says when each cause was first seen."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(daemon=True)
        self._codec = bench.codec
        self._topic = bench.topics.out_of(READER)
        self._kafka = bench.settings.kafka
        self.seen: dict[Place, int] = {}
        self.notices = 0
        self.ready = threading.Event()
        self.stopping = False

    def run(self) -> None:
        """Until told to stop."""
        consumer = Consumer(
            {
                **self._kafka.config(), "group.id": "latency", "isolation.level": "read_committed",
                "auto.offset.reset": "latest", "enable.auto.commit": False,
            }
        )  # fmt: skip
        consumer.subscribe([self._topic], on_assign=lambda *_: self.ready.set())
        while not self.stopping:
            message = consumer.poll(0.1)
            at = time.perf_counter_ns()
            if message is not None and message.error() is None:
                self.notices += 1
                cause = self._codec.decode_plain(message.value() or b"")[1]["cause"]
                self.seen.setdefault((cause["topic"], cause["partition"], cause["offset"]), at)
        leave(consumer)


def note(sent: dict[Place, int], at: int, error: KafkaError | None, message: Message) -> None:
    """Keep when a record was published, by the place it got."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if error is None and topic is not None and partition is not None and offset is not None:
        sent[topic, partition, offset] = at


def at_rate(bench: Bench, rate: int, seconds: float, seed: int) -> dict[str, object]:
    """Publish at a rate and take the samples."""
    keys = load_person_keys(Settings(), embedded=True)
    stream = simulate(seed, SUBJECTS, today=datetime.now(UTC).date(), keys=keys)
    plain = [(d, t, bench.codec.plain(t, v)) for d, t, v in islice(stream, int(rate * (seconds + SETTLE)))]
    before = bench.taken_in()
    reader = Reader(bench)
    reader.start()
    reader.ready.wait(30)
    time.sleep(2)
    producer = bench.feeder(linger_ms=0)
    sent: dict[Place, int] = {}
    begin = time.perf_counter()
    for number, (department, record_type, value) in enumerate(plain):
        due = begin + number / rate
        producer.poll(0)
        while (now := time.perf_counter()) < due:
            time.sleep(due - now)
        value["published_at"] = time.time_ns() // 1_000_000
        wire = bench.codec.encode_plain(record_type, value)
        remember = partial(note, sent, time.perf_counter_ns()) if now - begin > SETTLE else None
        producer.produce(bench.topics.into(department), wire, value["subject"].encode(), on_delivery=remember)
    took = time.perf_counter() - begin
    producer.flush(30)
    until = time.monotonic() + TAKEN_IN_WITHIN
    while (done := bench.taken_in() - before) < len(plain):
        if time.monotonic() > until:
            raise SystemExit(f"{done:,} of {len(plain):,} records were taken in at {rate}/s")
        time.sleep(0.1)
    told = -1
    while reader.notices > told:
        told = reader.notices
        time.sleep(QUIET)
    reader.stopping = True
    reader.join()
    samples = sorted((reader.seen[cause] - at) / 1e6 for cause, at in sent.items() if cause in reader.seen)
    if len(samples) < 50:
        raise SystemExit(f"only {len(samples)} samples at {rate}/s")
    cuts = quantiles(samples, n=1000)
    return {
        f"p50_ms_{rate}": round(cuts[499], 2), f"p99_ms_{rate}": round(cuts[989], 2), f"max_ms_{rate}": round(samples[-1], 1),
        f"samples_{rate}": len(samples), f"notices_{rate}": reader.notices, f"achieved_{rate}": round(len(plain) / took),
    }  # fmt: skip


def leave_unverified(bench: Bench) -> None:
    """Tell the broker to take a transaction's messages without asking its coordinator about each partition (KIP-890)."""
    entry = ConfigEntry(
        "transaction.partition.verification.enable", "false", incremental_operation=AlterConfigOpType.SET
    )
    broker = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
    admin = open_admin(bench.settings.kafka)
    for done in admin.incremental_alter_configs([broker]).values():
        done.result(30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="200,1000,5000")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=40, help="seconds at 2,000 records/s before")
    parser.add_argument(
        "--unverified", action="store_true", help="without the broker's check that a transaction goes on"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = {"bench": "latency", "subjects": SUBJECTS, "seconds": arguments.seconds, **machine()}
    result["verified"] = not arguments.unverified
    with bench_bus() as bench:
        if arguments.unverified:
            leave_unverified(bench)
        process = subprocess.Popen(  # our own command
            [sys.executable, "-m", "deploy.cli.main", "run", "standing"], env=bench.environment(), cwd=ROOT
        )
        try:
            at_rate(bench, WARM_UP_RATE, arguments.warm_up, seed=0)
            for number, rate in enumerate((int(rate) for rate in arguments.rates.split(",")), start=1):
                result |= at_rate(bench, rate, arguments.seconds, seed=number)
        finally:
            process.terminate()
            process.wait(30)
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
