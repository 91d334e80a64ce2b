"""Checks in words, questions as they are read, decisions as feedback."""

import io
import zipfile
from datetime import date
from pathlib import Path

import msgspec
import openpyxl
import pytest

from consumers.portal.checks.answers import Checker, Fault, Wrong, read_rows
from consumers.portal.checks.decisions import (
    Decided,
    Decision,
    Owed,
    check_decision,
    feedback_of,
    needs_detail,
    state_of,
)
from consumers.portal.checks.question import HIDDEN, Question, digest_of, read_question, typed_subject
from consumers.portal.checks.reading import Found
from consumers.portal.checks.sheet import as_csv, as_xlsx, read_sheet, result_rows
from consumers.portal.checks.words import Names, explain
from exchange.domain.check import check
from exchange.domain.fold import fold_all
from exchange.domain.identity import parse_subject
from exchange.domain.judge import RuleBook
from exchange.domain.standing import EMPTY, Imposed
from exchange.domain.synthetic import synthetic_citizen_id
from exchange.errors import CreditbusError, RejectedError
from exchange.http.problems import RefusedError
from exchange.pseudonym import PersonKeys
from tests.portal import CATALOGUE, POLICY
from tests.worlds import FIRM, day, listing

NAMES = Names(POLICY, CATALOGUE)
BOOK = RuleBook(POLICY, day("2026-06-01"))
KEYS = PersonKeys.parse("t1:" + "07" * 32)
CODE = FIRM.removeprefix("org:")
PERSON_ID = synthetic_citizen_id(7)
LISTED = fold_all([listing("TAX", "粤税失信〔2026〕3号", grounds="1")])[1]


def read(text: str) -> str | None:
    return parse_subject(text)


class TestExplanations:
    def test_a_refusal_says_who_decided_what_on_which_basis_until_when(self) -> None:
        told = explain(check(LISTED, BOOK, "government_procurement"), NAMES, known=True)
        for part in (
            "不予办理",
            "粤税失信〔2026〕3号",
            "2026-01-01",
            "2029-01-01",
            "依据",
            CATALOGUE.name_of("gd.tax", BOOK.as_of),
        ):
            assert part in told.zh
        for part in ("Refuse", "粤税失信〔2026〕3号", "until 2029-01-01", CATALOGUE.departments["gd.tax"].name_en):
            assert part in told.en

    def test_clear_is_not_unknown(self) -> None:
        clear = explain(check(EMPTY, BOOK, "bidding"), NAMES, known=True)
        unknown = explain(check(EMPTY, BOOK, "bidding"), NAMES, known=False)
        assert POLICY.matters["bidding"].name_zh in clear.zh
        assert "核对代码" in unknown.zh

    def test_a_ground_has_measure_basis_listing_and_who_decided(self) -> None:
        (ground, *_) = Checker(BOOK, NAMES).answer(Found(FIRM, LISTED), "government_procurement", str).grounds
        assert (ground.department, ground.list, ground.decided_by, ground.until) == (
            "gd.fin",
            "TAX",
            "gd.tax",
            "2029-01-01",
        )
        assert ground.basis


class TestQuestions:
    def test_a_batch_keeps_its_order_and_its_faults(self) -> None:
        raw = msgspec.json.encode({"matter": "bidding", "subjects": [CODE, "91440300PDY00001X4", 5, FIRM]})
        question = read_question(raw, POLICY, read)
        assert question.is_batch
        assert question.subjects[0] == question.subjects[3] == FIRM
        wrong, typed = question.subjects[1], question.subjects[2]
        assert isinstance(wrong, Fault)
        assert isinstance(typed, Fault)
        assert (wrong.code, wrong.field, wrong.value) == ("uscc_check_digit", "subjects", "91440300PDY00001X4")
        assert typed.code == "wrong_type"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"[", "bad_body"), (b"{}", "bad_body"), (b'{"matter": "bidding"}', "bad_body"), (b'{"matter": "fun", "uscc": "x"}', "unknown_matter"),
            (b'{"matter": "bidding", "uscc": "x", "subject": "y"}', "bad_body"), (b'{"matter": "bidding", "subjects": []}', "too_many_subjects"),
            (msgspec.json.encode({"matter": "bidding", "subjects": ["x"] * 10_001}), "too_many_subjects"),
        ],
    )  # fmt: skip
    def test_what_is_no_question_is_refused(self, body: bytes, code: str) -> None:
        with pytest.raises(RefusedError) as refused:
            read_question(body, POLICY, read)
        assert refused.value.code == code

    def test_an_officer_types_any_code(self) -> None:
        assert typed_subject(f" {CODE.lower()} ", read) == FIRM
        assert typed_subject("pdy00001-x", read) == "orgcode:PDY00001X"
        assert typed_subject(FIRM, read) == FIRM

    @pytest.mark.parametrize("given", [PERSON_ID, PERSON_ID[:-1] + "1", f"org:{PERSON_ID}"])
    def test_a_citizen_id_is_never_repeated(self, given: str) -> None:
        with pytest.raises(RejectedError) as rejected:
            typed_subject(given, read)
        assert PERSON_ID[:12] not in repr(rejected.value.reasons)

    def test_another_question_has_another_digest(self) -> None:
        one = Question("bidding", (FIRM,), is_batch=False)
        assert digest_of(one) != digest_of(one._replace(matter="loan"))
        assert digest_of(one) == digest_of(Question("bidding", (FIRM,), is_batch=False))


