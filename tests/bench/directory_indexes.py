"""Which index of PostgreSQL finds part of a Chinese name soonest: what the directory's form of it was chosen by.

    python -m tests.bench.directory_indexes [--names 1000000] [--searches 500] [--json]

`trigrams` is pg_trgm's GIN index, `bigrams` and `pieces` are GIN indexes of numbers, of each two characters and of each two and each
three (with marks for beginning and end); all three are asked for whatever has the text, the first page of it. `adaptive` is how the
directory asks: `pieces` only when those who were indexed first do not have the text often enough.
"""

import argparse
import random
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice

import psycopg

from exchange.directory_postgres import PostgresDirectory
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.directory_tables import Sought
from exchange.domain.naming import normalise_name
from exchange.fed_folder import Bus
from tests.bench.directory import PAGE, enrol, percentiles, texts
from tests.bench.measured import machine, print_result
from tests.postgres import AS_IT_COMES, running_postgres

_INDEXES = {
    "trigrams": "CREATE INDEX tried ON subjects USING gin (spellings gin_trgm_ops)",
    "bigrams": "CREATE INDEX tried ON bigrams USING gin (pieces)",
    "pieces": "",  # the directory's own
}
_BIGRAMS = """
CREATE TABLE bigrams AS SELECT id, spellings, (
    SELECT array_agg(DISTINCT hashtext(substr(spellings, at, 2))) FROM generate_series(2, length(spellings) - 2) AS at
    WHERE position(E'\\n' IN substr(spellings, at, 2)) = 0) AS pieces FROM subjects"""
_BY = {
    "trigrams": "SELECT id FROM subjects WHERE spellings LIKE %(part)s ORDER BY id + 0 LIMIT %(hits)s",
    "bigrams": """SELECT id FROM bigrams WHERE spellings LIKE %(part)s AND pieces @> (
        SELECT array_agg(hashtext(substr(%(text)s, at, 2))) FROM generate_series(1, length(%(text)s) - 1) AS at)
        ORDER BY id + 0 LIMIT %(hits)s""",
    "pieces": """SELECT id FROM subjects WHERE spellings LIKE %(part)s AND pieces @> %(pieces)s::integer[]
        ORDER BY id + 0 LIMIT %(hits)s""",
}


def tried(ask: Callable[[str], object], names: int, searches: int) -> dict[str, float]:
    """How long searches of each kind take."""
    result: dict[str, float] = {}
    for kind in ("two", "long", "initials"):
        samples = []
        for text in islice(texts(kind, names, random.Random(7)), searches):
            began = time.perf_counter()
            ask(text)
            samples.append(time.perf_counter() - began)
        found = percentiles(samples, f"_{kind}")
        result |= {name: value for name, value in found.items() if "max" not in name}
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    names, searches = arguments.names, arguments.searches
    result: dict[str, object] = {"bench": "directory_indexes", **machine(), "names": names}
    with running_postgres(AS_IT_COMES) as postgres:
        url = postgres.new_schema()
        with closing(PostgresKeeper(url, Bus("bench", 4, "none"))) as keeper:
            enrol(keeper, names)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SET jit = off; SET enable_seqscan = off; SET maintenance_work_mem = '256MB'; CREATE EXTENSION pg_trgm"
            )
            connection.execute(_BIGRAMS)
            connection.execute("VACUUM ANALYZE")
            for index, make in _INDEXES.items():
                began = time.perf_counter()
                if make:
                    connection.execute(make.encode())
                    result[f"{index}_made_s"] = round(time.perf_counter() - began, 1)
                size = "SELECT pg_relation_size(%s::regclass)"
                ((taken,),) = connection.execute(size, ("tried" if make else "subjects_by_pieces",)).fetchall()
                result[f"{index}_bytes_per_name"] = round(taken / names)

                def ask(text: str, index: str = index) -> object:
                    name = normalise_name(text)
                    values = Sought(name, None, None, PAGE + 1).among("part") | {"text": name}
                    return connection.execute(_BY[index].encode(), values).fetchall()

                result |= {f"{index}_{name}": value for name, value in tried(ask, names, searches).items()}
                connection.execute("DROP INDEX IF EXISTS tried")
        with closing(PostgresDirectory(url)) as directory:
            found = tried(lambda text: directory.search(text, limit=PAGE), names, searches)
            result |= {f"adaptive_{name}": value for name, value in found.items()}
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
