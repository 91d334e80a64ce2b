"""The one writer of an archive: what was gathered goes into its tables with the offsets, each table in one atomic commit.

A commit has four steps. Each table's Delta log says for each (topic, partition) which offset it has its rows up to, as an
*application transaction* in the same commit as the rows; the table `intake` says which offset all tables have theirs up to.

1. *Sift*: rows that a table has already, by its own transactions, are left out. *If it dies here:* nothing has happened.
2. *Append*: table by table, rows and transactions in one Delta commit. *If it dies here:* some tables have their rows and some do
   not; `intake` stands where it did, so the same messages are read again, and step 1 leaves out what is there. A commit that was
   not finished is not in the log: its files are nobody's, and vacuum removes them.
3. *Settle*: files and log are flushed to the disk. *If the machine dies here:* as in 2.
4. *Advance*: `intake` gets a row for each place, and the transactions that say where to go on. *If it dies here:* before, as in 2;
   after, all is done.

A second writer that got past the lock (a folder on two hosts) fails in step 2 or 4: Delta refuses a commit whose transactions
another one has moved on since.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from consumers.archive.folder import ARCHIVE, demand, translating
from consumers.archive.intake import Gathered
from exchange.archive_columns import ARRIVED_MONTH
from exchange.archive_tables import INTAKE, ArchiveTable
from exchange.fed_folder import Bus
from exchange.kafka_places import Place

CONFIGURATION = {
    "delta.dataSkippingStatsColumns": "topic,partition,offset,arrived_at,arrived_on,subject,department,decided_on,division",
    "delta.deletedFileRetentionDuration": "interval 7 days",
    "delta.logRetentionDuration": "interval 30 days",
    "delta.checkpointInterval": "100",
}
"""Free texts are not copied into the log as lowest and highest values; readers may use a version for a week after a newer one."""
WRITING = WriterProperties(compression="ZSTD", compression_level=1, statistics_truncate_length=64)


class ArchiveKeeper:
    """Writes the tables of one folder.

    Args:
        folder: made if need be, for its owner only.
        bus: whose records it keeps.
        tables: by name.
        on_step: told `sift`, `append`, `appended` and `settled` (each table), `advance` and `advanced`; fault tests end the process there.

    Raises:
        RequestError: `archive_in_use`.
        FatalError: `archive_of_another_bus`, `archive_format`, `archive_corrupt`, `archive_unusable`.
    """

    def __init__(
        self,
        folder: Path,
        bus: Bus,
        tables: Mapping[str, ArchiveTable],
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self._tables = tables
        self._on_step = on_step
        self._open: dict[str, DeltaTable] = {}
        self._taken: dict[tuple[str, Place], int] = {}
        self._grown: set[str] = set()  # tables that have all columns of this process's contracts, inside structs too
        self._lock = ARCHIVE.lock(folder)
        try:
            demand(folder, bus)
            with translating(folder):
                self._table(INTAKE)
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Leave the folder to another."""
        self._lock.close()

    def offset(self, place: Place) -> int:
        """Where to go on with a place: every table has all that came before."""
        return self._taken_by(INTAKE, place)

    def commit(self, gathered: Gathered) -> None:
        """Keep what was gathered, and where it ends.

        Raises:
            FatalError: `archive_disk_failed`, `archive_written_by_another`.
        """
        with translating(self.folder):
            for name, pieces in gathered.pieces.items():
                self._on_step("sift")
                self._append(name, self._sift(name, pa.concat_tables(pieces)), gathered.offsets)
            self._on_step("advance")
            self._advance(gathered)
            self._on_step("advanced")

    def _sift(self, name: str, rows: pa.Table) -> pa.Table:
        """Step 1: the rows that a table does not have yet; none is left out unless a commit was interrupted before."""
        for place, first in _firsts(rows):
            taken = self._taken_by(name, place)
            if first < taken:
                here = pc.and_(pc.equal(rows["topic"], place[0]), pc.equal(rows["partition"], place[1]))
                rows = rows.filter(pc.invert(pc.and_(here, pc.less(rows["offset"], taken))))
        return rows

    def _append(self, name: str, rows: pa.Table, offsets: Mapping[Place, int]) -> None:
        """Steps 2 and 3."""
        if not rows.num_rows:
            return
        self._on_step("append")
        table = self._table(name)
        places = {place: offsets[place] for place, _ in _firsts(rows)}
        write_deltalake(
            table,
            rows,
            mode="append",
            schema_mode=None if name in self._grown else "merge",
            writer_properties=WRITING,
            commit_properties=_transactions(places),
        )
        self._on_step("appended")
        self._grown.add(name)
        self._taken |= {(name, place): offset for place, offset in places.items()}
        _settle(self.folder / name, table.version())
        self._on_step("settled")

    def _advance(self, gathered: Gathered) -> None:
        """Step 4."""
        now = datetime.now(UTC)
        ranges = [
            (
                topic, partition, begin, gathered.offsets[topic, partition], gathered.archived[topic, partition],
                gathered.refused[topic, partition], now,
            )
            for (topic, partition), begin in gathered.begins.items()
            if gathered.offsets[topic, partition] > self.offset((topic, partition))
        ]  # fmt: skip
        if not ranges:
            return
        columns = self._tables[INTAKE].columns
        rows = pa.table([pa.array(values, kind) for values, kind in zip(zip(*ranges, strict=True), columns.types, strict=True)], schema=columns)  # fmt: skip
        offsets = {(topic, partition): offset for topic, partition, _, offset, *_ in ranges}
        table = self._table(INTAKE)
        write_deltalake(table, rows, mode="append", writer_properties=WRITING, commit_properties=_transactions(offsets))
        self._taken |= {(INTAKE, place): offset for place, offset in offsets.items()}

    def table(self, name: str) -> DeltaTable | None:
        """An opened table, to be looked after; None when nothing has come for it yet."""
        is_there = name in self._open or DeltaTable.is_deltatable(str(self.folder / name))
        return self._table(name) if is_there else None

    def _table(self, name: str) -> DeltaTable:
        found = self._open.get(name)
        if found is None:
            path, shape = self.folder / name, self._tables[name]
            if DeltaTable.is_deltatable(str(path)):
                found = DeltaTable(path)
            else:
                found = DeltaTable.create(
                    path,
                    schema=shape.columns,
                    name=name,
                    partition_by=[ARRIVED_MONTH] if shape.by_month else None,
                    configuration=_configuration(shape),
                )
            self._open[name] = found
        return found

    def _taken_by(self, name: str, place: Place) -> int:
        """The offset up to which a table has its rows of a place."""
        taken = self._taken.get((name, place))
        if taken is None:
            table = self.table(name)
            taken = (table.transaction_version(_app_id(place)) or 0) if table else 0
            self._taken[name, place] = taken
        return taken


