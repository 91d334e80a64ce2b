"""Looks at an uploaded file before anything opens it: its size, and for XLSX what it would unpack to. Bombs are refused unopened."""

import re
import zipfile
import zlib
from pathlib import Path

from exchange.errors import RequestError

_CHUNK = 1 << 20
_TAIL = 256
_PLACES = re.compile(rb"""<(?:\w+:)?(?:c|row)\b[^>]*?\br=["']([A-Za-z]{0,4})(\d{1,9})["']""")
"""Where cells and rows say that they are; a reader makes room for the whole rectangle of them."""
_CELLS = 20_000_000
ZIP = b"PK\x03\x04"


def check_upload(path: Path, name: str, *, most_bytes: int, most_unpacked: int) -> None:
    """Refuse what is too large, or is no CSV or XLSX.

    Args:
        path: where the file lies.
        name: that it came under.
        most_bytes: of the file.
        most_unpacked: bytes of all that is in an XLSX, unpacked.

    Raises:
        RequestError: `file_too_large`, `bad_spreadsheet`, `wrong_file_type`, `empty_file`.
    """
    size = path.stat().st_size
    if not size:
        raise RequestError("文件为空 the file is empty", code="empty_file", remedy="check the export that made it")
    if size > most_bytes:
        raise too_large(most_bytes)
    with path.open("rb") as stream:
        head = stream.read(len(ZIP))
    suffix = Path(name).suffix.lower()
    if head == ZIP:
        _check_workbook(path, most_unpacked)
    elif suffix not in (".csv", ".txt", ".tsv"):
        raise RequestError(
            f"只接受 CSV 和 XLSX，不接受 {suffix[:8]} only CSV and XLSX are taken", code="wrong_file_type",
            remedy="save it as .xlsx or CSV UTF-8",
        )  # fmt: skip


def too_large(most_bytes: int) -> RequestError:
    """The error of a file that is too large."""
    return RequestError(
        f"文件超过 {most_bytes / 1e6:g} MB the file is too large", code="file_too_large",
        remedy="send it in parts, or by creditbus publish",
    )  # fmt: skip


def _check_workbook(path: Path, most_unpacked: int) -> None:
    """All that is in the archive is unpacked once, piece by piece, and counted: what its directory says may be a lie."""
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if not any(one.filename == "xl/workbook.xml" for one in members):
                raise RequestError(
                    "不是 XLSX the archive is no XLSX", code="bad_spreadsheet", remedy="save it as .xlsx or CSV"
                )
            for one in members:
                tail, rows, columns = b"", 1, 1
                with archive.open(one) as stream:
                    while chunk := stream.read(_CHUNK):
                        unpacked += len(chunk)
                        if unpacked > most_unpacked:
                            raise RequestError(
                                f"解压后超过 {most_unpacked / 1e6:g} MB the workbook unpacks to more",
                                code="file_too_large", remedy="send it in parts, or as CSV",
                            )  # fmt: skip
                        for letters, digits in _PLACES.findall(tail + chunk):
                            rows, columns = max(rows, int(digits)), max(columns, _column(letters))
                        tail = chunk[-_TAIL:]
                if rows * columns > _CELLS:
                    raise RequestError(
                        f"工作表跨度过大：{rows} 行 {columns} 列 a sheet spans {rows} rows and {columns} columns",
                        code="file_too_large", remedy="delete stray cells far outside the table, or save it as CSV",
                    )  # fmt: skip
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise RequestError(
            f"XLSX 已损坏 the workbook is damaged: {error}", code="bad_spreadsheet", remedy="save it again"
        ) from error


def _column(letters: bytes) -> int:
    """The number of a column: A is 1.

    >>> _column(b"AA")
    27
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return max(number, 1)
