"""Ready questions to the archive: named SQL in `archive_sql/`, over views of what stands now. Statistics and open data are built on it.

A question's file says in its first lines what it is in Chinese and English, which prepared tables it uses and which parameters it
takes beside `since` and `until` (days, both included).

| view or table | rows |
|---|---|
| `<record type>_now` | the newest revision of each document that was not withdrawn, each once however often it was published |
| `all_records` | subject, department, record type, revision and days of every record |
| `subjects` | each registered subject by its newest registration: kind, industry, city, status |
| `listing_changes`, `measure_changes` | each entry and exit, from how standings changed: day, subject, which, whether it entered |
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from exchange import clock
from exchange.archive_tables import BUS_MADE, INTAKE, archive_tables
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.registry import load_contracts

FOLDER = Path(__file__).parent / "archive_sql"
ALWAYS = date(1949, 10, 1)
_HEAD = re.compile(r"-- (\w+): (.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One ready question.

    Attributes:
        name: its name, and its file's.
        zh, en: what it asks.
        sql: the statement.
        uses: prepared tables.
        takes: parameters beside `since` and `until`, all text.
    """

    name: str
    zh: str
    en: str
    sql: str
    uses: tuple[str, ...]
    takes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Names of the columns, and the rows in order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        """Each row with its columns' names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@cache
def questions() -> Mapping[str, Question]:
    """All ready questions by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}


def _read(path: Path) -> Question:
    text = path.read_text("utf-8")
    head = dict(_HEAD.findall(text))
    uses, takes = (tuple(filter(None, head.get(name, "").split(", "))) for name in ("uses", "takes"))
    return Question(name=path.stem, zh=head["zh"], en=head["en"], sql=text, uses=uses, takes=takes)


def ask(
    archive: duckdb.DuckDBPyConnection, name: str, *, since: date = ALWAYS, until: date | None = None, **given: str
) -> Answer:
    """The answer to a ready question, as the archive was when it was opened.

    Args:
        archive: as `exchange.archive_tables.open_archive` gives it; what is prepared once serves its later questions.
        name: of the question.
        since: first day.
        until: last day; without, today.
        given: the parameters that the question takes.

    Raises:
        RequestError: `unknown_question`, `missing_parameter`.
    """
    question = questions().get(name)
    if question is None:
        raise RequestError(
            f"there is no question {name!r}", code="unknown_question", remedy=f"ask one of {', '.join(questions())}"
        )
    missing = [one for one in question.takes if not given.get(one)]
    if missing:
        raise RequestError(
            f"the question {name} needs {', '.join(missing)}", code="missing_parameter", remedy="give it a value"
        )
    prepare(archive)
    for table in question.uses:
        _make(archive, table)
    values = {"since": since, "until": until or clock.today()} | {one: given[one] for one in question.takes}
    cursor = archive.execute(question.sql, values)
    columns = tuple(one[0] for one in cursor.description or ())
    return Answer(columns=columns, rows=tuple(cursor.fetchall()))


def prepare(archive: duckdb.DuckDBPyConnection) -> None:
    """Make the views that are named above; those that cost something are made when a question first uses them."""
    if archive.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'all_records'").fetchone() == (1,):
        return
    archive.execute(_CITY_OF)
    names = [name for name in archive_tables(load_contracts(SCHEMAS)) if name not in (*BUS_MADE, INTAKE)]
    for name in names:
        archive.execute(_NOW.format(name=name))
    columns = "subject, department, revision, decided_on, arrived_on"
    archive.execute(
        "CREATE VIEW all_records AS "
        + " UNION ALL ".join(f"SELECT '{name}' AS record_type, {columns} FROM {name}" for name in names)
    )


def _make(archive: duckdb.DuckDBPyConnection, table: str) -> None:
    made = archive.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone()
    if made == (0,):
        archive.execute(f"CREATE TEMP TABLE {table} AS {_PREPARED[table]}")


_CITY_OF = """
CREATE TEMP MACRO city_of(division, subject) AS
    CASE WHEN division <> '' THEN division[:4] || '00' WHEN subject[:4] = 'org:' THEN subject[7:10] || '00' ELSE '' END"""
"""The city of a division, or else the one in an organisation's code (characters 3 to 8 are its division, GB 32100)."""

_NOW = """
CREATE VIEW {name}_now AS
WITH
    repeated AS (SELECT hash(subject, department, document) AS key FROM {name} GROUP BY key HAVING count(*) > 1),
    withdrawn AS (
        SELECT subject, coalesce(nullif(target_department, ''), department) AS department, target_document AS document
        FROM withdrawal WHERE target_type = '{name}')
SELECT * FROM (
    SELECT * FROM {name} WHERE hash(subject, department, document) NOT IN (SELECT key FROM repeated)
    UNION ALL
    SELECT * FROM {name} WHERE hash(subject, department, document) IN (SELECT key FROM repeated)
    QUALIFY row_number() OVER (PARTITION BY subject, department, document ORDER BY revision DESC, digest DESC, arrived_at DESC, "offset" DESC) = 1)
ANTI JOIN withdrawn USING (subject, department, document)"""
"""Most documents have one row, so that only the few that have more are sorted; equal keys of different documents do no harm."""

_CHANGES = """
WITH
    states AS (
        SELECT subject, epoch, n, min((changed_at AT TIME ZONE 'Asia/Shanghai')::DATE) AS day, any_value({field}) AS held
        FROM standing_change GROUP BY subject, epoch, n),
    compared AS (
        SELECT subject, day, held, coalesce(lag(held) OVER (PARTITION BY subject ORDER BY epoch, n), []) AS before FROM states),
    changes AS (
        SELECT subject, day, true AS entered, unnest(list_filter(held, lambda one: NOT list_contains(before, one))) AS one FROM compared
        UNION ALL
        SELECT subject, day, false, unnest(list_filter(before, lambda one: NOT list_contains(held, one))) FROM compared)
SELECT subject, day, entered, {split} FROM changes"""

_PREPARED: Mapping[str, str] = {
    "subjects": """
        WITH repeated AS (SELECT subject FROM registration GROUP BY subject HAVING count(*) > 1)
        SELECT subject, kind, industry, city_of(division, subject) AS city, status
        FROM registration WHERE subject NOT IN (SELECT subject FROM repeated)
        UNION ALL
        SELECT subject, kind, industry, city_of(division, subject), status
        FROM registration WHERE subject IN (SELECT subject FROM repeated)
        QUALIFY row_number() OVER (PARTITION BY subject ORDER BY decided_on DESC, revision DESC, digest DESC, "offset" DESC) = 1""",
    "listing_changes": _CHANGES.format(
        field="listings", split="split_part(one, ' ', 1) AS list_code, split_part(one, ' ', 2) AS entry"
    ),
    "measure_changes": _CHANGES.format(
        field="measures", split="split_part(one, '/', 1) AS department, split_part(one, '/', 2) AS measure"
    ),
}