def _configuration(shape: ArchiveTable) -> dict[str, str | None]:
    names = set(shape.columns.names)
    counted = ",".join(one for one in CONFIGURATION["delta.dataSkippingStatsColumns"].split(",") if one in names)
    return {**CONFIGURATION, "delta.dataSkippingStatsColumns": counted}


def _app_id(place: Place) -> str:
    return f"{place[0]}/{place[1]}"


def _transactions(offsets: Mapping[Place, int]) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(_app_id(place), offset) for place, offset in offsets.items()])


def _firsts(rows: pa.Table) -> Iterator[tuple[Place, int]]:
    """The places of rows, each with its first offset."""
    found = rows.group_by(["topic", "partition"]).aggregate([("offset", "min")])
    places = zip(found["topic"].to_pylist(), found["partition"].to_pylist(), strict=True)
    return zip(places, found["offset_min"].to_pylist(), strict=True)


def _settle(path: Path, version: int) -> None:
    """Flush a version's files and its log entry to the disk."""
    entry = path / "_delta_log" / f"{version:020}.json"
    actions = [json.loads(line) for line in entry.read_text("utf-8").splitlines()]
    files = [path / action["add"]["path"] for action in actions if "add" in action]
    for one in [*files, *{file.parent for file in files}, entry, entry.parent]:
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
