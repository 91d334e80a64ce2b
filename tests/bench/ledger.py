"""Ledger: from a backlog of records, notices and standing changes until each has its entry, chained and committed.

    python -m tests.bench.ledger [--records 150000] [--subjects 50000] [--json]

A synthetic province is published and judged by a standing processor, which makes the notices and standing changes; then one
ledger process enters all of it. A quarter of the messages is its warm-up, then the clock starts.
"""

import argparse
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice

from consumers.ledger.drafts import Describer
from consumers.ledger.run import LedgerParts
from consumers.standing.reading import read_places
from exchange.kafka_places import watermarks
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.measured import ROOT, Bench, bench_bus, machine, print_result, timed

METRICS_PORT = 19468
LOOK_EVERY = 0.25
SIGNING_KEYS = "bench:" + "5a" * 32


def feed(bench: Bench, count: int, subjects: int) -> None:
    """Publish a synthetic province, and have it judged."""
    producer = bench.feeder()
    stream = simulate(
        20261123, subjects, today=datetime.now(UTC).date(), keys=load_person_keys(Settings(), embedded=True)
    )
    for department, record_type, value in islice(stream, count):
        raw = bench.codec.encode_plain(record_type, bench.codec.plain(record_type, value))
        producer.produce(bench.topics.into(department), raw, value["subject"].encode())
        producer.poll(0)
        while len(producer) > 100_000:
            producer.poll(0.1)
    if producer.flush(120):
        raise SystemExit("the broker did not take everything")
    command = [sys.executable, "-m", "deploy.cli.main", "run", "standing"]
    processor = subprocess.Popen(command, env=bench.environment(), cwd=ROOT)  # our own command
    until = time.monotonic() + 600
    while bench.taken_in() < count:
        if processor.poll() is not None or time.monotonic() > until:
            raise SystemExit("the standing processor did not judge everything")
        time.sleep(0.2)
    processor.terminate()  # it publishes what waits before it ends
    processor.wait(60)


def sizes(bench: Bench) -> tuple[int, int]:
    """How many messages there are to enter, and how many bytes they have."""
    parts = LedgerParts(bench.settings, bench.settings.kafka)
    sources = Describer(parts.codec, parts.topics, parts.departments).sources
    places = [(topic, number) for topic in sources for number in range(bench.settings.partitions)]
    with closing(parts.reader()) as reader:
        lengths = [len(message.value() or b"") for message in read_places(reader, watermarks(reader, places))]
    return len(lengths), sum(lengths)


def counter() -> Callable[[], int]:
    """How many messages the ledger has entered, from its own metrics; asked for a few times a second."""
    seen, look_at = 0, 0.0

    def entered() -> int:
        nonlocal seen, look_at
        if time.monotonic() >= look_at:
            seen = sum(count for kind, count in kinds().items() if kind != "CHECKPOINT")
            look_at = time.monotonic() + LOOK_EVERY
        return seen

    return entered


def kinds() -> dict[str, int]:
    """Entries so far by kind; none before the process serves its metrics."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/metrics", timeout=5) as page:  # our own
            text = page.read().decode()
    except urllib.error.URLError:
        return {}
    found = re.findall(r'creditbus_ledger_entries_total\{kind="(\w+)"\} (\S+)', text)
    return {kind: int(float(count)) for kind, count in found}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=150_000)
    parser.add_argument("--subjects", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = {
        "bench": "ledger", "records": arguments.records, "subjects": arguments.subjects, **machine(),
        "cryptography": version("cryptography"),
    }  # fmt: skip
    with bench_bus() as bench:
        feed(bench, arguments.records, arguments.subjects)
        messages, size = sizes(bench)
        result |= {"messages": messages, "bytes_per_message": size // messages}
        environment = bench.environment(CREDITBUS_METRICS_PORT=str(METRICS_PORT), CREDITBUS_SIGNING_KEYS=SIGNING_KEYS)
        command = [sys.executable, "-m", "deploy.cli.main", "run", "ledger"]
        with timed(bench, command, environment, counter(), messages) as run:
            result |= {
                "entries_per_s": round(run.rate), "ledger_cpu_us": run.cpu_us["app"],
                "broker_cpu_us": run.cpu_us["broker"],
            }  # fmt: skip
            result |= {f"entries_{kind.lower()}": count for kind, count in sorted(kinds().items())}
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
