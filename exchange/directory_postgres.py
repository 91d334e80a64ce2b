"""The directory in PostgreSQL, as its readers see it: any number of hosts ask one database, beside the process that feeds it.

A text that very many names contain would have the index gather them all before the first is shown, so those who were indexed first
are looked through before it is asked. See `exchange.directory_tables`.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from psycopg_pool import ConnectionPool

from exchange.directory import FIRST, KINDS, STATUSES, Filed, Hit, Page, Place, searched_name
from exchange.directory_tables import (
    BEGINNING,
    BY_CODE,
    CODE_KNOWN,
    COUNT_BY_DAY,
    DETAILS,
    FIRST_FOUND,
    FOUND,
    MADE,
    PART,
    TABLES,
    Sought,
    recent,
)
from exchange.domain.codes import normalise_code
from exchange.domain.naming import SHORTEST_CODE, area_of
from exchange.errors import RequestError
from exchange.postgres import connect, described, open_pool, translating
from exchange.records.words import SubjectKind

_AFTER = "\U0010ffff"


class PostgresDirectory:
    """Reads a directory's tables; safe in several threads.

    Args:
        url: of the database; a role that may only read will do.

    Raises:
        RequestError: `directory_absent`, `bad_setting`.
        RetryLaterError: `directory_unavailable`.
        FatalError: `directory_unusable`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with (
            self._translating(),
            connect(url) as first,
        ):  # by itself: it says why it cannot, and a pool only how long it tried
            ((is_there,),) = first.execute(MADE).fetchall()
        if not is_there:
            raise RequestError(
                f"there is no directory in {described(url)}",
                code="directory_absent",
                remedy="start `creditbus run directory`, or set CREDITBUS_DIRECTORY_URL to where one is",
            )
        self._pool: ConnectionPool[Any] = open_pool(url)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

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
        rows = None
        if len(code) >= SHORTEST_CODE and code.isprintable():
            rows = self._by_code(code, division, position, limit + 1, offset)
        if rows is None:
            rows = self._by_name(Sought(name, division, position, offset + limit + 1))[offset:]
        hits = tuple(
            Hit(subject, shown, area, KINDS[of_kind], STATUSES[status])
            for subject, shown, area, of_kind, status in rows[:limit]
        )
        return Page(hits, offset + len(rows) if rows else 0)

    def details(self, places: Iterable[Place]) -> dict[Place, bytes]:
        """See `Directory`."""
        columns = [list(column) for column in zip(*places, strict=True)]
        rows = self._read(DETAILS, columns) if columns else []
        return {(department, partition, offset): raw for department, partition, offset, raw in rows}

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
        if not all(text.isprintable() for text in (kind, *after[1:], topic, department, division)):
            return []  # nothing here is called so
        return [Filed(*row) for row in self._read(*recent(kind, after, limit, topic, department, division))]

    def count_by_day(self, kind: str, first: int, last: int) -> dict[int, int]:
        """See `Directory`."""
        return dict(self._read(COUNT_BY_DAY, (kind, first, last)))

    def _by_code(self, code: str, division: str | None, kind: int | None, limit: int, offset: int) -> list[Any] | None:
        """None when no code begins so."""
        values = {
            "code": code, "after": code + _AFTER, "area": area_of(division) if division else "", "kind": kind,
            "hits": limit, "offset": offset,
        }  # fmt: skip
        return self._read(BY_CODE, values) if self._read(CODE_KNOWN, values) else None

    def _by_name(self, sought: Sought) -> list[Any]:
        """The best hits, as many as are wanted, the best first.

        Where those who were indexed first do not have as many, all that contain the text are few enough to be gathered. Else there are
        very many of them, and of the best ones either very many too, or few.
        """
        first = self._read(FIRST_FOUND, sought.values)
        wanted = sought.values["hits"]
        if len(first) < wanted:
            return self._read(FOUND, sought.among("part"))
        worst = first[-1][-1]
        better = self._read(FOUND, sought.among("beginning" if worst == PART else "whole"))
        return [*better, *(row[:-1] for row in first if row[-1] == max(worst, BEGINNING))][:wanted]

    def _read(self, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        with self._translating(), self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            return list(cursor.execute(sql, values).fetchall())

    def _translating(self) -> AbstractContextManager[None]:
        return translating(TABLES.name, self._url, TABLES.setting)
