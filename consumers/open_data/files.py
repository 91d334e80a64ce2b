"""Files of a release: rows as CSV, JSON lines and Parquet at once, in pieces, whatever their number; and their checksums."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from consumers.notice_file.rows import guard
from exchange.json_form import to_json

PIECE = 5_000
"""Rows that are held in memory at once."""
CHECKSUMS = "SHA256SUMS"
_BOM = b"\xef\xbb\xbf"
"""Spreadsheets take a CSV file with it for UTF-8."""
_READ = 1 << 20

Row = Mapping[str, Any]


def write_rows(folder: Path, name: str, columns: pa.Schema, rows: Iterable[Row]) -> int:
    """Write `name.csv`, `name.ndjson` and `name.parquet`; how many rows.

    Args:
        folder: that is there.
        name: of the files, without their ending.
        columns: in order; what is null in all forms is empty in CSV.
        rows: by column.
    """
    count = 0
    with ExitStack() as files:
        text = files.enter_context((folder / f"{name}.csv").open("wb"))
        lines = files.enter_context((folder / f"{name}.ndjson").open("wb"))
        table = files.enter_context(pq.ParquetWriter(folder / f"{name}.parquet", columns, compression="zstd"))
        text.write(_BOM + _csv([columns.names]))
        for piece in pieces(rows):
            text.write(_csv([[_cell(row.get(one)) for one in columns.names] for row in piece]))
            lines.write(b"".join(msgspec.json.encode(to_json(row)) + b"\n" for row in piece))
            table.write_table(pa.Table.from_pylist([dict(row) for row in piece], schema=columns))
            count += len(piece)
    return count


def pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows, some at a time."""
    left = iter(rows)
    while piece := list(islice(left, PIECE)):
        yield piece


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    """A value as people read it in a cell; lists with semicolons between, an item of several parts with blanks."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return guard(
                "; ".join(" ".join(map(str, one.values())) if isinstance(one, Mapping) else str(one) for one in value)
            )
    return guard(str(to_json(value)))


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ):
            digest.update(piece)
    return digest.hexdigest()


def write_checksums(folder: Path) -> None:
    """Write down what is in the folder, as `sha256sum -c` reads it."""
    beside = folder / f".{CHECKSUMS}"
    names = sorted(path.name for path in folder.iterdir() if path.name not in (CHECKSUMS, beside.name))
    text = "".join(f"{checksum(folder / name)}  {name}\n" for name in names)
    beside.write_text(text, "utf-8")
    beside.replace(folder / CHECKSUMS)


def read_checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by file, of a release; empty where there is none."""
    try:
        text = (folder / CHECKSUMS).read_text("utf-8")
    except OSError:
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
