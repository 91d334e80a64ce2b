"""The file of notices: written, filled in and read back it is the same feedback; its digest holds; no cell is a formula."""

import csv
import hashlib
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from consumers.notice_file.rows import GIVEN, HEADER, rows_of
from consumers.notice_file.write import write_notices
from exchange.answers import feedback_document
from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.pseudonym import person_subject
from exchange.settings import Settings
from producers.importer.convert import Converted, Converter
from producers.importer.job import open_job
from producers.importer.run import check_rows
from producers.prepare import Preparer
from tests.pulling import FIN, firm, notice

CODEC = Codec.from_files(SCHEMAS)
CATALOGUE = load_catalogue(SCHEMAS)
NAMES = {"procurement_ban": "限制参加政府采购", "fund_limit": "限制资金支持"}
WORDS = {
    "已签收": "ACKNOWLEDGED",
    "已执行": "EXECUTED",
    "不予执行": "DECLINED",
    "不适用": "NOT_APPLICABLE",
    "已解除": "ENDED",
}
TEXT = st.text("合成材料已办理=+-@,;\"'ab1", min_size=1, max_size=12).map(str.strip).filter(
    lambda text: text.lstrip("'=+-@,;\"") and text not in ("a", "无") and not text.startswith("'")
)  # fmt: skip


def whole(**changes: Any) -> dict[str, Any]:
    """A notice as it is decoded."""
    one = notice(1, 2, "procurement_ban", "fund_limit", **changes)
    return CODEC.decode(CODEC.encode("notice", one))[1]


def read_back(path: Path, started_at: int = 1_800_000_000) -> list[Converted]:
    job = open_job(Settings(), path, FIN, embedded=True)
    assert job.header.layout.name == "feedback"
    converter = Converter(
        job.header, Preparer(FIN, CODEC, CATALOGUE), lambda code: person_subject(code, job.parts.keys), started_at=started_at
    )  # fmt: skip
    return list(check_rows(job.table, job.header, converter))


def fill(path: Path, filled: dict[int, dict[str, str]]) -> None:
    """Fill cells of a CSV in, as a clerk does."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    for number, cells in filled.items():
        for title, value in cells.items():
            rows[number][HEADER.index(title)] = value
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    word=st.sampled_from(sorted(WORDS)), detail=TEXT, officer=st.just("财采处-07"),
    amount=st.none() | st.decimals(0, 10**9, places=2), day=st.none() | st.dates(date(2020, 1, 1), date(2026, 5, 22)),
)  # fmt: skip
def test_a_file_filled_in_comes_back_as_the_same_feedback(
    tmp_path: Path, word: str, detail: str, officer: str, amount: Decimal | None, day: date | None
) -> None:
    path = tmp_path / "notices.csv"
    write_notices(path, rows_of([whole()], NAMES))
    cells = {"执行状态": word, "执行情况": detail, "经办人": officer}
    cells |= {"涉及金额(元)": str(amount)} if amount is not None else {}
    cells |= {"执行日期": f"{day:%Y/%m/%d}"} if day else {}
    fill(path, {1: cells})
    first, second = read_back(path)
    assert (first.findings, second.skipped, second.records) == ((), True, ())
    _, record = CODEC.decode(first.records[0].raw)
    assert {name: record[name] for name in ("subject", "notice_id", "measure", "epoch", "n", "state", "detail", "officer")} == {
        "subject": firm(1), "notice_id": whole()["id"], "measure": "procurement_ban", "epoch": 0, "n": 2, "state": WORDS[word],
        "detail": detail, "officer": officer,
    }  # fmt: skip
    assert (record["amount_yuan"], record["executed_on"]) == (amount, day)
    assert (record["document"], record["revision"]) == (
        feedback_document(whole()["id"], "procurement_ban"),
        1_800_000_000,
    )


def test_a_refusal_without_its_reason_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "notices.csv"
    write_notices(path, rows_of([whole()], NAMES))
    fill(path, {1: {"执行状态": "不予执行"}, 2: {"执行状态": "办了", "执行日期": "明天"}})
    first, second = read_back(path)
    assert [(one.line, one.column, one.code) for one in first.findings] == [(2, "ZXQK", "legal_reason_missing")]
    assert {(one.line, one.column, one.code) for one in second.findings} == {
        (3, "ZXZT", "unknown_value"), (3, "ZXRQ", "bad_date"),
    }  # fmt: skip


def test_english_states_and_a_given_revision_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"通知编号,信用主体,措施代码,执行状态,修订号,反馈编号\nn1,{firm(1)},m,EXECUTED,5,反馈1\n", "utf-8")
    (row,) = read_back(path)
    record = CODEC.decode(row.records[0].raw)[1]
    assert (record["state"], record["revision"], record["document"]) == ("EXECUTED", 5, "反馈1")


def test_what_is_lifted_has_its_rows(tmp_path: Path) -> None:
    lifted = [{"measure": code, "respond_by": date(2026, 6, 1), "respond_by_provisional": True} for code in ("b", "c")]
    one = whole(
        changes=[{"measure": "b", "action": "LIFTED"}, {"measure": "fund_limit", "action": "CHANGED"}], lifted=lifted
    )
    found = [
        (row[GIVEN.index("变化")], row[GIVEN.index("措施代码")], row[GIVEN.index("反馈期限")])
        for row in rows_of([one], NAMES)
    ]
    assert found == [
        ("维持", "procurement_ban", "2026-05-27"), ("变更", "fund_limit", "2026-05-27"), ("解除", "b", "2026-06-01（暂定）"),
        ("待确认解除", "c", "2026-06-01（暂定）"),
    ]  # fmt: skip


@given(st.text(max_size=20))
def test_no_cell_is_a_formula(text: str) -> None:
    one = whole() | {"subject_name": text, "issued_at": datetime(2026, 5, 20, tzinfo=UTC)}
    for row in rows_of([one], NAMES):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def test_the_digest_is_that_of_the_rows_in_both_formats(tmp_path: Path) -> None:
    rows = list(rows_of([whole(), whole(subject_name="=HYPERLINK(1)")], NAMES))
    in_csv = write_notices(tmp_path / "n.csv", rows)
    in_xlsx = write_notices(tmp_path / "n.xlsx", rows)
    assert in_csv == in_xlsx
    raw = (tmp_path / "n.csv").read_bytes()
    body = b"".join(raw.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)[:-1])
    assert hashlib.sha256(body).hexdigest() == in_csv.digest
    assert raw.decode().splitlines()[-1] == f"#校验,行数,4,SHA-256,{in_csv.digest}"
    workbook = load_workbook(tmp_path / "n.xlsx", read_only=True)
    values = [[cell or "" for cell in row] for row in workbook["通知"].iter_rows(values_only=True)]
    assert values == [list(row) for row in csv.reader(io.StringIO(body.decode(), newline=""))]
    assert [tuple(row) for row in workbook["校验"].iter_rows(values_only=True)] == [
        ("行数", 4),
        ("SHA-256", in_csv.digest),
    ]
    workbook.close()
    assert [row.skipped for row in read_back(tmp_path / "n.xlsx")] == [True] * 4


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    write_notices(path, [])
    before = path.read_bytes()
    assert write_notices(path, []).rows == 0
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path], "no temporary file stays"
    with pytest.raises(RequestError, match="neither CSV nor XLSX"):
        write_notices(tmp_path / "n.txt", [])
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RequestError, match="cannot be written"):
        write_notices(tmp_path / "folder.csv", [])
