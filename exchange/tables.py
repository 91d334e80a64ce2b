"""Opens somebody's file, CSV or XLSX, as rows of cells with the line numbers that people see in it."""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from exchange.errors import Reason, RequestError

_CHUNK = 1 << 20
_SPREADSHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


Cell = str | int | float | bool | date | datetime | time | timedelta | None
"""What a CSV or XLSX cell can hold."""


class Row(NamedTuple):
    """One row that is not empty: the line it begins at (from 1, the header counts) and its cells.

    `broken` is set when the line cannot be split into cells.
    """

    line: int
    cells: tuple[Cell, ...]
    broken: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file that can be read several times.

    `encoding` is "" for spreadsheets; `digest` is the SHA-256 of the bytes; `lines` is about how many there are.
    """

    path: Path
    encoding: str
    delimiter: str
    sheet: str
    digest: str
    lines: int

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, in order."""
        return _sheet_rows(self.path, self.sheet) if not self.encoding else _csv_rows(self)


def open_table(path: Path, *, sheet: str = "") -> Table:
    """Find out how a file is written: spreadsheet or CSV, UTF-8 (with or without BOM), UTF-16 with BOM or GB18030, `,` `;` tab.

    Args:
        path: a `.csv`, `.txt`, `.tsv`, `.xlsx`, `.xls` or `.ods` file.
        sheet: of a spreadsheet; "" takes the first one that is visible and not empty.

    Raises:
        RequestError: the file is not there, empty, locked, of unknown encoding, or lacks the sheet.
    """
    if not path.is_file():
        raise RequestError(f"{path} is not a file", code="no_such_file", remedy="give the path of a CSV or XLSX file")
    digest, size, lines = hashlib.sha256(), 0, 0
    utf8, gb18030 = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("gb18030")()
    readable = {"utf-8": utf8, "gb18030": gb18030}
    head = b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            head = head or chunk
            digest.update(chunk)
            size += len(chunk)
            lines += chunk.count(b"\n")
            for name, decoder in list(readable.items()):
                if not _decodes(decoder, chunk, final=False):
                    del readable[name]
    if not size:
        raise RequestError(f"{path} is empty", code="empty_file", remedy="check the export that made it")
    encoding = ""
    if path.suffix.lower() in _SPREADSHEETS or head.startswith(b"PK\x03\x04"):
        sheet = _choose_sheet(path, sheet)
    else:
        encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "") or next(
            (name for name, decoder in readable.items() if _decodes(decoder, b"", final=True)), ""
        )
        if not encoding:
            raise RequestError(
                f"{path} is neither UTF-8 nor GB18030 text", code="unknown_encoding", remedy="save it as CSV UTF-8"
            )
    return Table(
        path=path,
        encoding=encoding,
        delimiter=_find_delimiter(path, encoding) if encoding else "",
        sheet=sheet,
        digest=digest.hexdigest(),
        lines=lines if encoding else _open_workbook(path).get_sheet_by_name(sheet).total_height,
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _find_delimiter(path: Path, encoding: str) -> str:
    """The separator that the fullest of the first lines has most of."""
    with path.open(encoding=encoding, newline="") as stream:
        lines = [stream.readline(100_000) for _ in range(10)]
    return max(",\t;|", key=lambda mark: max(line.count(mark) for line in lines))


def _csv_rows(table: Table) -> Iterator[Row]:
    with table.path.open(encoding=table.encoding, newline="") as stream:
        reader = csv.reader(stream, delimiter=table.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                rule = f"the line cannot be split into cells ({error}); check its quotes"
                yield Row(line, (), Reason(code="bad_csv", rule=rule))
                continue
            if any(cell.strip() for cell in cells):
                yield Row(line, tuple(cells))


def _open_workbook(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
    except PasswordError as exc:
        raise RequestError(
            f"{path} is locked with a password", code="locked_file", remedy="save it without one"
        ) from exc
    except CalamineError as exc:
        raise RequestError(
            f"{path} is not a readable spreadsheet: {exc}",
            code="bad_spreadsheet",
            remedy="save it again as .xlsx or CSV",
        ) from exc


def _choose_sheet(path: Path, wanted: str) -> str:
    workbook = _open_workbook(path)
    if wanted:
        if wanted in workbook.sheet_names:
            return wanted
        raise RequestError(
            f"{path} has no sheet {wanted!r}", code="no_such_sheet", remedy=f"it has {', '.join(workbook.sheet_names)}"
        )
    for meta in workbook.sheets_metadata:
        shown = meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
        if shown and workbook.get_sheet_by_name(meta.name).height:
            return meta.name
    raise RequestError(f"{path} has no sheet with rows", code="empty_file", remedy="check the export that made it")


def _sheet_rows(path: Path, name: str) -> Iterator[Row]:
    sheet = _open_workbook(path).get_sheet_by_name(name)
    for line, cells in enumerate(sheet.iter_rows(), 1):
        if any(cell != "" for cell in cells):
            yield Row(line, tuple(cells))
