"""A PostgreSQL database that one process feeds from departments' topics: each batch and its offsets are one transaction.

The like of `exchange.fed_file` for several hosts that share what is kept. The feeder holds a lock of its session, and writes by no
other: so who has lost the lock cannot write. What it keeps a second time changes nothing; when the answer to a commit is lost, the
batch is kept again.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

import psycopg
from psycopg import errors

from exchange.errors import FatalError, RequestError, RetryLaterError
from exchange.fed_file import Kept
from exchange.fed_folder import Bus, Offsets
from exchange.postgres import connect, described, translating

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS sources (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, department text NOT NULL, partition integer NOT NULL,
    next bigint NOT NULL DEFAULT 0, UNIQUE (department, partition));
"""
_LOCK = "SELECT pg_advisory_lock(hashtextextended('creditbus ' || %s || ' ' || current_schema(), 0))"
_LOCK_WITHIN = "SET lock_timeout = '1s'"
"""So long a session that has just ended may take to let its lock go."""
_GO_ON = """
INSERT INTO sources (department, partition, next) SELECT * FROM unnest(%s::text[], %s::integer[], %s::bigint[])
ON CONFLICT (department, partition) DO UPDATE SET next = greatest(sources.next, excluded.next)"""
_SIZE = """
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""


class FedDatabase:
    """The one writer of a database's schema.

    Args:
        url: of the database.
        bus: that feeds it.
        kept: what it is.
        on_step: told `keep`, `commit` and `kept`; fault tests end the process there.

    Raises:
        RequestError: `<name>_in_use`, `bad_setting`.
        RetryLaterError: `<name>_unavailable`.
        FatalError: `<name>_of_another_bus`, `_format`, `_unusable`.
    """

    def __init__(self, url: str, bus: Bus, kept: Kept, on_step: Callable[[str], None] = lambda _: None) -> None:
        self._url = url
        self._bus = bus
        self._kept = kept
        self._on_step = on_step
        self._writer: psycopg.Connection | None = None
        self._known: dict[tuple[str, int], int] = {}
        with ExitStack() as undoing, self._translating():
            undoing.callback(self.close)
            if self._take() is None:
                raise RequestError(
                    f"another process feeds the {kept.name} in {described(url)}",
                    code=f"{kept.name}_in_use",
                    remedy=f"end it first, or set {kept.setting} to another database",
                )
            undoing.pop_all()

    def close(self) -> None:
        """Leave the database to another."""
        if self._writer is not None:
            with suppress(psycopg.Error):
                self._writer.close()

    def size(self) -> int:
        """Bytes on the server's disk."""
        with self._translating():
            return int(self._connected().execute(_SIZE).fetchall()[0][0])

    def offsets(self) -> Offsets:
        """Where to go on reading."""
        with self._translating():
            return _offsets(self._connected())

    @contextmanager
    def keeping(self, offsets: Offsets) -> Iterator[psycopg.Connection]:
        """One transaction: what is written within, and the offsets from which to go on afterwards.

        Raises:
            RetryLaterError: `<name>_unavailable`; keep the same once more. It may be there already, which changes nothing.
        """
        with self._translating():
            writer = self._connected()
            self._on_step("keep")
            with writer.transaction():
                yield writer
                places = sorted(offsets)
                columns = [one[0] for one in places], [one[1] for one in places], [offsets[one] for one in places]
                writer.execute(_GO_ON, columns)
                self._on_step("commit")
            self._known |= {where: max(offset, self._known.get(where, 0)) for where, offset in offsets.items()}
        self._on_step("kept")

    def _connected(self) -> psycopg.Connection:
        """The writer; after its connection broke, another one, which waits for the lock of the first to end."""
        writer = self._writer
        if writer is None or writer.closed or writer.broken:
            writer = self._take()
        if writer is None:
            raise RetryLaterError(
                f"the {self._kept.name} in {described(self._url)} is fed by another session",
                code=f"{self._kept.name}_in_use",
                remedy="it is this process's last one until the server misses it, or another process that took over",
            )
        return writer

    def _take(self) -> psycopg.Connection | None:
        """Connect, lock, and see whose database it is; None when another session feeds it."""
        self.close()
        writer = self._writer = connect(self._url)
        writer.execute(_LOCK_WITHIN)
        try:
            writer.execute(_LOCK, (self._kept.name,))
        except errors.LockNotAvailable:
            writer.close()
            return None
        writer.execute("RESET lock_timeout")
        with writer.transaction():
            ((encoding,),) = writer.execute("SHOW server_encoding").fetchall()
            if encoding != "UTF8":
                raise FatalError(
                    f"{described(self._url)} is encoded as {encoding}",
                    code=f"{self._kept.name}_unusable",
                    remedy="make a database with ENCODING 'UTF8'",
                )
            writer.execute(_SCHEMA)
            writer.execute(self._kept.schema.encode())
            self._demand(writer)
        self._demand_all_known(writer)
        return writer

    def _demand_all_known(self, writer: psycopg.Connection) -> None:
        """See that a database that was away has all that was kept: who reads on from there would leave a gap."""
        there = _offsets(writer)
        older = [where for where, offset in self._known.items() if there.get(where, 0) < offset]
        if older:
            writer.close()
            raise FatalError(
                f"the {self._kept.name} in {described(self._url)} is older than what was kept, in {len(older)} partitions",
                code=f"{self._kept.name}_fell_back",
                remedy="it was restored, or a replica took over that lacked the last commits: start again, which reads them once more",
            )
        self._known = dict(there)

    def _demand(self, writer: psycopg.Connection) -> None:
        """Write down in a new database whose it is; in another, see that it is the same."""
        found: dict[str, str] = dict(writer.execute("SELECT name, value FROM about").fetchall())
        if found:
            self._kept.demand(described(self._url), self._bus, found)
        else:
            about = list(self._kept.about(self._bus).items())
            writer.cursor().executemany("INSERT INTO about VALUES (%s, %s)", about)

    def _translating(self) -> AbstractContextManager[None]:
        return translating(self._kept.name, self._url, self._kept.setting)


def _offsets(writer: psycopg.Connection) -> dict[tuple[str, int], int]:
    rows = writer.execute("SELECT department, partition, next FROM sources").fetchall()
    return {(department, partition): offset for department, partition, offset in rows}
