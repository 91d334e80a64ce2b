"""A file of subjects to be checked, CSV or XLSX: its rows as subjects; and the answers as a file that can be downloaded."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook

from consumers.portal.checks.answers import Fault, Rows
from consumers.portal.checks.question import HIDDEN, SUBJECTS, Read, subject_or_fault
from consumers.portal.checks.words import VERDICTS, Names
from exchange.domain.check import Answer
from exchange.domain.codes import IdentityError, looks_like_citizen_id, normalise_code
from exchange.http.problems import RefusedError
from exchange.pseudonym import PersonKeys, person_subject
from exchange.tables import Row, open_table

FILE_BYTES = 5 * 2**20
_UNPACKED_BYTES = 100 * 2**20
_CHUNK = 2**20
CODE_HEADS = frozenset({"统一社会信用代码", "社会信用代码", "信用代码", "主体代码", "代码", "uscc", "subject", "code"})
PERSON_HEADS = frozenset({"公民身份号码", "身份证号", "身份证号码", "citizen_id"})
HEADER = (
    "行号 line", "代码 code", "结论 answer", "说明 explanation", "措施 measure", "名单 list", "认定部门 decided by", "文书号 document",
    "至 until", "依据 basis", "备忘录 memorandum", "数据截至 data as of", "主体 subject",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line(NamedTuple):
    """A row of the file: its line, what it says as it may be shown again, and its subject or what is wrong."""

    number: int
    shown: str
    subject: str | Fault


def read_sheet(name: str, content: bytes, read: Read, keys: PersonKeys) -> list[Line]:
    """The subjects of a file, in order; a citizen ID becomes a pseudonym here and goes no further.

    Args:
        name: of the file, for its kind.
        content: its bytes.
        read: what subject a text names for the visitor.
        keys: of pseudonyms.

    Raises:
        RequestError: the file cannot be read.
        RefusedError: 422 `no_code_column`; 413 `too_many_subjects`, `unpacks_too_large`.
    """
    suffix = Path(name).suffix.lower()[:8]
    with tempfile.TemporaryDirectory(prefix="creditbus-") as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(content)
        _refuse_bombs(path)
        lines = []
        columns: tuple[int, int] | None = None
        for row in open_table(path).rows():
            if columns is None:
                columns = _columns(row)
                if columns != (-1, -1):
                    continue
                columns = (0, -1)  # a file without a header: its first column has the codes
                if isinstance(_line(row, columns, read, keys).subject, Fault):
                    raise RefusedError(
                        422, "文件没有代码列 the file has no column of codes", code="no_code_column",
                        remedy=f"表头须有 a header with one of {'、'.join(sorted(CODE_HEADS | PERSON_HEADS))}",
                    )  # fmt: skip
            lines.append(_line(row, columns, read, keys))
            if len(lines) > SUBJECTS:
                raise RefusedError(
                    413, f"文件超过 {SUBJECTS} 行 more than {SUBJECTS} rows", code="too_many_subjects", remedy="分批核查 send it in parts"
                )  # fmt: skip
    if not lines:
        raise RefusedError(422, "文件没有数据 no rows", code="empty_file", remedy="check the export that made it")
    return lines


def persons_looked_up(lines: Sequence[Line]) -> list[str]:
    """The persons that a file names by citizen ID, each once; who is named by a pseudonym was known before."""
    return list(dict.fromkeys(one.subject for one in lines if one.shown == HIDDEN and isinstance(one.subject, str)))


def _columns(row: Row) -> tuple[int, int]:
    """Positions of the codes and of citizen IDs in a header; -1 where it has none."""
    heads = [str(cell).strip().lower() for cell in row.cells]
    code = next((at for at, head in enumerate(heads) if head in CODE_HEADS), -1)
    return code, next((at for at, head in enumerate(heads) if head in PERSON_HEADS), -1)


def _line(row: Row, columns: tuple[int, int], read: Read, keys: PersonKeys) -> Line:
    if row.broken is not None:
        broken = row.broken
        return Line(row.line, "", Fault(code=broken.code, field=broken.field, value="", rule=broken.rule))
    code, citizen_id = (_text(row, at) for at in columns)
    if citizen_id:
        try:
            return Line(row.line, HIDDEN, person_subject(citizen_id, keys))
        except IdentityError as error:
            return Line(row.line, HIDDEN, Fault(code=error.code, field="公民身份号码", value=HIDDEN, rule=error.rule))
    if not code:
        return Line(row.line, "", Fault(code="missing_field", field="代码", value="", rule="不能为空 not empty"))
    shown = HIDDEN if looks_like_citizen_id(normalise_code(code)) else code[:64]
    return Line(row.line, shown, subject_or_fault(code, "代码", read))


def _text(row: Row, at: int) -> str:
    return str(row.cells[at]).strip() if 0 <= at < len(row.cells) else ""


def _refuse_bombs(path: Path) -> None:
    """Unpack a spreadsheet once without keeping it, so that a small file cannot become a huge one; its own word is not taken."""
    if not zipfile.is_zipfile(path):
        return
    total = 0
    try:
        with zipfile.ZipFile(path) as packed:
            for one in packed.infolist():
                with packed.open(one) as stream:
                    while chunk := stream.read(_CHUNK):
                        total += len(chunk)
                        if total > _UNPACKED_BYTES:
                            raise RefusedError(
                                413, f"文件解压后过大 it unpacks to more than {_UNPACKED_BYTES} bytes", code="unpacks_too_large",
                                remedy="另存为 CSV save it as CSV",
                            )  # fmt: skip
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise RefusedError(
            422, f"表格无法读取 not a readable spreadsheet: {type(error).__name__}", code="bad_spreadsheet", remedy="save it again as .xlsx or CSV"
        ) from error  # fmt: skip


def result_rows(rows: Rows, lines: Sequence[tuple[int, str]], names: Names, day: int) -> Iterator[tuple[str, ...]]:
    """The answers as rows below `HEADER`: one for each ground, or one where there is none.

    Args:
        rows: answers in the file's order.
        lines: line number and code as shown, in the same order.
        names: of departments.
        day: of the answers.
    """
    for (line, code), one in zip(lines, rows.results, strict=True):
        if one.error is not None:
            yield (str(line), code, "代码有误 wrong", f"{one.error.code}: {one.error.rule}", *[""] * 9)
            continue
        title = VERDICTS[Answer(one.answer)][1].zh
        for ground in one.grounds or (None,):
            because = ("",) * 7
            if ground is not None:
                because = (
                    ground.name_zh, ground.list_name_zh, names.department(ground.decided_by, day).zh, ground.document,
                    ground.until or "", ground.basis, f"{ground.memorandum}{ground.article}",
                )  # fmt: skip
            is_first = ground is None or ground is one.grounds[0]
            told = one.explanation.zh if one.explanation is not None and is_first else ""
            yield (str(line), code, f"{title} {one.answer}", told, *because, one.data_as_of or "", one.subject)


def as_csv(rows: Iterator[tuple[str, ...]]) -> bytes:
    """A CSV file that spreadsheets open as UTF-8; no cell can be taken for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(tuple(map(plain_cell, row)) for row in rows)
    return ("\ufeff" + text.getvalue()).encode()


def as_xlsx(rows: Iterator[tuple[str, ...]]) -> bytes:
    """An XLSX file."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("核查结果")
    sheet.freeze_panes = "A2"
    sheet.append(HEADER)
    for row in rows:
        sheet.append(tuple(map(plain_cell, row)))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def plain_cell(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
