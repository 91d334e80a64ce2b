"""The archive: records a second into its tables, beside the naive way, and how long its ready questions take.

    python -m tests.bench.archive [--records 2000000] [--naive 60000] [--rows 50000000] [--folder F] [--profile] [--json]

Records of a synthetic province come from a broker to `creditbus run archive`; the naive way decodes them with fastavro as people write
them, makes tables with `pyarrow.Table.from_pylist` and appends them, in batches of the same size, without checks. Questions are
asked of rows made for it, each in a connection of its own, so that nothing is prepared.
"""

import argparse
import gc
import pstats
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer
from deltalake import DeltaTable, write_deltalake

from consumers.early_warning.archived import count_archived
from consumers.early_warning.recount import Province
from exchange.archive_questions import ALWAYS, ask, questions
from exchange.archive_tables import INTAKE, open_archive
from exchange.kafka import reading
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.archive_rows import make_rows
from tests.bench.measured import Bench, bench_bus, machine, print_result, timed

DIFFERENT = 60_000
"""Records that are encoded; more are the same ones again, which are rows of their own to the archive."""


def feed(bench: Bench, count: int) -> None:
    """Publish a synthetic province."""
    producer = bench.feeder()
    keys = load_person_keys(Settings(), embedded=True)
    stream = simulate(20261123, 50_000, today=datetime.now(UTC).date(), keys=keys)
    encoded = [
        (bench.topics.into(department), bench.codec.encode(record_type, value), value["subject"].encode())
        for department, record_type, value in islice(stream, min(count, DIFFERENT))
    ]
    for topic, raw, subject in islice(cycle(encoded), count):
        while True:
            try:
                producer.produce(topic, raw, subject)
                break
            except BufferError:  # the broker is slower
                producer.poll(0.1)
    if producer.flush(300):
        raise SystemExit("the broker did not take everything")


class Archived:
    """Records that are in the tables; asked again only when there is a new commit, since asking takes the process's time."""

    def __init__(self, folder: Path) -> None:
        self._table = folder / INTAKE
        self._commits, self._records = 0, 0

    def __call__(self) -> int:
        commits = len(list((self._table / "_delta_log").glob("*.json")))
        if commits > max(1, self._commits):
            self._commits = commits
            archived = DeltaTable(self._table).to_pyarrow_table(columns=["archived"])["archived"]
            self._records = sum(archived.to_pylist())
        return self._records


def records_per_second(bench: Bench, count: int, folder: Path, profile: Path | None) -> dict[str, object]:
    """Of the whole process, from a broker to tables; and CPU of it and of the broker for a record.

    The clock runs from one commit to another, both of them full: one more is fed, which is not waited for.
    """
    profiled = ["-m", "cProfile", "-o", str(profile)] if profile else []
    command = [sys.executable, *profiled, "-m", "deploy.cli", "run", "archive"]
    environment = bench.environment(CREDITBUS_ARCHIVE_FOLDER=str(folder))
    with timed(bench, command, environment, Archived(folder), count) as run:
        pass
    if profile:
        pstats.Stats(str(profile)).sort_stats("tottime").print_stats(25)
    size = sum(one.stat().st_size for one in folder.rglob("*.parquet"))
    return {
        "records": count, "records_per_s": round(run.rate), "cpu_us": run.cpu_us["app"],
        "broker_cpu_us": run.cpu_us["broker"], "bytes_per_record": round(size / Archived(folder)()),
    }  # fmt: skip


def naive_per_second(bench: Bench, count: int, folder: Path) -> float:
    """The same records the naive way, as a script would do it."""
    consumer = Consumer(reading(bench.settings.kafka, "naive"))
    topics = [bench.topics.into(one) for one in bench.departments]
    consumer.subscribe(topics)
    done = 0
    began = None
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    with closing(consumer):
        while done < count:
            for message in consumer.consume(5000, 1.0):
                raw = message.value()
                if message.error() or raw is None or done >= count:
                    continue
                began = began or time.perf_counter()
                record_type, value = bench.codec.decode(raw)
                arrived = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
                place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
                rows[record_type].append({**place, "arrived_at": arrived, "arrived_month": f"{arrived:%Y-%m}", **value})
                done += 1
    for record_type, some in rows.items():
        write_deltalake(folder / record_type, pa.Table.from_pylist(some), mode="append", partition_by=["arrived_month"])
    return count / (time.perf_counter() - (began or 0.0))


def question_seconds(folder: Path) -> dict[str, object]:
    """Seconds of each ready question, views and prepared tables included; and of early warning's recount."""
    settings = Settings(archive_folder=str(folder))
    taken: dict[str, float] = {}
    for name, question in questions().items():
        gc.collect()
        began = time.perf_counter()
        with closing(open_archive(settings)) as archive:
            given = dict.fromkeys(question.takes, "TAX")
            ask(archive, name, since=ALWAYS, until=datetime.now(UTC).date(), **given)
        taken[name] = round(time.perf_counter() - began, 2)
    gc.collect()
    began = time.perf_counter()
    with closing(open_archive(settings)) as archive:
        _, counted = count_archived(archive, Province(), ["TAX-A", "AEO"])
    recount: dict[str, object] = {
        "seconds_recount": round(time.perf_counter() - began, 2),
        "records_recounted": counted,
    }
    return recount | {
        **{f"seconds_{name}": seconds for name, seconds in taken.items()},
        "seconds_slowest": max(taken.values()),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000_000, help="0 leaves it out")
    parser.add_argument("--naive", type=int, default=60_000)
    parser.add_argument("--rows", type=int, default=50_000_000, help="0 leaves it out")
    parser.add_argument("--folder", type=Path, help="keep the rows for questions here, and use those that are there")
    parser.add_argument("--profile", action="store_true", help="tell in which functions the loop's time went; slower")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    libraries = {name: version(name) for name in ("deltalake", "pyarrow", "duckdb")}
    result: dict[str, object] = {"bench": "archive", **machine(), **libraries}
    with tempfile.TemporaryDirectory(prefix="creditbus-bench-") as made:
        if arguments.records:
            with bench_bus() as bench:
                feed(bench, arguments.records + bench.settings.archive_commit_records)
                profile = Path(made) / "profile" if arguments.profile else None
                result |= records_per_second(bench, arguments.records, Path(made) / "archive", profile)
                naive = naive_per_second(bench, arguments.naive, Path(made) / "naive")
            rate = float(str(result["records_per_s"]))
            result |= {"naive_per_s": round(naive), "ratio_naive": round(rate / naive, 2)}
        if arguments.rows:
            folder = arguments.folder or Path(made) / "rows"
            if not folder.exists():
                make_rows(folder, arguments.rows)
            with closing(open_archive(Settings(archive_folder=str(folder)))) as archive:
                counted = " + ".join(
                    f"(SELECT count(*) FROM {path.name})" for path in folder.iterdir() if path.is_dir()
                )
                result["rows"] = archive.execute(f"SELECT {counted}").fetchall()[0][0]
            result |= question_seconds(folder)
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
