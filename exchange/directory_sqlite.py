"""The directory on disk, as its readers see it: one SQLite file, beside whatever process feeds it.

Names are in a full-text index without content: its rows lead to `subjects`, and a row whose subject is gone, or was indexed anew,
leads nowhere. So nothing is ever taken out of it, and whole pages come in the order of rows, without sorting.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from exchange.directory import FIRST, KINDS, STATUSES, Filed, Hit, Page, Place, searched_name
from exchange.directory_files import COUNT_BY_DAY, DIRECTORY, recent
from exchange.domain.codes import normalise_code
from exchange.domain.naming import SHORTEST_CODE, area_of, chosen, rank, wanted
from exchange.errors import RequestError
from exchange.fed_file import connect, translating
from exchange.initials import spellings
from exchange.records.words import SubjectKind

FILE = DIRECTORY.file
OFFSET_BITS = 40
"""A record's row number is its source's, and its offset in so many bits."""
_AFTER = "\U0010ffff"
FEW = 100
"""Hits that are put in order outside the index."""
_PART = """
SELECT s.subject, s.name, s.division, s.kind, s.status, s.names FROM (SELECT rowid AS row FROM names WHERE names MATCH ?)
CROSS JOIN subjects s ON s.id = row LIMIT ?"""
_BY_NAME = """
SELECT s.subject, s.name, s.division, s.kind, s.status FROM (
    SELECT rowid AS row FROM names WHERE names MATCH ?
    UNION ALL SELECT rowid FROM names WHERE names MATCH ?
    UNION ALL SELECT rowid FROM names WHERE names MATCH ?)
CROSS JOIN subjects s ON s.id = row LIMIT ? OFFSET ?"""
_MADE = "SELECT 1 FROM sqlite_master WHERE name = 'names'"
_CODE_KNOWN = "SELECT 1 FROM codes WHERE code >= ? AND code < ? LIMIT 1"
_BY_CODE = """
SELECT s.subject, s.name, s.division, s.kind, s.status FROM (
    SELECT DISTINCT subject AS row FROM codes
    WHERE code >= ? AND code < ? AND division >= ? AND division < ? AND (? IS NULL OR kind = ?))
CROSS JOIN subjects s ON s.id = row LIMIT ? OFFSET ?"""


class SqliteDirectory:
    """Reads a directory's file; safe in several threads, each has its connection.

    Args:
        folder: of the directory.

    Raises:
        RequestError: `directory_absent`.
        FatalError: `directory_corrupt`, `directory_unusable`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        with translating(self._path, DIRECTORY):
            is_there = self._is_made()
        if not is_there:
            raise RequestError(
                f"there is no directory in {folder}",
                code="directory_absent",
                remedy="start `creditbus run directory`, or set CREDITBUS_DIRECTORY_FOLDER to where one is",
            )

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._open:
            self._open.pop().close()

    def search(
        self,
        text: str,
        *,
        limit: int = 20,
        offset: int = 0,
        division: str | None = None,
        kind: SubjectKind | None = None,
    ) -> Page:
        """See `Directory`."""
        name, code = searched_name(text, limit=limit, offset=offset), normalise_code(text)
        position = None if kind is None else KINDS.index(kind)
        with translating(self._path, DIRECTORY):
            if len(code) >= SHORTEST_CODE and self._read(_CODE_KNOWN, (code, code + _AFTER)):
                rows = self._read(*_by_code(code, division, position, limit + 1, offset))
            else:
                rows = self._by_name(name, chosen(division, position), limit + 1, offset)
        hits = tuple(
            Hit(subject, shown, area, KINDS[of_kind], STATUSES[status])
            for subject, shown, area, of_kind, status in rows[:limit]
        )
        return Page(hits, offset + len(rows) if rows else 0)

    def details(self, places: Iterable[Place]) -> dict[Place, bytes]:
        """See `Directory`."""
        sources: dict[tuple[str, int], int] = {}
        found = {}
        with translating(self._path, DIRECTORY):
            for place in places:
                department, partition, offset = place
                source = sources.get((department, partition))
                if source is None:
                    rows = self._read("SELECT id FROM sources WHERE department = ? AND partition = ?", place[:2])
                    source = sources[department, partition] = rows[0][0] if rows else -1
                for (raw,) in self._read("SELECT raw FROM records WHERE place = ?", (row_of(source, offset),)):
                    found[place] = raw
        return found

    def recent(
        self,
        kind: str,
        *,
        after: tuple[int, str, str] = FIRST,
        limit: int = 20,
        topic: str = "",
        department: str = "",
        division: str = "",
    ) -> list[Filed]:
        """See `Directory`."""
        with translating(self._path, DIRECTORY):
            return [Filed(*row) for row in self._read(*recent(kind, after, limit, topic, department, division))]

    def count_by_day(self, kind: str, first: int, last: int) -> dict[int, int]:
        """See `Directory`."""
        with translating(self._path, DIRECTORY):
            return dict(self._read(COUNT_BY_DAY, (kind, first, last)))

    def _by_name(self, name: str, facets: Iterable[str], limit: int, offset: int) -> list[Any]:
        """The best first: few are put in order here; of many, the index is asked for the best ones first.

        A text that few contain takes longest, since all its pieces' rows are walked through: so once, not for each rank.
        """
        whole, beginning, part = map(_phrase, wanted(name))
        among = "".join(f' AND "{facet}"' for facet in facets)
        few = self._read(_PART, (f"{part}{among}", FEW + 1))
        if len(few) <= FEW:
            few.sort(key=lambda row: rank(name, spellings(row[-1].split("\n"))))
            return [row[:-1] for row in few[offset : offset + limit]]
        ranks = (f"{whole}{among}", f"({beginning} NOT {whole}){among}", f"({part} NOT {beginning}){among}")
        return self._read(_BY_NAME, (*ranks, limit, offset))

    def _is_made(self) -> bool:
        try:
            with closing(connect(self._path, "ro")) as connection:
                return connection.execute(_MADE).fetchone() is not None
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN:
                return False
            raise

    def _read(self, sql: str, values: Sequence[Any]) -> list[Any]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path, "ro")
            self._open.append(connection)
        return connection.execute(sql, values).fetchall()


def row_of(source: int, offset: int) -> int:
    """The row number of a record."""
    return source << OFFSET_BITS | offset


def _by_code(code: str, division: str | None, kind: int | None, limit: int, offset: int) -> tuple[str, tuple[Any, ...]]:
    area = area_of(division) if division else ""
    return _BY_CODE, (code, code + _AFTER, area, area + _AFTER, kind, kind, limit, offset)


def _phrase(pieces: Iterable[str]) -> str:
    """Pieces that follow one another; they are letters and digits, so that nothing in them is the index's own language."""
    return '"' + " ".join(pieces) + '"'
