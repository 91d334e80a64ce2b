"""A release: a folder for a day, made beside and then put in its place whole; older ones keep their figures and give up their rows.

If it dies before the folder is renamed, the next run begins anew and removes what was left. What was repaired, withdrawn or has ended
since must not stay for download, so only the newest release has rows: they are taken out of the older ones, their lists of files
first, so that nobody is led to a file that is gone.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from consumers.disclosure.dcat import CONTEXT
from consumers.open_data.describe import DCAT, PACKAGE, Told, as_dcat, data_package
from consumers.open_data.files import CHECKSUMS, read_checksums, write_checksums, write_rows
from exchange.errors import FatalError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ASIDE = ".old"
FIGURE = "figure-"
"""Begins the names of figures' files."""


class Rows(NamedTuple):
    """A table of rows: what it is called, its columns, and how to read it."""

    name: str
    zh: str
    en: str
    columns: pa.Schema
    read: Callable[[], Iterable[Mapping[str, Any]]]


class Figure(NamedTuple):
    """A figure: what it is called, and what it says in JSON's terms."""

    name: str
    zh: str
    en: str
    content: Mapping[str, Any]


class Released(NamedTuple):
    """What was released: where, rows by table, and whether it is another than before."""

    folder: Path
    rows: dict[str, int]
    is_new: bool


def release(
    folder: Path, day: date, tables: Iterable[Rows], figures: Iterable[Figure], on_step: Callable[[str], None] = lambda _: None
) -> Released:  # fmt: skip
    """Make a day's release; the same content again changes nothing.

    Args:
        folder: of all releases, made if need be.
        day: of the release.
        tables: that it has; none for a day that has passed.
        figures: likewise.
        on_step: told `write`, `swap`, `aside`, `swapped`, `prune` and `pruned`; fault tests end the process there.

    Raises:
        FatalError: `release_failed`: the disk is full, or the folder cannot be written.
    """
    try:
        return _release(folder, day, tables, figures, on_step)
    except OSError as error:
        raise FatalError(
            f"the release in {folder} cannot be written: {error.strerror or error}", code="release_failed",
            remedy="see to its disk and rights, and run it again; the releases before are as they were",
        ) from error  # fmt: skip


def _release(
    folder: Path, day: date, tables: Iterable[Rows], figures: Iterable[Figure], on_step: Callable[[str], None]
) -> Released:
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    made = folder / f".{day}.new"
    made.mkdir()
    on_step("write")
    told = []
    for table in tables:
        count = write_rows(made, table.name, table.columns, table.read())
        told.append(Told(table.name, table.zh, table.en, count, table.columns))
    for figure in figures:
        (made / f"{FIGURE}{figure.name}.json").write_text(_json(figure.content), "utf-8")
        told.append(Told(f"{FIGURE}{figure.name}", figure.zh, figure.en, len(figure.content["rows"]), None))
    _describe(made, told, day)
    rows = {one.name: one.rows for one in told if one.columns is not None}
    place = folder / day.isoformat()
    is_new = read_checksums(made) != read_checksums(place)
    on_step("swap")
    if is_new:
        _sync(made)
        if place.exists():
            place.rename(folder / f".{day}{_ASIDE}")
        on_step("aside")
        made.rename(place)
        on_step("swapped")
    _clear(folder)
    for older in days_of(folder)[1:]:
        on_step("prune")
        _prune(folder / older)
        on_step("pruned")
    return Released(place, rows, is_new)


def _clear(folder: Path) -> None:
    """Remove what a run left that died; a release that it had put aside and not replaced comes back."""
    for left in folder.glob(".*"):
        place = folder / left.name[1:].removesuffix(_ASIDE)
        if left.name.endswith(_ASIDE) and not place.exists():
            left.rename(place)
        else:
            shutil.rmtree(left)


def days_of(folder: Path) -> list[str]:
    """The days of which there are releases, the newest first."""
    with suppress(FileNotFoundError):
        return sorted((one.name for one in folder.iterdir() if _DAY.fullmatch(one.name)), reverse=True)
    return []


def _describe(folder: Path, told: list[Told], day: date) -> None:
    package = data_package(folder, told, day)
    (folder / PACKAGE).write_text(_json(package), "utf-8")
    (folder / DCAT).write_text(_json(as_dcat(package, told, day, CONTEXT)), "utf-8")
    write_checksums(folder)


def _prune(folder: Path) -> None:
    """Take the rows out of an older release: out of its descriptions first, then the files."""
    package = json.loads((folder / PACKAGE).read_text("utf-8"))
    kept = [one for one in package["resources"] if one["name"].startswith(FIGURE)]
    if len(kept) != len(package["resources"]):
        told = [
            Told(one["name"].rpartition("-")[0], one["titles"]["zh-CN"], one["titles"]["en"], one["rows"], None)
            for one in kept
        ]
        package |= {"resources": kept}
        day = date.fromisoformat(folder.name)
        listed = {name: digest for name, digest in read_checksums(folder).items() if name.startswith(FIGURE)}
        _replace(folder / CHECKSUMS, "".join(f"{digest}  {name}\n" for name, digest in listed.items()))
        _replace(folder / PACKAGE, _json(package))
        _replace(folder / DCAT, _json(as_dcat(package, told, day, CONTEXT)))
    listed = read_checksums(folder)
    for path in folder.iterdir():
        if path.name not in listed and path.name not in (CHECKSUMS, PACKAGE, DCAT):
            path.unlink()
    if not {PACKAGE, DCAT} <= listed.keys():
        write_checksums(folder)


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _sync(folder: Path) -> None:
    """Let the disk have it, before it takes its place."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
