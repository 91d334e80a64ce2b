"""Rows of a synthetic province for the archive's questions: made by DuckDB, written as the archive writes them."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import write_deltalake

from consumers.archive.keeper import WRITING, ArchiveKeeper
from exchange.archive_columns import ARRIVED_MONTH
from exchange.archive_tables import ArchiveTable, archive_tables, sql_type
from exchange.fed_folder import Bus
from exchange.paths import SCHEMAS
from exchange.registry import load_contracts

SHARES: Mapping[str, float] = {
    "registration": 0.14, "licence": 0.34, "penalty": 0.20, "listing": 0.03, "abnormal_entry": 0.04, "annual_report": 0.10,
    "measure_feedback": 0.04, "notice": 0.05, "standing_change": 0.05, "withdrawal": 0.005, "repair": 0.005,
}  # fmt: skip
"""Of all rows; a quarter as many subjects as registrations and licences together would have."""
AT_ONCE = 2_000_000
"""Rows made and written at a time."""

_SUBJECT = "'org:91' || lpad(((440100 + 100 * (s % 21)))::VARCHAR, 6, '0') || 'PDY' || lpad((s % 100000)::VARCHAR, 5, '0') || lpad((s // 100000)::VARCHAR, 2, '0')"
_LISTS = "['TAX', 'COURT', 'WAGE', 'SAFE', 'ENV', 'SER-AMR']"
_MEASURES = "['procurement_ban', 'bidding_limit', 'fund_limit', 'licence_review', 'inspection_more']"
_DEPARTMENTS = "['gd.fin', 'gd.prtc', 'gd.drc', 'gd.amr', 'gd.em']"
SPECIAL: Mapping[str, Mapping[str, str]] = {
    "": {
        "topic": "'credit.in.gd.amr'", "partition": "(i % 4)::INT", "offset": "i // 4",
        "arrived_at": "TIMESTAMPTZ '2025-01-01 00:00:00+08' + to_seconds((hash(i, 1) % 60000000)::BIGINT)",
        "digest": "(hash(i, 2) % 4294967296)::BIGINT", "subject": _SUBJECT, "department": "'gd.amr'",
        "document": "'合成〔2026〕' || (i - i % 50 * (i % 50 = 7)::INT)::VARCHAR || '号'", "revision": "1 + (i % 50 = 7)::INT",
        "classification": "'UNCLASSIFIED'", "division": "CASE WHEN i % 3 = 0 THEN '' ELSE (440100 + 100 * (s % 21))::VARCHAR END",
        "published_at": "arrived_at", "decided_on": "arrived_on - (hash(i, 3) % 40)::INT",
    },
    "registration": {
        "kind": "['ENTERPRISE', 'SELF_EMPLOYED', 'COOPERATIVE'][1 + (s % 3)::INT]", "status": "CASE WHEN i % 20 = 3 THEN 'CANCELLED' ELSE 'ACTIVE' END",
        "industry": "lpad((s % 97)::VARCHAR, 2, '0')", "established_on": "DATE '2000-01-01' + (s % 9000)::INT",
        "business_scope": "'合成业务范围' || (s % 1000)::VARCHAR",
    },
    "licence": {"content": "'合成许可内容' || (i % 1000)::VARCHAR"},
    "penalty": {"fine_yuan": "(hash(i, 4) % 1000000)::DECIMAL(20, 2)", "facts": "'合成违法事实' || (i % 5000)::VARCHAR", "severity": "['MINOR', 'GENERAL', 'SERIOUS'][1 + (i % 3)::INT]"},
    "listing": {"list_code": f"({_LISTS})[1 + (s % 6)::INT]"},
    "abnormal_entry": {"grounds": "'1'"},
    "measure_feedback": {
        "department": f"({_DEPARTMENTS})[1 + (i % 5)::INT]", "measure": f"({_MEASURES})[1 + (i % 5)::INT]",
        "state": "['ACKNOWLEDGED', 'EXECUTED', 'DECLINED'][1 + (hash(i, 5) % 3)::INT]", "notice_id": "md5(i::VARCHAR)",
    },
    "notice": {
        "id": "md5(i::VARCHAR)", "department": f"({_DEPARTMENTS})[1 + (i % 5)::INT]", "epoch": "0", "n": "1", "issued_at": "arrived_at",
        "changes": f"[{{'measure': ({_MEASURES})[1 + (i % 5)::INT], 'action': 'IMPOSED'}}]",
    },
    "standing_change": {
        "epoch": "0", "n": "i // subjects", "changed_at": "arrived_at",
        "listings": f"CASE WHEN (i // subjects) % 2 = 0 THEN [({_LISTS})[1 + (s % 6)::INT] || ' listing/gd.tax/' || s::VARCHAR] ELSE [] END",
        "measures": f"CASE WHEN (i // subjects) % 2 = 0 THEN [({_DEPARTMENTS})[1 + (s % 5)::INT] || '/' || ({_MEASURES})[1 + (s % 5)::INT]] ELSE [] END",
    },
    "withdrawal": {"target_type": "'penalty'", "target_document": "'合成〔2026〕' || (i * 40)::VARCHAR || '号'"},
    "repair": {"state": "'GRANTED'"},
}  # fmt: skip
"""What columns hold, by table and for all; `i` counts rows and `s` subjects. Others are empty, as most are in practice."""


def make_rows(folder: Path, total: int) -> int:
    """Fill an archive with about so many rows; how many they are."""
    tables = archive_tables(load_contracts(SCHEMAS))
    written = 0
    ArchiveKeeper(folder, Bus("credit", 4, "bench"), tables).close()
    with closing(duckdb.connect()) as maker:
        maker.execute("SET TimeZone = 'Asia/Shanghai'")
        for name, share in SHARES.items():
            count = int(total * share)
            # Few have listings: as many subjects change as there are changes to half of them.
            subjects = max(
                1, int(total * (0.02 if name in {"listing", "notice", "standing_change", "measure_feedback"} else 0.13))
            )
            for begin in range(0, count, AT_ONCE):
                end = min(count, begin + AT_ONCE)
                _write(maker, folder, tables[name], begin, end, subjects)
                written += end - begin
    return written


def _write(
    maker: duckdb.DuckDBPyConnection, folder: Path, table: ArchiveTable, begin: int, end: int, subjects: int
) -> None:
    special = {**SPECIAL[""], **SPECIAL.get(table.name, {})}
    columns = ", ".join(f'{_value(field, special)} AS "{field.name}"' for field in table.columns)
    rows = f"SELECT i, i % {subjects} AS s, {subjects} AS subjects FROM range({begin}, {end}) r(i)"
    dated = f"SELECT *, {special['arrived_at']} AS arrived_at FROM ({rows})"
    source = f"SELECT *, (arrived_at AT TIME ZONE 'Asia/Shanghai')::DATE AS arrived_on FROM ({dated})"
    reader = maker.sql(f"SELECT {columns} FROM ({source})").to_arrow_reader(100_000)
    whole = pa.RecordBatchReader.from_batches(
        table.columns,
        (pa.RecordBatch.from_arrays(batch.columns, names=batch.schema.names).cast(table.columns) for batch in reader),
    )
    write_deltalake(folder / table.name, whole, mode="append", partition_by=[ARRIVED_MONTH], writer_properties=WRITING)


def _value(field: pa.Field, special: Mapping[str, str]) -> str:
    if field.name in {"arrived_at", "arrived_on"}:
        return str(field.name)
    if field.name == ARRIVED_MONTH:
        return "strftime(arrived_on, '%Y-%m')"
    if field.name in special:
        return f"({special[field.name]})::{sql_type(field.type)}"
    empty = {"VARCHAR": "''", "BOOLEAN": "false"}.get(sql_type(field.type), "NULL")
    empty = "[]" if pa.types.is_list(field.type) else empty
    return f"{empty}::{sql_type(field.type)}"
