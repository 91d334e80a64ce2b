"""The archive's oracle: rows made from the topics once more, compared with the tables by count and checksum of every column.

Of topics that keep everything, each place must have the same rows and the same sum of checksums. Compacted topics have forgotten some
of what was archived as it passed: of these each message that is still there must have its row, and no message two. Messages after the
offsets that the archive stands at are left out, so it may be run at any time.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa
from confluent_kafka import Consumer

from consumers.archive.intake import ArchiveIntake, Gathered
from consumers.archive.verdict import ArchiveVerdict, Count, Counts, Difference
from consumers.standing.reading import read_places
from exchange.archive_columns import ARRIVED_MONTH, arrow_type
from exchange.archive_tables import INTAKE, NOTICE, REJECTION, RENAMED, STANDING_CHANGE, ArchiveTable, sql_type
from exchange.kafka_places import Place, watermarks
from exchange.registry import Contracts, Schema

AT_ONCE = 100_000
"""Messages whose rows are compared at a time."""
COMPACTED = (NOTICE, STANDING_CHANGE)
"""Tables of compacted topics."""


class ArchiveVerifier:
    """Compares one archive with its topics.

    Args:
        new_reader: makes a read_committed consumer in no group.
        archive: a connection with the archive's views, as `open_archive` gives it.
        intake: makes rows of messages.
        tables, contracts: of the archive.
        progress: told how many messages were read.
    """

    def __init__(
        self,
        *,
        new_reader: Callable[[], Consumer],
        archive: duckdb.DuckDBPyConnection,
        intake: ArchiveIntake,
        tables: Mapping[str, ArchiveTable],
        contracts: Contracts,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._new_reader = new_reader
        self._archive = archive
        self._intake = intake
        self._progress = progress
        self._checksums = {
            name: checksum_sql(table, contracts.latest[name].schema)
            for name, table in tables.items()
            if name in contracts.latest
        }

    def verify(self) -> ArchiveVerdict:
        """Read every topic up to where the archive stands, and compare.

        Raises:
            RetryLaterError: Kafka is away.
        """
        archived: dict[Place, int] = {
            (topic, partition): offset
            for topic, partition, offset in self._rows(
                f"SELECT topic, partition, max(next_offset) FROM {INTAKE} GROUP BY ALL"
            )
        }
        with closing(self._new_reader()) as reader:
            ends = watermarks(reader, list(archived))
            places = {place: (ends[place][0], offset) for place, offset in archived.items()}
            self._begin(places)
            expected, messages, refused = self._read(reader, places)
        found = self._found()
        differing = [*expected.differences(found), *self._missing()]
        rows = sum(count.rows for count in found.by_place.values()) + self._one(
            " + ".join(f"(SELECT count(*) FROM {name} SEMI JOIN places USING (topic, partition))" for name in COMPACTED)
        )
        return ArchiveVerdict(
            messages=messages,
            rows=rows,
            refused=refused,
            refused_otherwise=self._refused_otherwise(),
            differing=tuple(differing),
            verified_at=time.time(),
        )

    def _begin(self, places: Mapping[Place, tuple[int, int]]) -> None:
        self._archive.execute("CREATE TEMP TABLE places (topic VARCHAR, partition INTEGER, low BIGINT, high BIGINT)")
        if places:
            listed = [(*place, low, high) for place, (low, high) in places.items()]
            self._archive.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", listed)
        for name in COMPACTED:
            self._archive.execute(
                f'CREATE TEMP TABLE still_{name} (topic VARCHAR, partition INTEGER, "offset" BIGINT, checksum UBIGINT)'
            )
        self._archive.execute('CREATE TEMP TABLE refused_here (topic VARCHAR, partition INTEGER, "offset" BIGINT)')

    def _read(self, reader: Consumer, places: dict[Place, tuple[int, int]]) -> tuple[Counts, int, int]:
        """Rows made anew, and how many messages were read and refused."""
        counts, messages, refused = Counts(), 0, 0
        stream = read_places(reader, places)
        while some := list(islice(stream, AT_ONCE)):
            gathered = Gathered()
            self._intake.take(some, gathered)
            refused += gathered.refused.total()
            messages += len(some)
            self._progress(len(some))
            for name, pieces in gathered.pieces.items():
                self._take_piece(name, pa.concat_tables(pieces), counts)
            self._note_refused(gathered)
        return counts, messages, refused

    def _take_piece(self, name: str, piece: pa.Table, counts: Counts) -> None:
        self._archive.register("piece", piece)
        if name in COMPACTED:
            self._archive.execute(
                f'INSERT INTO still_{name} SELECT topic, partition, "offset", {self._checksums[name]} FROM piece'
            )
        else:
            for topic, partition, rows, checksum in self._rows(self._count_sql(name, "piece")):
                counts.add(name, topic, partition, Count(rows, checksum))
        self._archive.unregister("piece")

    def _note_refused(self, gathered: Gathered) -> None:
        if gathered.refused_at:
            self._archive.executemany("INSERT INTO refused_here VALUES (?, ?, ?)", gathered.refused_at)

    def _found(self) -> Counts:
        counts = Counts()
        for name in self._checksums:
            if name not in COMPACTED:
                inside = f'{name} JOIN places USING (topic, partition) WHERE "offset" >= low AND "offset" < high'
                for topic, partition, rows, checksum in self._rows(self._count_sql(name, inside)):
                    counts.add(name, topic, partition, Count(rows, checksum))
        return counts

    def _missing(self) -> Iterator[Difference]:
        """Places of compacted topics with messages that have no row like them, or more than one."""
        for name in COMPACTED:
            checksum = self._checksums[name]
            differing = self._rows(f"""
                SELECT topic, partition, count(*), count(*) FILTER (alike > 0), count(*) FILTER (rows > 1) FROM (
                    SELECT topic, partition, "offset", count(there.checksum) AS rows,
                        count_if(there.checksum = still.checksum) AS alike
                    FROM still_{name} still
                    LEFT JOIN (SELECT topic, partition, "offset", {checksum} AS checksum FROM {name}) there
                        USING (topic, partition, "offset")
                    GROUP BY ALL)
                GROUP BY topic, partition HAVING bool_or(rows <> 1 OR alike <> 1)""")
            for topic, partition, expected, found, twice in differing:
                yield Difference(
                    table=name, topic=topic, partition=partition, expected=expected, found=found, twice=twice
                )

    def _refused_otherwise(self) -> int:
        """Messages refused here and not by the standing processor, or the other way round."""
        return self._one(f"""
            WITH told AS (
                SELECT DISTINCT rejected_topic AS topic, rejected_partition AS partition, rejected_offset AS "offset"
                FROM {REJECTION} JOIN places ON places.topic = rejected_topic AND places.partition = rejected_partition
                WHERE rejected_offset >= low AND rejected_offset < high)
            SELECT (SELECT count(*) FROM told ANTI JOIN refused_here USING (topic, partition, "offset"))
                + (SELECT count(*) FROM refused_here ANTI JOIN told USING (topic, partition, "offset"))""")

    def _count_sql(self, name: str, source: str) -> str:
        return f"SELECT topic, partition, count(*), sum({self._checksums[name]}::HUGEINT)::HUGEINT FROM {source} GROUP BY topic, partition"

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._archive.execute(sql).fetchall()
        return found

    def _one(self, sql: str) -> int:
        return int(self._rows(sql if sql.lstrip().startswith("WITH") else f"SELECT {sql}")[0][0])


def checksum_sql(table: ArchiveTable, schema: Schema) -> str:
    """An expression over all columns of a row. A field that did not exist yet when it was archived counts as its default.

    Args:
        table: whose rows.
        schema: the newest contract of its records.
    """
    fields = {RENAMED.get(table.name, {}).get(field["name"], field["name"]): field for field in schema["fields"]}
    columns = [
        _filled(f'"{column.name}"', fields[column.name]) if column.name in fields else f'"{column.name}"'
        for column in table.columns
        if column.name != ARRIVED_MONTH  # follows from arrived_on
    ]
    return f"hash({', '.join(columns)})"


def _filled(sql: str, field: Mapping[str, Any]) -> str:
    """A field's value, with its default in place of null."""
    value, default = _filled_inside(sql, field["type"]), _default(field)
    return f"coalesce({value}, {default}::{sql_type(arrow_type(field['type']))})" if default else value


