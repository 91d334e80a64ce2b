"""The credit report: printed, sealed, and checked by code, by file and offline; any change is found."""

import json
import re
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from typer.testing import CliRunner

from consumers.portal.report.pdf import read_report
from deploy.cli.report import app
from exchange.errors import RequestError
from exchange.report_seal import ReportSeals, Seal
from exchange.settings import Settings
from exchange.signatures import SigningKeys, load_signing_keys
from tests.portal import TestPortal
from tests.unit.test_portal_query import FIRM, listed, standing_examples

SEALS = ReportSeals(load_signing_keys(Settings(), embedded=True), "credit")


@pytest.fixture(scope="module")
def portal() -> TestPortal:
    return TestPortal(standing_examples())


@pytest.fixture(scope="module")
def raw(portal: TestPortal) -> bytes:
    answer = portal.client.get(f"/subjects/{FIRM}/report.pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def test_the_report_says_what_the_public_may_see(raw: bytes) -> None:
    text = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(raw)).pages)
    for what in ("合成一号科技有限公司", "91440300PDY00001X3", "列入失信名单", "粤税失信〔2026〕3", "怎样核验"):
        assert what in text
    content, _ = read_report(raw)
    assert not re.search(r"甲某|person:|k1\.[0-9a-f]{32}", text + json.dumps(content, ensure_ascii=False))


def test_the_code_on_paper_is_enough(portal: TestPortal, raw: bytes) -> None:
    content, _ = read_report(raw)
    code = SEALS.code(content["subject"], content["issued_at"], content["overall"])
    page = portal.text(
        f"/verify?subject=91440300PDY00001X3&issued={content['issued_at']}&code={code.replace('-', '').lower()}"
    )
    assert "报告属实" in page
    assert "列入失信名单" in page
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    assert "未能核验" in portal.text(f"/verify?subject={FIRM}&issued={content['issued_at']}&code={wrong}")
    other_day = content["issued_at"].replace("2026", "2025")
    assert "未能核验" in portal.text(f"/verify?subject={FIRM}&issued={other_day}&code={code}")


def test_the_whole_file_is_checked(portal: TestPortal, raw: bytes) -> None:
    def upload(file: bytes) -> str:
        return portal.client.post("/verify", files={"report": ("r.pdf", file, "application/pdf")}).text

    assert "文件内容未被改动" in upload(raw)
    assert "not_a_report" in upload(b"%PDF-1.7 nothing")
    content, seal = read_report(raw)
    blank = pypdf.PdfWriter()
    blank.add_blank_page(100, 100)
    blank.add_attachment("report.json", json.dumps({**content, "overall": "plain"}).encode())
    blank.add_attachment("seal.json", json.dumps(seal._asdict()).encode())
    out = BytesIO()
    blank.write(out)
    assert "未能核验" in upload(out.getvalue())


def test_a_file_is_checked_offline_with_the_public_key(raw: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(raw)
    (public,) = SEALS.public().values()
    good = CliRunner().invoke(app, ["verify", str(file), "--key", public, "--json"])
    assert good.exit_code == 0
    assert json.loads(good.output)["report"]["subject"] == FIRM
    (stranger,) = ReportSeals(SigningKeys.parse(f"x:{'1' * 64}"), "credit").public().values()
    assert CliRunner().invoke(app, ["verify", str(file), "--key", stranger]).exit_code == 1


def test_keys_can_be_rotated_without_reports_losing_their_worth() -> None:
    old, new = "1" * 64, "2" * 64
    before = ReportSeals(SigningKeys.parse(f"k1:{old}"), "credit")
    after = ReportSeals(SigningKeys.parse(f"k2:{new},k1:{old}"), "credit")
    content = {"subject": FIRM, "overall": "listed"}
    assert after.is_sealed(content, before.seal(content))
    assert after.said(FIRM, "t", before.code(FIRM, "t", "listed"), ["plain", "listed"]) == "listed"
    assert not after.is_sealed(content | {"overall": "plain"}, before.seal(content))
    assert not after.is_sealed(content, Seal("k1", "no base64"))


def test_text_of_records_is_set_never_evaluated() -> None:
    portal = TestPortal(
        [*standing_examples(), listed('#panic("x") $x$ *a* #import "@preview/x:1.0.0"', circumstances="#read(1)")]
    )
    answer = portal.client.get(f"/subjects/{FIRM}/report.pdf")
    assert answer.status_code == 200
    text = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(answer.content)).pages)
    assert '#panic("x")' in text.replace("“", '"').replace("”", '"')


def test_there_is_no_report_of_a_person_and_none_of_nobody(portal: TestPortal) -> None:
    portal.text("/subjects/person:k1.a94e2b7f03c85d16e7f09b3c4d8a1520/report.pdf", status=403)
    portal.text("/subjects/org:N2441900PDY000044K/report.pdf", status=404)


def test_a_wrong_file_says_what_to_do() -> None:
    with pytest.raises(RequestError, match="credit report"):
        read_report(b"hello")
