"""Where the archive's time goes, without a broker: judging, making columns, committing; microseconds a record, the best of some rounds.

    python -m tests.bench.archive_stages [--records 100000] [--rounds 3] [--profile] [--json]

`--profile` tells afterwards in which functions the loop's time went.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from confluent_kafka import Message

from consumers.archive.feed import BATCH
from consumers.archive.intake import ArchiveIntake, Gathered
from consumers.archive.keeper import ArchiveKeeper
from consumers.archive.run import Parts
from consumers.standing.consumed import Consumed, sort_out
from consumers.standing.run import calm_collector
from exchange.brokers import Brokers
from exchange.clock import now_ms
from exchange.domain.calendar import day_of
from exchange.fed_folder import Bus
from exchange.partitioner import partition_of
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from exchange.topics import Topics
from producers.simulator.simulate import simulate
from tests.bench.measured import machine, print_result

PARTITIONS = 4
BUS = Bus("bench", PARTITIONS, "none")


def messages_of(parts: Parts, count: int) -> list[list[Consumed]]:
    """A synthetic province as a consumer gives it, in batches: a partition's messages of one fetch come together."""
    today, topics, at = datetime.now(UTC).date(), Topics(parts.settings.topic_prefix), now_ms()
    stream = simulate(20261123, 50_000, today=today, keys=load_person_keys(Settings(), embedded=True))
    made = []
    for offset, (department, record_type, value) in enumerate(islice(stream, min(count, 60_000))):
        raw, key = parts.codec.encode(record_type, value), value["subject"].encode()
        made.append((topics.into(department), partition_of(value["subject"], PARTITIONS), key, raw, offset))
    given = list(islice(cycle(made), count))
    batches = []
    for begin in range(0, count, BATCH):
        batch = sorted(given[begin : begin + BATCH], key=lambda one: one[:2])
        batches.append(
            sort_out(
                Message(topic=topic, partition=number, offset=begin + at_offset, key=key, value=raw, timestamp=(1, at))
                for at_offset, (topic, number, key, raw, _) in enumerate(batch)
            )[0]
        )
    return batches


def judge(intake: ArchiveIntake, batches: list[list[Consumed]]) -> None:
    """Only read and ask for all rules."""
    today = day_of(now_ms())
    for batch in batches:
        for message in batch:
            raw = message.value() or b""
            if intake.accept(message, raw, message.topic(), today) is None:
                intake.examine(message, raw, message.topic(), today)


def gather(intake: ArchiveIntake, batches: list[list[Consumed]]) -> Gathered:
    """Judge, and make columns."""
    gathered = Gathered()
    for batch in batches:
        intake.take(batch, gathered)
    return gathered


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and CPU seconds of all threads."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    calm_collector()
    parts = Parts(Settings(topic_prefix=BUS.prefix), Brokers(""), now_ms)
    batches = messages_of(parts, arguments.records)
    judged, taken, committed, committed_cpu = [], [], [], []
    for _ in range(arguments.rounds):
        judged.append(timed(lambda: judge(parts.intake, batches))[1])
        taken.append(timed(lambda: gather(parts.intake, batches))[1])
        gathered = gather(parts.intake, batches)
        with (
            tempfile.TemporaryDirectory(prefix="creditbus-bench-") as folder,
            closing(ArchiveKeeper(Path(folder), BUS, parts.tables)) as keeper,
        ):
            clock, cpu = timed(lambda: keeper.commit(gathered))  # noqa: B023 # called at once
        committed.append(clock)
        committed_cpu.append(cpu)
    each = 1e6 / arguments.records
    result = {
        "bench": "archive_stages", **machine(), "records": arguments.records, "judge_us": round(min(judged) * each, 2),
        "columns_us": round((min(taken) - min(judged)) * each, 2), "commit_us": round(min(committed) * each, 2),
        "commit_cpu_us": round(min(committed_cpu) * each, 2),
    }  # fmt: skip
    print_result(result, as_json=arguments.json)
    if arguments.profile:
        profile = cProfile.Profile()
        profile.runcall(gather, parts.intake, batches)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