def _filled_inside(sql: str, avro: Any) -> str:
    """A value whose records, at any depth, have their defaults in place of null."""
    match avro:
        case {"type": "record", "fields": fields}:
            names = [f'"{field["name"]}"' for field in fields]
            inside = (f"{name} := {_filled(f'{sql}.{name}', field)}" for name, field in zip(names, fields, strict=True))
            return f"struct_pack({', '.join(inside)})"
        case {"type": "array", "items": {"type": "record"} as items}:
            one = f"one_{sql.count('.')}_{sql.count('one')}"
            return f"list_transform({sql}, lambda {one}: {_filled_inside(one, items)})"
    return sql


def _default(field: Mapping[str, Any]) -> str:
    """SQL of a field's default; empty where there is none, or it is null or a record."""
    match field["type"], field.get("default"):
        case {"logicalType": "date"}, int(days):
            return f"(DATE '1970-01-01' + {days})"
        case {"logicalType": "timestamp-millis"}, int(milliseconds):
            return f"(TIMESTAMPTZ '1970-01-01 00:00:00+00' + to_milliseconds({milliseconds}))"
        case _, bool(default):
            return str(default).lower()
        case _, str(default):
            return "'" + default.replace("'", "''") + "'"
        case _, int(default):
            return str(default)
        case _, []:
            return "[]"
    return ""
