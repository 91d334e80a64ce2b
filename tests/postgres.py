"""A PostgreSQL for tests and benches, from Debian's package `postgresql`: its own cluster in a folder of its own, by a user who is not root."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import PIPE
from typing import Any

import psycopg

from deploy.demo.process import free_port

PLACES = Path("/usr/lib/postgresql")
ROLE = "creditbus"
QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
"""For what need outlive the server, but not the machine."""
AS_IT_COMES: dict[str, str] = {}
"""What is measured is measured with the server's own settings."""
_TOGETHER = '"$@" </dev/null & server=$!; cat >/dev/null; kill -QUIT $server; wait $server'
"""The server ends at once, as if it crashed, when its input ends: when a test says so, or the tests' process dies."""


class NoPostgresError(Exception):
    """There is none here; the message says what is missing."""


def binaries() -> Path:
    """Where the newest server's programs are."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(PLACES.glob("*/bin/initdb"), key=_version)[-1:]
    if not found:
        raise NoPostgresError("PostgreSQL is not installed: on Debian, apt-get install postgresql")
    return found[0] if on_path else found[0].parent


def _version(initdb: Path) -> int:
    return int(initdb.parts[-3])


def _user() -> dict[str, Any]:
    """As whom the server runs, for `subprocess`: it refuses root."""
    if os.getuid():
        return {}
    try:
        one = pwd.getpwnam("postgres")
    except KeyError as error:
        raise NoPostgresError("PostgreSQL does not run as root, and there is no user `postgres`") from error
    return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}


class RunningPostgres:
    """A cluster that runs.

    Args:
        folder: of its data, made.
        options: of the server.
    """

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self._programs = binaries()
        self._user = _user()
        self._data = folder / "data"
        self._options = options
        self._password = secrets.token_hex(8)
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        word = folder / "password"
        word.write_text(self._password)
        if self._user:
            for path in (folder, word):
                os.chown(path, self._user["user"], self._user["group"])
        subprocess.run(
            [
                self._programs / "initdb", "--pgdata", self._data, "--username", ROLE, "--pwfile", word, "--auth", "scram-sha-256",
                "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
            ],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self._user,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """Of its first database, as its owner."""
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/postgres"

    def version(self) -> str:
        """Of the server."""
        with psycopg.connect(self.url) as connection:
            return str(connection.execute("SHOW server_version").fetchall()[0][0])

    def new_schema(self) -> str:
        """URL of an empty schema of that database: what is kept there is apart from all else."""
        name = f"s{next(self._numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url}?options=-csearch_path%3D{name}"

    def start(self) -> None:
        """Start it, also again after `kill`, on its old port and data; returns when it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
        } | self._options
        said = self._data.with_name("log").open("ab")
        with said:
            self._process = subprocess.Popen(
                [
                    "sh", "-c", _TOGETHER, "sh", self._programs / "postgres", "-D", self._data,
                    *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
                ],
                stdin=PIPE, stdout=said, stderr=said, cwd="/", **self._user,
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                assert time.monotonic() < until, self._data.with_name("log").read_text()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it as if it crashed; returns when it is gone."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait(60)

    def end_sessions(self, application: str = "creditbus") -> None:
        """Break every connection of an application."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()",
                (application,),
            )


@contextmanager
def running_postgres(options: dict[str, str]) -> Iterator[RunningPostgres]:
    """A new cluster, ended and removed afterwards.

    Raises:
        NoPostgresError: there is none on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="creditbus-postgres-") as folder:
        postgres = RunningPostgres(Path(folder), options)
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.kill()
