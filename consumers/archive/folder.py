"""The archive's folder: whose it is, that one process writes it, and what its errors mean."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deltalake.exceptions import CommitFailedError, DeltaError

from exchange.errors import FatalError, RequestError
from exchange.fed_folder import Bus, Fed

ARCHIVE = Fed(name="archive", setting="CREDITBUS_ARCHIVE_FOLDER", format="1")
ABOUT = "archive.json"


@contextmanager
def translating(folder: Path) -> Iterator[None]:
    """Errors of the tables become those of the bus.

    Raises:
        FatalError: `archive_written_by_another`, `archive_disk_failed`.
    """
    try:
        yield
    except CommitFailedError as error:
        raise FatalError(
            f"another process writes the archive in {folder}: {_line(error)}",
            code="archive_written_by_another",
            remedy="let one process write it; nothing was lost or doubled",
        ) from error
    except (DeltaError, OSError) as error:
        raise FatalError(
            f"the archive in {folder} cannot be written or read: {_line(error)}",
            code="archive_disk_failed",
            remedy="see that the disk has room and is sound, then start again: it goes on where it was",
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def read_bus(folder: Path) -> Bus:
    """Whose archive a folder is.

    Raises:
        RequestError: `archive_absent`.
    """
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
    except OSError as error:
        raise RequestError(
            f"there is no archive in {folder}",
            code="archive_absent",
            remedy="start `creditbus run archive`, or set CREDITBUS_ARCHIVE_FOLDER",
        ) from error
    return Bus(about["prefix"], int(about["partitions"]), about["cluster"])


def demand(folder: Path, bus: Bus) -> None:
    """Write down in a new archive whose it is; of another, see that it is the same.

    Raises:
        FatalError: `archive_of_another_bus`, `archive_format`.
    """
    path = folder / ABOUT
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        ARCHIVE.demand(folder, bus, found)
        return
    written = path.with_suffix(".new")
    written.write_text(json.dumps(ARCHIVE.about(bus), indent=1), "utf-8")
    written.replace(path)
