"""Writes the sample tables: CSV in UTF-8 or GB18030, XLSX byte for byte the same each time."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

Rows = Iterable[Sequence[object]]

_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the first that ZIP knows


def write_csv(path: Path, rows: Rows, encoding: str) -> None:
    """Write rows as spreadsheets export them: CRLF line ends; a row that is a text alone goes out as it is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        if isinstance(row, str):
            text.write(row + "\r\n")
        else:
            writer.writerow(row)
    path.write_bytes(text.getvalue().encode(encoding))


def write_xlsx(path: Path, title: str, rows: Rows) -> None:
    """Write rows as one sheet; the times that a workbook and its ZIP carry are set to a fixed one."""
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(list(row))
    made = io.BytesIO()
    workbook.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(name, _FIRST_DATE), content, zipfile.ZIP_DEFLATED)
