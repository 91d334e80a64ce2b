"""The directory on disk: its tables, and the part that files documents by day, for public disclosure."""

from typing import Any

from exchange.domain.naming import area_of
from exchange.fed_file import Kept

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (place INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS registered (
    subject TEXT, entry TEXT, revision INTEGER, digest INTEGER, decided_on INTEGER, name TEXT, division TEXT, kind INTEGER,
    status INTEGER, PRIMARY KEY (subject, entry, revision, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS amended (
    subject TEXT, entry TEXT, slot TEXT, revision INTEGER, digest INTEGER, voids INTEGER,
    PRIMARY KEY (subject, entry, slot, revision, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (alias TEXT, subject TEXT, decided_on INTEGER, PRIMARY KEY (alias, subject)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_of ON claims (subject);
CREATE TABLE IF NOT EXISTS subjects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT UNIQUE, name TEXT, division TEXT, kind INTEGER, status INTEGER,
    names TEXT, codes TEXT);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT, subject INTEGER, division TEXT, kind INTEGER, PRIMARY KEY (code, subject)) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS names USING fts5 (pieces, content='', columnsize=0, tokenize='ascii');
CREATE TABLE IF NOT EXISTS filed (
    kind TEXT, decided_on INTEGER, entry TEXT, subject TEXT, topic TEXT, department TEXT, division TEXT, revision INTEGER,
    digest INTEGER, PRIMARY KEY (subject, entry)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS filed_by_day ON filed (kind, decided_on DESC, entry DESC, subject DESC);
CREATE INDEX IF NOT EXISTS filed_by_department ON filed (kind, department, decided_on DESC, entry DESC, subject DESC);
CREATE INDEX IF NOT EXISTS filed_by_topic ON filed (kind, topic, decided_on DESC, entry DESC, subject DESC);
"""
DIRECTORY = Kept(
    name="directory", setting="CREDITBUS_DIRECTORY_FOLDER", file="directory.sqlite", format="1", schema=_SCHEMA
)
KEEP = """
INSERT INTO filed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    kind = excluded.kind, decided_on = excluded.decided_on, topic = excluded.topic, department = excluded.department,
    division = excluded.division, revision = excluded.revision, digest = excluded.digest
WHERE (excluded.revision, excluded.digest) > (revision, digest)"""
"""Of one document the greatest (revision, digest) counts, as in the fold."""

COUNT_BY_DAY = (
    "SELECT decided_on, count(*) FROM filed WHERE kind = ? AND decided_on BETWEEN ? AND ? GROUP BY decided_on"
)


def recent(
    kind: str, after: tuple[int, str, str], limit: int, topic: str, department: str, division: str
) -> tuple[str, tuple[Any, ...]]:
    """The statement for `Directory.recent`, and its values."""
    area = area_of(division) if division else ""
    wanted = [("topic", topic), ("department", department)]
    equal = [(name, value) for name, value in wanted if value]
    sql = "SELECT * FROM filed WHERE kind = ? AND (decided_on, entry, subject) < (?, ?, ?)"
    sql += "".join(f" AND {name} = ?" for name, _ in equal)
    values: list[Any] = [kind, *after, *(value for _, value in equal)]
    if area:
        sql += " AND substr(division, 1, ?) = ?"
        values += [len(area), area]
    return f"{sql} ORDER BY decided_on DESC, entry DESC, subject DESC LIMIT ?", (*values, limit)
