"""The archive as readers see it: which Delta tables there are, their columns, and DuckDB over all of them.

One table a record type, under its slug in the archive's folder: `penalty/`, `listing/`, ...; besides them `notice` and
`standing_change` (what the bus told departments, and how standings changed), `rejection` (which messages were refused and why,
without their bytes) and `intake` (what each commit took from each partition). Every row begins with its place in Kafka.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from exchange.archive_columns import ARRIVED_MONTH, ORIGIN, contract_columns
from exchange.errors import FatalError, RequestError
from exchange.field_rules import HEADER
from exchange.paths import SCHEMAS
from exchange.registry import Contracts, load_contracts
from exchange.settings import Settings

INTAKE = "intake"
NOTICE = "notice"
REJECTION = "rejection"
STANDING_CHANGE = "standing_change"
BUS_MADE = (NOTICE, STANDING_CHANGE, REJECTION)
"""Tables of what the bus itself says; each has the contract of that name."""
NOT_KEPT: Mapping[str, frozenset[str]] = {REJECTION: frozenset({"raw", "raw_key"})}
"""Rejected bytes may hold a citizen ID in clear: they stay in the department's own topic."""
RENAMED: Mapping[str, dict[str, str]] = {
    REJECTION: {"topic": "rejected_topic", "partition": "rejected_partition", "offset": "rejected_offset"}
}

MEMORY = "4GB"
"""Of one connection; what does not fit is put on the disk meanwhile, in a folder that goes with the connection."""
INTAKE_COLUMNS = (
    ("topic", pa.string()),
    ("partition", pa.int32()),
    ("from_offset", pa.int64()),
    ("next_offset", pa.int64()),
    ("archived", pa.int64()),
    ("refused", pa.int64()),
    ("archived_at", pa.timestamp("us", "UTC")),
)
"""Of `intake`: offsets taken in (the first, and one past the last), messages that became rows, messages that were refused, when."""


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """One table: its name, its columns in order, and whether its rows are partitioned by the month of arrival."""

    name: str
    columns: pa.Schema
    by_month: bool = True


def archive_tables(contracts: Contracts) -> dict[str, ArchiveTable]:
    """All tables by name, as the contracts' newest versions make them."""
    found = {}
    for record_type, contract in contracts.latest.items():
        is_record = tuple(field["name"] for field in contract.schema["fields"][: len(HEADER)]) == HEADER
        if is_record or record_type in BUS_MADE:
            fields = contract_columns(
                contract.schema,
                without=NOT_KEPT.get(record_type, frozenset()),
                renamed=RENAMED.get(record_type, {}),
            )
            columns = pa.schema([*ORIGIN, *fields, (ARRIVED_MONTH, pa.string())])
            found[record_type] = ArchiveTable(record_type, columns)
    found[INTAKE] = ArchiveTable(INTAKE, pa.schema(INTAKE_COLUMNS), by_month=False)
    return found


def archive_folder(settings: Settings) -> Path:
    """Where the archive of a bus lies."""
    given = settings.archive_folder
    return Path(given) if given else settings.home / "data" / "archive" / settings.topic_prefix


def open_archive(settings: Settings, *, contracts: Contracts | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with a view for each table, as the archive is at this moment.

    Tables that nothing has come for yet are there and empty. What is archived afterwards is seen by opening it again. The files of
    this moment stay for the archive's retention, a week or more, whatever is compacted meanwhile.

    Raises:
        RequestError: `archive_absent`.
        FatalError: `archive_corrupt`.
    """
    folder = archive_folder(settings)
    if not folder.is_dir():
        raise RequestError(
            f"there is no archive in {folder}",
            code="archive_absent",
            remedy="start `creditbus run archive`, or set CREDITBUS_ARCHIVE_FOLDER",
        )
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Shanghai'")
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute(f"SET temp_directory = {_quote(f'{gettempdir()}/creditbus-archive-{uuid4().hex}')}")
    # What has been taken in is looked at first: a commit that ends meanwhile may be in the tables and not in there, never the other way.
    for table in sorted(
        archive_tables(contracts or load_contracts(SCHEMAS)).values(), key=lambda one: one.name != INTAKE
    ):
        connection.execute(_view(table, *_files(folder / table.name)))
    return connection


def _files(path: Path) -> tuple[list[str], frozenset[str]]:
    """The files that make up a table now, and the columns that its own schema has."""
    if not DeltaTable.is_deltatable(str(path)):
        return [], frozenset()
    try:
        table = DeltaTable(path)
        return table.file_uris(), frozenset(field.name for field in table.schema().fields)
    except (DeltaError, OSError) as error:
        raise FatalError(
            f"{path} cannot be read: {error}",
            code="archive_corrupt",
            remedy="restore the folder from a copy, or delete it whole to archive all anew",
        ) from error


def _view(table: ArchiveTable, files: list[str], there: frozenset[str]) -> str:
    """The view of a table: its columns by the contract, null where the table does not have one yet."""
    columns = ", ".join(_column(field, there, is_empty=not files) for field in table.columns)
    if not files:
        return f'CREATE VIEW "{table.name}" AS SELECT {columns} WHERE false'
    months = f", hive_partitioning = true, hive_types = {{'{ARRIVED_MONTH}': VARCHAR}}" if table.by_month else ""
    listed = ", ".join(_quote(one) for one in files)
    source = f"read_parquet([{listed}], union_by_name = true{months})"
    return f'CREATE VIEW "{table.name}" AS SELECT {columns} FROM {source}'


def _column(field: pa.Field, there: frozenset[str], *, is_empty: bool) -> str:
    if is_empty or field.name not in there:
        return f'NULL::{sql_type(field.type)} AS "{field.name}"'
    return f'"{field.name}"'


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of a column's type.

    >>> sql_type(pa.list_(pa.struct([("day", pa.date32()), ("amount", pa.decimal128(20, 2))])))
    'STRUCT("day" DATE, "amount" DECIMAL(20, 2))[]'
    """
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{chr(34)}{one.name}{chr(34)} {sql_type(one.type)}' for one in kind)})"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return next(name for arrow, name in _SQL_TYPES if kind == arrow)


_SQL_TYPES: tuple[tuple[pa.DataType, str], ...] = (
    (pa.string(), "VARCHAR"),
    (pa.int32(), "INTEGER"),
    (pa.int64(), "BIGINT"),
    (pa.bool_(), "BOOLEAN"),
    (pa.date32(), "DATE"),
    (pa.timestamp("us", "UTC"), "TIMESTAMPTZ"),
    (pa.binary(), "BLOB"),
)