class TestDecisions:
    @pytest.mark.parametrize(
        ("effect", "states"),
        [
            ("refuse", ["DECLINED", "DECLINED", "EXECUTED"]), ("review", ["EXECUTED", "EXECUTED", "EXECUTED"]),
            ("fast_track", ["EXECUTED", "EXECUTED", "NOT_APPLICABLE"]),
        ],
    )  # fmt: skip
    def test_what_a_decision_says_of_a_measure(self, effect: str, states: list[str]) -> None:
        assert [state_of(effect, one) for one in Decided] == states

    def test_who_grants_against_a_measure_says_why(self) -> None:
        assert needs_detail(["refuse"], Decided.GRANTED)
        assert needs_detail(["review"], Decided.GRANTED)
        assert needs_detail([], Decided.GRANTED_WITH_CONDITIONS)
        assert not needs_detail(["refuse"], Decided.REFUSED)
        assert not needs_detail(["fast_track"], Decided.GRANTED)

    def test_feedback_names_the_notice_and_the_check(self) -> None:
        decision = Decision(decision=Decided.REFUSED, document="粤财采〔2026〕40号", officer="财采处-07")
        owed = Owed("procurement_ban", "refuse", Imposed(0, 2, 7, 0))
        fields = feedback_of("c0ffee", FIRM, decision, owed, date(2026, 5, 22))
        assert (fields["epoch"], fields["n"], fields["state"], fields["executed_on"]) == (
            2,
            7,
            "EXECUTED",
            date(2026, 5, 22),
        )
        assert (fields["notice_id"], fields["document"]) == ("核查-c0ffee", "反馈-核查-c0ffee-procurement_ban")
        assert fields["evidence"] == "粤财采〔2026〕40号"

    def test_every_wrong_field_is_named(self) -> None:
        wrong = Decision(
            decision=Decided.GRANTED, document=" ", officer="", detail="x" * 1001, subject="91440300PDY00001X4"
        )
        with pytest.raises(RejectedError) as rejected:
            check_decision(wrong, read)
        assert [one.field for one in rejected.value.reasons] == ["document", "officer", "detail", "subject"]


class TestSheets:
    def test_codes_and_citizen_ids_are_found_by_their_heads(self) -> None:
        text = f"名称,统一社会信用代码,公民身份号码\n甲,{CODE},\n乙,,{PERSON_ID}\n丙,91440300PDY00001X4,\n丁,,\n"
        lines = read_sheet("a.csv", text.encode(), read, KEYS)
        assert [line.number for line in lines] == [2, 3, 4, 5]
        assert lines[0].subject == FIRM
        assert str(lines[1].subject).startswith("person:t1.")
        assert lines[1].shown == HIDDEN
        assert [one.subject.code for one in lines if isinstance(one.subject, Fault)] == [
            "uscc_check_digit",
            "missing_field",
        ]

    def test_a_file_without_a_header_has_codes_in_its_first_column(self) -> None:
        assert [line.subject for line in read_sheet("a.csv", f"{CODE}\n{CODE}\n".encode(), read, KEYS)] == [FIRM, FIRM]

    def test_xlsx(self) -> None:
        workbook, out = openpyxl.Workbook(), io.BytesIO()
        workbook.active.append(["USCC"])
        workbook.active.append([CODE])
        workbook.save(out)
        assert read_sheet("a.xlsx", out.getvalue(), read, KEYS)[0].subject == FIRM

    def test_a_bomb_is_not_unpacked(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for number in range(11):
                packed.writestr(f"xl/worksheets/sheet{number}.xml", b"0" * 10 * 2**20)
        assert len(out.getvalue()) < 2**20
        with pytest.raises(RefusedError) as refused:
            read_sheet("a.xlsx", out.getvalue(), read, KEYS)
        assert refused.value.code == "unpacks_too_large"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty_file"), ("名称\n甲\n".encode(), "no_code_column"), (b"uscc\n", "empty_file"), (b"PK\x03\x04junk", "bad_spreadsheet"),
            (b"uscc\n" + f"{CODE}\n".encode() * 10_001, "too_many_subjects"),
        ],
    )  # fmt: skip
    def test_what_is_no_list_of_subjects_is_refused(self, content: bytes, code: str) -> None:
        with pytest.raises(CreditbusError) as refused:
            read_sheet("a.csv", content, read, KEYS)
        assert refused.value.code == code

    def test_answers_as_files(self, tmp_path: Path) -> None:
        checker = Checker(BOOK, NAMES)
        wrong = Wrong(error=Fault(code="uscc_check_digit", field="代码", value="=1+1", rule="rule"))
        batch = checker.batch(
            "id", "bidding", [checker.answer(Found(FIRM, LISTED), "government_procurement", str), wrong]
        )
        lines, rows = ((2, CODE), (3, "=1+1")), read_rows(msgspec.json.encode(batch))
        text = as_csv(result_rows(rows, lines, NAMES, BOOK.as_of)).decode("utf-8-sig")
        assert "不予办理 refuse" in text
        assert "'=1+1,代码有误" in text
        path = tmp_path / "a.xlsx"
        path.write_bytes(as_xlsx(result_rows(rows, lines, NAMES, BOOK.as_of)))
        assert openpyxl.load_workbook(path).active.max_row == 1 + len(rows.results[0].grounds) + 1
