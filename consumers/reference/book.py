"""The department's book: one SQLite file with what it owes, what it did and what it still has to tell the bus.

One file, so that an obligation, the act that fulfils it and the feedback about it change in one transaction or not at all.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

_TABLES = """
CREATE TABLE IF NOT EXISTS subjects (
    subject TEXT PRIMARY KEY, name TEXT NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, notice_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS obligations (
    number INTEGER PRIMARY KEY, subject TEXT NOT NULL, measure TEXT NOT NULL, since_epoch INTEGER NOT NULL, since_n INTEGER NOT NULL,
    name TEXT NOT NULL, basis TEXT NOT NULL, listings TEXT NOT NULL, respond_by TEXT, state TEXT NOT NULL, due_at_ms INTEGER NOT NULL,
    notice_id TEXT NOT NULL, notice_epoch INTEGER NOT NULL, notice_n INTEGER NOT NULL, lift_epoch INTEGER, lift_n INTEGER,
    UNIQUE (subject, measure, since_epoch, since_n)
);
CREATE INDEX IF NOT EXISTS due ON obligations (due_at_ms) WHERE state IN ('to_do', 'to_end');
CREATE TABLE IF NOT EXISTS feedback (
    number INTEGER PRIMARY KEY, document TEXT NOT NULL, revision INTEGER NOT NULL, record TEXT NOT NULL,
    sent_at_ms INTEGER, refused TEXT, UNIQUE (document, revision)
);
CREATE INDEX IF NOT EXISTS unsent ON feedback (number) WHERE sent_at_ms IS NULL AND refused IS NULL;
CREATE TABLE IF NOT EXISTS register (
    number INTEGER PRIMARY KEY, subject TEXT NOT NULL, measure TEXT NOT NULL, since_epoch INTEGER NOT NULL, since_n INTEGER NOT NULL,
    recorded_on TEXT NOT NULL, struck_on TEXT
);
CREATE INDEX IF NOT EXISTS entry ON register (subject, measure, since_epoch, since_n);
CREATE TABLE IF NOT EXISTS notices (outcome TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""


class State(StrEnum):
    """What the department has made of an obligation."""

    TO_DO = "to_do"
    EXECUTED = "executed"
    DECLINED = "declined"
    NOT_APPLICABLE = "not_applicable"
    TO_END = "to_end"
    ENDED = "ended"


class Sequence(NamedTuple):
    """Number of a notice about a subject to this department; the higher is the newer."""

    epoch: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One measure that one notice imposed on one subject.

    Attributes:
        since: the notice that imposed it; the same measure imposed again later is another obligation.
        lift: the notice that lifted it and awaits the confirmation; None while nobody waits.
        notice_id: the notice that the next feedback answers, with its sequence in `answers`.
    """

    subject: str
    measure: str
    since: Sequence
    name: str
    basis: str
    listings: tuple[dict[str, Any], ...]
    respond_by: date | None
    state: State
    notice_id: str
    answers: Sequence
    lift: Sequence | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """The obligation of a row of its table."""
        return cls(
            subject=row["subject"],
            measure=row["measure"],
            since=Sequence(row["since_epoch"], row["since_n"]),
            name=row["name"],
            basis=row["basis"],
            listings=tuple(json.loads(row["listings"])),
            respond_by=date.fromisoformat(row["respond_by"]) if row["respond_by"] else None,
            state=State(row["state"]),
            notice_id=row["notice_id"],
            answers=Sequence(row["notice_epoch"], row["notice_n"]),
            lift=None if row["lift_n"] is None else Sequence(row["lift_epoch"], row["lift_n"]),
        )

    @property
    def key(self) -> tuple[str, str, int, int]:
        """Subject, measure and since: what an act is done once for."""
        return (self.subject, self.measure, *self.since)


def open_book(path: Path | str) -> sqlite3.Connection:
    """Open a book, made where there is none. What a transaction has committed survives a kill and a power cut."""
    database = sqlite3.connect(path, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.executescript(_TABLES)
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; on disk when it ends. If it dies inside, the book is as it was before."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
