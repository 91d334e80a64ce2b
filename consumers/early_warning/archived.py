"""Recount from the archive: windows counted by DuckDB from Delta tables, which keep what the topics have long deleted.

What the archive has not taken in yet is read from the topics and joins as rows of its own, so that the count is of the same moment as
the workers'. A row that is in both, because a commit of the archive was under way, counts once like any document that came twice.
What counts is stated here in SQL, once more and by itself: a fault in what worker and recount from the topics share shows too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from consumers.early_warning.intake import Window
from consumers.early_warning.recount import Province
from consumers.early_warning.series import DIMENSIONS
from consumers.early_warning.sightings import SIGNAL_OF, Enrolment, Sighting, section_of
from consumers.early_warning.spans import KEPT_DAYS, spans_of
from exchange.archive_tables import INTAKE
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS
from exchange.kafka_places import Place

COUNTS: Mapping[str, tuple[str, str]] = {
    "penalty": ("violation", "true"),
    "social_report": ("replace(origin, '_', '-')", "true"),
    "abnormal_entry": ("grounds", "state = 'ENTERED'"),
    "listing": ("list_code", "list_code NOT IN (SELECT code FROM rewarding)"),
}
"""Of each table that counts: what its ground is, and which of its rows count."""
AFTER = 2**62
"""Beyond all offsets of the archive."""
_GROUND = DIMENSIONS["ground"].pattern
_REGION = "CASE WHEN division = '' THEN '' ELSE division[:4] || '00' END"
_ORIGIN = 'subject, department, document, "offset", epoch_ms(arrived_at) AS came'
_COUNTED = f"""
CREATE TEMP VIEW counted AS {
    " UNION ALL ".join(
        f"SELECT '{SIGNAL_OF[name]}' AS signal, {_ORIGIN}, {ground} AS ground, {_REGION} AS region FROM {name} WHERE {condition}"
        for name, (ground, condition) in COUNTS.items()
    )
} UNION ALL SELECT * FROM tail_counted"""
_REGISTERED = f"""
CREATE TEMP VIEW registered AS
SELECT subject, "offset", epoch_ms(arrived_at) AS came, coalesce(section, '') AS section, {_REGION} AS region
FROM registration LEFT JOIN sections USING (industry)
UNION ALL SELECT * FROM tail_registered"""
_IN_TIME = (
    f"({{0}}.came + {CHINA_OFFSET_MS}) // {DAY_MS} - (arrivals.came + {CHINA_OFFSET_MS}) // {DAY_MS} <= {KEPT_DAYS}"
)
_WINDOWS = f"""
WITH
    arrivals AS (
        SELECT signal, subject, department, arg_min(came, "offset") AS came, arg_min(ground, "offset") AS ground,
            arg_min(region, "offset") AS region
        FROM counted GROUP BY signal, subject, department, document),
    sections_of AS (
        SELECT subject, came, arg_max(section, "offset") AS section FROM registered WHERE section <> '' GROUP BY ALL),
    regions_of AS (
        SELECT subject, came, arg_max(region, "offset") AS region FROM registered WHERE region <> '' GROUP BY ALL),
    placed AS (
        SELECT arrivals.*, starts_with(arrivals.subject, 'person:') AS is_person,
            coalesce(s1.section, CASE WHEN {_IN_TIME.format("s2")} THEN s2.section END, '') AS section,
            coalesce(r1.region, CASE WHEN {_IN_TIME.format("r2")} THEN r2.region END, '') AS registered
        FROM arrivals
        ASOF LEFT JOIN sections_of s1 ON arrivals.subject = s1.subject AND arrivals.came >= s1.came
        ASOF LEFT JOIN sections_of s2 ON arrivals.subject = s2.subject AND arrivals.came < s2.came
        ASOF LEFT JOIN regions_of r1 ON arrivals.subject = r1.subject AND arrivals.came >= r1.came
        ASOF LEFT JOIN regions_of r2 ON arrivals.subject = r2.subject AND arrivals.came < r2.came)
SELECT
    signal, (came + {CHINA_OFFSET_MS}) // {DAY_MS}, department,
    CASE WHEN regexp_full_match(ground, '{_GROUND}') THEN ground ELSE '' END, region,
    CASE WHEN is_person THEN '' ELSE section END, CASE WHEN is_person OR region <> '' THEN '' ELSE registered END, count(*)
FROM placed GROUP BY ALL"""
"""A record's registration is the newest that had come by then, or else the first that came after in time: of each, one that says it."""
_TAIL_COUNTED = pa.schema([
    ("signal", pa.string()), ("subject", pa.string()), ("department", pa.string()), ("document", pa.string()), ("offset", pa.int64()),
    ("came", pa.int64()), ("ground", pa.string()), ("region", pa.string()),
])  # fmt: skip
_TAIL_REGISTERED = pa.schema([
    ("subject", pa.string()), ("offset", pa.int64()), ("came", pa.int64()), ("section", pa.string()), ("region", pa.string()),
])  # fmt: skip


def next_offsets(archive: duckdb.DuckDBPyConnection) -> dict[Place, int]:
    """Up to where the archive has each place.

    Args:
        archive: a connection with the archive's views, as `open_archive` gives it.
    """
    found = archive.execute(f"SELECT topic, partition, max(next_offset) FROM {INTAKE} GROUP BY ALL").fetchall()
    return {(topic, partition): offset for topic, partition, offset in found}


def count_archived(
    archive: duckdb.DuckDBPyConnection, tail: Province, rewarding: Iterable[str]
) -> tuple[Counter[Window], int]:
    """Windows with their counts, and how many records they are of.

    Args:
        archive: a connection with the archive's views.
        tail: what counts of the messages that it has not taken in.
        rewarding: lists that do not count.
    """
    industries = [industry for (industry,) in archive.execute("SELECT DISTINCT industry FROM registration").fetchall()]
    sections = [section_of(industry or "") for industry in industries]
    made = {
        "sections": pa.table({"industry": pa.array(industries, pa.string()), "section": pa.array(sections, pa.string())}),
        "rewarding": pa.table({"code": pa.array(sorted(rewarding), pa.string())}),
        "tail_counted": _table(_TAIL_COUNTED, _counted_rows(tail)),
        "tail_registered": _table(_TAIL_REGISTERED, _registered_rows(tail)),
    }  # fmt: skip
    for name, table in made.items():
        archive.register(name, table)
    archive.execute(_COUNTED)
    archive.execute(_REGISTERED)
    windows: Counter[Window] = Counter()
    records = 0
    for signal, day, department, ground, region, section, registered, count in archive.execute(_WINDOWS).fetchall():
        records += count
        begins = day * DAY_MS - CHINA_OFFSET_MS
        own = Sighting(signal, department, ground, region).series()
        for series in own + Enrolment(section, registered).series(signal):
            for start, width in spans_of(begins):
                windows[width, series.id, start] += count
    return windows, records


def _counted_rows(tail: Province) -> list[tuple[Any, ...]]:
    return [
        (seen.signal, subject, seen.department, document, offset, at, seen.ground, seen.region)
        for (subject, _, document), (offset, seen, at) in tail.first.items()
    ]


def _registered_rows(tail: Province) -> list[tuple[Any, ...]]:
    """A registration of the tail came after what is archived; among themselves they are in order."""
    return [
        (subject, AFTER + number, at, one.industry, one.region)
        for subject, found in tail.registrations.items()
        for number, (at, one) in enumerate(found)
    ]


def _table(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
    return pa.table(arrays, schema=schema)
