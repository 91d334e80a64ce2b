"""The directory: how long searches over a million names take, and how many records a second it keeps.

    python -m tests.bench.directory [--names 1000000] [--searches 2000] [--records 60000] [--folder F] [--json]

Searches are by two characters, by four or more, by initials and by the beginning of a code; a tenth of each are texts that very many
names contain, and a third ask within a city. Names are indexed by this process; records come from a broker to `creditbus run directory`.
The same is measured of the directory in PostgreSQL (`..._postgres`), whose server then shares the machine.
"""

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import quantiles

import psycopg

from exchange.directory import Directory, DirectoryKeeper, Intake
from exchange.directory_keeper import SqliteKeeper
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.directory_sqlite import FILE, SqliteDirectory
from exchange.domain.enrolment import Registered
from exchange.domain.synthetic import synthetic_organisation
from exchange.fed_folder import Bus
from exchange.initials import initials_of
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.bench.measured import Bench, bench_bus, machine, print_result, timed
from tests.bench.names import COMMON, name_of
from tests.postgres import AS_IT_COMES, running_postgres

BATCH = 5000
PAGE = 20
_ITSELF = Bus("bench", 4, "none")
_TAKEN_IN = "SELECT coalesce(sum(next), 0) FROM sources"


def registrations(count: int) -> Iterator[Registered]:
    """So many organisations, each registered once."""
    for number in range(count):
        code = synthetic_organisation(number)
        yield Registered(
            f"org:{code}", f"registration/gd.amr/{number}", 1, 0, 20_000, name_of(number), code[2:8], number % 3, 0, ()
        )


def index(folder: Path, count: int, bus: Bus = _ITSELF) -> float:
    """Names indexed a second, into the directory of a bus."""
    with closing(SqliteKeeper(folder, bus)) as keeper:
        return enrol(keeper, count)


def enrol(keeper: DirectoryKeeper, count: int) -> float:
    """Names indexed a second."""
    began = time.perf_counter()
    some = registrations(count)
    while batch := list(islice(some, BATCH)):
        keeper.keep(Intake(registered=batch))
    return count / (time.perf_counter() - began)


def texts(kind: str, names: int, chance: random.Random) -> Iterator[str]:
    """Texts that people might look for; a tenth of them common ones."""
    common = [one for one in COMMON if one.isascii() == (kind == "initials") and (len(one) == 2) == (kind == "two")]
    while True:
        number = chance.randrange(names)
        name = name_of(number)
        if kind != "code" and common and chance.random() < 0.1:
            yield chance.choice(common)
        elif kind == "two":
            at = chance.randrange(len(name) - 1)
            yield name[at : at + 2]
        elif kind == "long":
            size = chance.randrange(4, len(name) + 1)
            at = chance.randrange(len(name) - size + 1)
            yield name[at : at + size]
        elif kind == "initials":
            initials = min(initials_of(name))
            size = chance.randrange(2, len(initials) + 1)
            at = 0 if chance.random() < 0.5 else chance.randrange(len(initials) - size + 1)
            yield initials[at : at + size]
        else:
            yield synthetic_organisation(number)[: chance.randrange(6, 19)]


def search(directory: Directory, kind: str, names: int, count: int) -> list[float]:
    """Seconds of each search."""
    chance = random.Random(7)
    samples = []
    for text in islice(texts(kind, names, chance), count):
        division = chance.choice(("440300", "440100", "445300")) if chance.random() < 0.33 else None
        began = time.perf_counter()
        directory.search(text, limit=PAGE, division=division)
        samples.append(time.perf_counter() - began)
    return samples


def feed(bench: Bench, count: int) -> None:
    """Publish a synthetic province."""
    producer = bench.feeder()
    stream = simulate(
        20261123, 50_000, today=datetime.now(UTC).date(), keys=load_person_keys(Settings(), embedded=True)
    )
    for department, record_type, value in islice(stream, count):
        raw = bench.codec.encode_plain(record_type, bench.codec.plain(record_type, value))
        producer.produce(bench.topics.into(department), raw, value["subject"].encode())
        producer.poll(0)
    if producer.flush(120):
        raise SystemExit("the broker did not take everything")


def taken_in(path: Path, url: str) -> Callable[[], int]:
    """Messages that a directory has behind it."""

    def count() -> int:
        try:
            if url:
                with psycopg.connect(url) as connection:
                    return int(connection.execute(_TAKEN_IN).fetchall()[0][0])
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
                return int(file.execute(_TAKEN_IN).fetchone()[0])
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):  # not made yet
            return 0

    return count


def records_per_second(count: int, url: str = "") -> float:
    """Of the whole process, reading a province from a broker into a file, or into a database."""
    with bench_bus() as bench, tempfile.TemporaryDirectory() as folder:
        feed(bench, count)
        command = [sys.executable, "-m", "deploy.cli", "run", "directory"]
        environment = bench.environment(CREDITBUS_DIRECTORY_FOLDER=folder, CREDITBUS_DIRECTORY_URL=url)
        with timed(bench, command, environment, taken_in(Path(folder) / FILE, url), count) as run:
            return run.rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=2000)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--folder", type=Path, help="keep the names here, and use those that are there")
    parser.add_argument(
        "--postgres", action=argparse.BooleanOptionalAction, default=True, help="measure PostgreSQL too"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = {
        "bench": "directory",
        **machine(),
        "sqlite": sqlite3.sqlite_version,
        "names": arguments.names,
    }
    with tempfile.TemporaryDirectory(prefix="creditbus-bench-") as made:
        folder = arguments.folder or Path(made)
        if not (folder / FILE).exists():
            result["names_per_s"] = round(index(folder, arguments.names))
        result["bytes_per_name"] = round((folder / FILE).stat().st_size / arguments.names)
        with closing(SqliteDirectory(folder)) as directory:
            result |= searched(directory, arguments.names, arguments.searches)
    result["records_per_s"] = round(records_per_second(arguments.records))
    if arguments.postgres:
        found = in_postgres(arguments.names, arguments.searches, arguments.records)
        result |= {f"{name}_postgres": value for name, value in found.items()}
    print_result(result, as_json=arguments.json)


def in_postgres(names: int, searches: int, records: int) -> dict[str, object]:
    """The same figures of the directory in PostgreSQL, on a cluster of its own."""
    with running_postgres(AS_IT_COMES) as postgres:
        with closing(PostgresKeeper(postgres.new_schema(), _ITSELF)) as keeper:
            result: dict[str, object] = {"version": postgres.version(), "names_per_s": round(enrol(keeper, names))}
            result["bytes_per_name"] = round(keeper.size() / names)
            result |= searched(keeper, names, searches)
        return result | {"records_per_s": round(records_per_second(records, postgres.new_schema()))}


def searched(directory: Directory, names: int, count: int) -> dict[str, float]:
    """How long searches of each kind take, and all of them together."""
    everything: list[float] = []
    result: dict[str, float] = {}
    for kind in ("two", "long", "initials", "code"):
        samples = search(directory, kind, names, count)
        everything += samples
        result |= percentiles(samples, f"_{kind}")
    return result | percentiles(everything, "")


def percentiles(samples: list[float], suffix: str) -> dict[str, float]:
    """Half and nearly all of the searches took no longer, in milliseconds."""
    cuts = quantiles(samples, n=1000)
    return {
        f"search_p50_ms{suffix}": round(cuts[499] * 1000, 2), f"search_p99_ms{suffix}": round(cuts[989] * 1000, 2),
        f"search_max_ms{suffix}": round(max(samples) * 1000, 2),
    }  # fmt: skip


if __name__ == "__main__":
    main()
