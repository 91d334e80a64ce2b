"""Where the embedded stack keeps what: the one place that knows the names inside `$CREDITBUS_HOME`."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import RequestError

MINIMUM_FREE_BYTES = 512 * 2**20
"""Below this Kafka would stop in the middle of work, so the stack does not start at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The home folder of one embedded stack."""

    root: Path

    @property
    def state(self) -> Path:
        """Who runs now: process ids, their start times, ports. Written by the supervisor alone."""
        return self.root / "stack.json"

    @property
    def plan(self) -> Path:
        """What the supervisor is to run: one command line a server."""
        return self.root / "plan.json"

    @property
    def ports(self) -> Path:
        """The ports chosen at the first start, taken again at the next."""
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        """Held while a command changes the stack."""
        return self.root / "lock"

    @property
    def data(self) -> Path:
        """Everything that `reset` deletes."""
        return self.root / "data"

    @property
    def versions(self) -> Path:
        """Which Kafka and Valkey wrote the data."""
        return self.data / "versions.json"

    @property
    def kafka_data(self) -> Path:
        """Kafka's log folder, with its cluster id."""
        return self.data / "kafka"

    @property
    def valkey_data(self) -> Path:
        """Valkey's working folder; its append-only files lie in `appendonlydir` below."""
        return self.data / "valkey"

    @property
    def security(self) -> Path:
        """The authority, certificates, passwords and lists of a secured stack; not there where the stack is open."""
        return self.data / "security"

    @property
    def logs(self) -> Path:
        """What the servers say."""
        return self.root / "logs"

    def log_of(self, server: str) -> Path:
        """The log that a server writes itself."""
        return self.logs / f"{server}.log"

    def output_of(self, server: str) -> Path:
        """What a server prints beside its log, such as a crash of Java."""
        return self.logs / f"{server}.out"

    def create(self) -> None:
        """Make the folders that are not there.

        Raises:
            RequestError: `home_unusable` when the folder cannot be written, `disk_full` when it has no room.
        """
        if "," in str(self.root):
            raise RequestError(
                f"folder {self.root} has a comma in its name, which Kafka takes for two folders",
                code="home_unusable",
                remedy="set CREDITBUS_HOME to a folder without one",
            )
        with translating_os_errors(self.root):
            for path in (self.root, self.data, self.logs, self.valkey_data):
                path.mkdir(parents=True, exist_ok=True)
        check_space(self.root, MINIMUM_FREE_BYTES)


def check_space(path: Path, needed_bytes: int) -> None:
    """Refuse to go on when the disk of a folder has less than so many bytes free.

    Raises:
        RequestError: `disk_full`.
    """
    free = shutil.disk_usage(path).free
    if free < needed_bytes:
        raise RequestError(
            f"disk of {path} has {free // 2**20} MiB free, {needed_bytes // 2**20} MiB are needed",
            code="disk_full",
            remedy="free space there, or set CREDITBUS_HOME and CREDITBUS_CACHE to another disk",
        )


@contextmanager
def translating_os_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a folder without permission into an error that says what to do.

    Raises:
        RequestError: `disk_full` or `home_unusable`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RequestError(
                f"disk of {path} is full",
                code="disk_full",
                remedy="free space there, or set CREDITBUS_HOME and CREDITBUS_CACHE to another disk",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise RequestError(
                f"folder {path} cannot be written ({os.strerror(error.errno)})",
                code="home_unusable",
                remedy="set CREDITBUS_HOME and CREDITBUS_CACHE to folders of your own",
            ) from error
        raise


@contextmanager
def held(lock: Path, *, within_seconds: float, doing: str) -> Iterator[None]:
    """Hold a lock file; another process that holds it is waited for. The lock ends with its process, however it ends.

    Raises:
        RequestError: `busy` when the other process does not finish in time.
    """
    with translating_os_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a")
    with file:
        give_up_at = time.monotonic() + within_seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > give_up_at:
                    raise RequestError(
                        f"another process has been {doing} for more than {within_seconds:.0f} s (lock {lock})",
                        code="busy",
                        remedy="wait for it or end it, then try again",
                    ) from error
                time.sleep(0.05)
        yield
