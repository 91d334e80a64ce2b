"""The border to PostgreSQL: connections, and its errors as errors of the bus."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from exchange.errors import CreditbusError, FatalError, RequestError, RetryLaterError

CONNECT_SECONDS = 5
"""A server that takes longer to answer a new connection is away."""
READ_SECONDS = 10
"""A question that takes longer has failed."""
WAIT_SECONDS = 2
"""Who reads waits so long for a connection, in a thread that others want too."""
READERS = 8
"""Connections of one process, at most; questions beyond wait for one to be free."""
_ALIVE = {"connect_timeout": CONNECT_SECONDS, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""A server that has gone without a word is missed within half a minute."""
_GHOST = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
"""So does the server miss a client, and lets its locks go."""
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
_MISSING = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName, psycopg.InternalError)


def open_pool(url: str) -> ConnectionPool[psycopg.Connection]:
    """Connections to read by, opened as they are needed; a broken one is replaced before it is used.

    Plans are made for each question's own values, and without passes over whole tables: how often a text is found differs too much.

    Raises:
        RequestError: `bad_setting`.
    """
    session = {"statement_timeout": READ_SECONDS * 1000, "enable_seqscan": "off", "jit": "off"}
    return ConnectionPool(
        _conninfo(url, session),
        kwargs={"autocommit": True, "prepare_threshold": None},
        min_size=0,
        max_size=READERS,
        timeout=WAIT_SECONDS,
        check=ConnectionPool.check_connection,
        open=True,
        name="directory",
    )


def connect(url: str) -> psycopg.Connection:
    """A connection of its own.

    Raises:
        RequestError: `bad_setting`.
    """
    return psycopg.connect(_conninfo(url, {**_GHOST, "jit": "off"}), autocommit=True)


def described(url: str) -> str:
    """Where a database is, without its password; what the address leaves out, the server's own variables may say.

    >>> described("postgresql://feeder:secret@db1.example,db2.example:5433/directory")
    'postgresql://db1.example,db2.example/directory'
    """
    given = _parsed(url)
    return f"postgresql://{given.get('host', '')}/{given.get('dbname', '')}"


@contextmanager
def translating(name: str, url: str, setting: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into those of the bus.

    Args:
        name: of what is kept there, such as `directory`.
        url: of the database.
        setting: that gives it.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, name, described(url), setting) from error


def _translate(error: psycopg.Error, name: str, where: str, setting: str) -> CreditbusError:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, _AWAY):
        return RetryLaterError(
            f"{name} in {where}: {said}",
            code=f"{name}_unavailable",
            remedy=f"check that PostgreSQL runs and has disk, and {setting}; nothing is lost",
        )
    if isinstance(error, _MISSING):
        return FatalError(
            f"{where} has no whole {name}: {said}",
            code=f"{name}_corrupt",
            remedy=f"drop its tables and start `creditbus run {name}`, which reads all anew",
        )
    return FatalError(
        f"{name} in {where} cannot be used: {said}",
        code=f"{name}_unusable",
        remedy=f"see what its role may do there (docs/{name}.md), or set {setting} to another database",
    )


def _conninfo(url: str, session: Mapping[str, Any]) -> str:
    given = _parsed(url)
    options = " ".join([str(given.get("options") or ""), *(f"-c {name}={value}" for name, value in session.items())])
    return make_conninfo(**{"application_name": "creditbus", **_ALIVE, **given, "options": options.strip()})


def _parsed(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as error:
        raise RequestError(
            "the address of the PostgreSQL database cannot be read",  # not told: it may hold the password
            code="bad_setting",
            remedy="write it as postgresql://user@host:port/database",
        ) from error
