"""Writes a file of notices, whole or not at all, with a digest of its rows so that the receiver can check it."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook

from consumers.notice_file.rows import HEADER
from exchange.errors import RequestError
from exchange.whole_file import write_whole

FORMATS = ("csv", "xlsx")
NOTE = "#"
"""The digest's line begins so; the importer passes it over."""
_BOM = "\ufeff"


class Written(NamedTuple):
    """What a file holds: its rows without the header, and the SHA-256 of header and rows as CSV."""

    rows: int
    digest: str


def write_notices(path: Path, rows: Iterable[Sequence[str]]) -> Written:
    """Write a file by way of a temporary one beside it; on disk when this returns.

    The digest is over the CSV text of header and rows (UTF-8 without mark, CRLF), in both formats.

    Args:
        path: `.csv` or `.xlsx`.
        rows: of `rows_of`.

    Raises:
        RequestError: `unknown_format`, `cannot_write`.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise RequestError(f"{path} is neither CSV nor XLSX", code="unknown_format", remedy="name it .csv or .xlsx")
    kept = [HEADER, *rows]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(kept)
    written = Written(len(kept) - 1, hashlib.sha256(text.getvalue().encode()).hexdigest())
    content = _csv(text, written) if kind == "csv" else _xlsx(kept, written)
    try:
        write_whole(path, content)
    except OSError as error:
        raise RequestError(
            f"{path} cannot be written: {error.strerror}", code="cannot_write", remedy="check the folder and its room"
        ) from error
    return written


def _csv(text: io.StringIO, written: Written) -> bytes:
    text.seek(0, io.SEEK_END)
    csv.writer(text).writerow((f"{NOTE}校验", "行数", written.rows, "SHA-256", written.digest))
    return (_BOM + text.getvalue()).encode()


def _xlsx(rows: Iterable[Sequence[str]], written: Written) -> bytes:
    workbook = Workbook(write_only=True)
    workbook.properties.created = workbook.properties.modified = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    sheet = workbook.create_sheet("通知")
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append(row)
    check = workbook.create_sheet("校验")
    check.append(("行数", written.rows))
    check.append(("SHA-256", written.digest))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()
