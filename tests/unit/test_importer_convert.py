"""Rows become records: who they are about, what they say, what is wrong with them, and what never leaves the department."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_citizen_id, synthetic_organisation_code, synthetic_uscc
from exchange.errors import Reason
from exchange.paths import SCHEMAS
from exchange.pseudonym import PersonKeys, person_subject
from exchange.tables import Row
from producers.importer.convert import Converted, Converter
from producers.importer.layouts import find_header, load_layouts
from producers.prepare import Preparer

KEYS = PersonKeys.parse("t1:" + "07" * 32)
CODEC = Codec.from_files(SCHEMAS)
CATALOGUE = load_catalogue(SCHEMAS)
LAYOUTS = load_layouts()
USCC = synthetic_uscc(1)
CITIZEN = synthetic_citizen_id(7)
PENALTY = {
    "CF_XDR_MC": "合成第00001号有限公司", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": USCC, "CF_WSH": "粤罚〔2026〕1号",
    "CF_CFLB": "警告;罚款", "CF_NR": "罚款2000元", "CF_NR_FK": "0.2", "CF_JDRQ": "2026/03/05",
}  # fmt: skip


class File:
    """A file of one layout, a row at a time."""

    def __init__(self, department: str, titles: Sequence[str], layout: str = "", revision_from: str = "") -> None:
        self._titles = list(titles)
        header = find_header(LAYOUTS, [(1, self._titles)], layout)
        self._line = 1
        self._converter = Converter(
            header,
            Preparer(department, CODEC, CATALOGUE),
            lambda citizen_id: person_subject(citizen_id, KEYS),
            revision_from=header.find(revision_from) if revision_from else "",
        )

    def row(self, **cells: Any) -> Converted:
        self._line += 1
        return self._converter.convert(Row(self._line, tuple(cells.get(title) for title in self._titles)))


def penalty(**changes: Any) -> Converted:
    cells = PENALTY | changes
    return File("gd.em", list(cells), "penalty-2018").row(**cells)


def records(converted: Converted) -> list[dict[str, Any]]:
    assert not converted.bad, converted.findings
    return [CODEC.decode(record.raw)[1] | {"type": record.record_type} for record in converted.records]


def found(converted: Converted) -> list[tuple[str, str, str]]:
    return [(finding.column, finding.code, finding.verdict) for finding in converted.findings]


def test_a_penalty_of_2018() -> None:
    (record,) = records(
        penalty(CF_FRDB="合成代表", CF_GSJZQ="2029-03-05", BZ="无", CF_XDR_ZZJG=synthetic_organisation_code(1))
    )
    assert record["subject"] == f"org:{USCC}"
    assert record["subject_name"] == "合成第00001号有限公司"
    assert record["department"] == "gd.em"
    assert record["division"] == "440300"
    assert record["decided_on"] == date(2026, 3, 5)
    assert record["fine_yuan"] == Decimal(2000)
    assert record["categories"] == ["警告", "罚款"]
    assert record["publicity_until"] == date(2029, 3, 5)
    assert (record["severity"], record["simple_procedure"]) == ("GENERAL", False)
    assert record["subject_category"] == "ORGANISATION"
    assert record["aliases"] == [{"kind": "ORGANISATION_CODE", "code": synthetic_organisation_code(1)}]
    assert (record["revision"], record["remark"], record["legal_representative_name"]) == (1, "", "合成代表")


def test_the_key_is_the_subject() -> None:
    assert [record.key for record in penalty().records] == [f"org:{USCC}".encode()]


def test_a_natural_person_is_a_pseudonym_and_nothing_else_of_him_leaves() -> None:
    converted = penalty(
        CF_XDR_MC="某自然人", CF_XDR_LB="自然人", CF_XDR_SHXYM="null", CF_XDR_ZJLX="身份证", CF_XDR_ZJHM=CITIZEN,
        CF_SY=f"某自然人（{CITIZEN}）承认", CF_FRDB="某自然人",
    )  # fmt: skip
    (record,) = records(converted)
    assert record["subject"] == person_subject(CITIZEN, KEYS)
    assert record["subject_name"] == ""
    assert record["facts"] == "[当事人]（[公民身份号码]）承认"
    raw = converted.records[0].raw
    assert CITIZEN.encode() not in raw
    assert "某自然人".encode() not in raw


def test_the_id_of_a_legal_representative_becomes_a_pseudonym_and_a_wrong_one_is_left_out() -> None:
    (record,) = records(penalty(CF_FR_ZJHM=CITIZEN))
    assert record["legal_representative"] == person_subject(CITIZEN, KEYS)
    converted = penalty(CF_FR_ZJHM="440000190001010018")
    assert records(converted)[0]["legal_representative"] == ""
    assert found(converted) == [("CF_FR_ZJHM", "citizen_id_check_digit", "warning")]


@pytest.mark.parametrize("filler", ["00000000000000000X", "null", "暂无", "", "0"])
def test_without_a_uscc_an_older_code_names_the_subject(filler: str) -> None:
    (record,) = records(penalty(CF_XDR_SHXYM=filler, CF_XDR_GSZC="449999000000008"))
    assert (record["subject"], record["aliases"], record["division"]) == ("reg:449999000000008", [], "")


def test_of_several_older_codes_the_first_is_the_subject_the_others_aliases() -> None:
    code = synthetic_organisation_code(2)
    (record,) = records(penalty(CF_XDR_SHXYM="", CF_XDR_GSZC="449999000000008", CF_XDR_ZZJG=code))
    assert record["subject"] == "reg:449999000000008"
    assert record["aliases"] == [{"kind": "ORGANISATION_CODE", "code": code}]


def test_an_older_code_that_repeats_the_uscc_is_no_alias() -> None:
    (record,) = records(penalty(CF_XDR_GSZC=USCC, CF_XDR_SWDJ=USCC))
    assert record["aliases"] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CF_XDR_SHXYM": "91440300PDY00001X4"}, ("CF_XDR_SHXYM", "uscc_check_digit", "bad")),
        ({"CF_XDR_SHXYM": "9.14403E+17"}, ("CF_XDR_SHXYM", "code_as_number", "bad")),
        ({"CF_XDR_SHXYM": ""}, ("CF_XDR_SHXYM", "no_identifier", "bad")),
        ({"CF_XDR_GSZC": "449999000000009"}, ("CF_XDR_GSZC", "registration_number_check_digit", "warning")),
        ({"CF_XDR_ZZJG": synthetic_organisation_code(2)}, ("CF_XDR_ZZJG", "code_contradiction", "warning")),
        ({"CF_XDR_LB": "外星人"}, ("CF_XDR_LB", "unknown_value", "bad")),
        ({"CF_WSH": " "}, ("CF_WSH", "missing_value", "bad")),
        ({"CF_CFLB": "暂无"}, ("CF_CFLB", "missing_value", "bad")),
        ({"CF_JDRQ": "2026-02-30"}, ("CF_JDRQ", "bad_date", "bad")),
        ({"CF_JDRQ": "2126-02-20"}, ("CF_JDRQ", "date_out_of_range", "bad")),
        ({"CF_NR_FK": "2000"}, ("CF_NR_FK", "amount_unit_mismatch", "bad")),
        ({"CF_NR_FK": "0.3"}, ("CF_NR_FK", "amount_differs_from_text", "warning")),
        ({"CF_NR_FK": ""}, ("CF_NR_FK", "amount_missing", "warning")),
        ({"CF_NR_FK": "-1"}, ("CF_NR_FK", "negative_amount", "bad")),
        ({"CF_WSH": f"粤罚{CITIZEN}"}, ("CF_WSH", "citizen_id_in_clear", "bad")),
        ({"REVISION": "0"}, ("REVISION", "bad_revision", "bad")),
        ({"CF_NR": "罚" * 5000, "CF_NR_FK": ""}, ("CF_NR", "field_too_long", "bad")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_in_its_column(changes: dict[str, str], expected: tuple[str, str, str]) -> None:
    converted = penalty(**changes)
    assert found(converted) == [expected]
    assert converted.bad == (expected[2] == "bad")
    assert bool(converted.records) != converted.bad


def test_every_fault_of_a_row_is_named() -> None:
    codes = {
        code
        for _, code, _ in found(penalty(CF_XDR_SHXYM="91440300PDY00001X4", CF_JDRQ="昨天", CF_WSH="", CF_NR_FK="x"))
    }
    assert codes == {"uscc_check_digit", "bad_date", "missing_value", "bad_amount"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CF_XDR_ZJHM": "440000190001010018"}, "citizen_id_check_digit"),
        ({"CF_XDR_ZJHM": "4400001900****0019"}, "citizen_id_shape"),
        ({"CF_XDR_ZJHM": ""}, "no_identifier"),
        ({"CF_XDR_ZJHM": "E12345678", "CF_XDR_ZJLX": "护照"}, "person_id_type"),
    ],
)
def test_wrong_ids_of_persons_are_masked_in_the_report(changes: dict[str, str], code: str) -> None:
    converted = penalty(CF_XDR_LB="自然人", CF_XDR_SHXYM="", **{"CF_XDR_ZJLX": "身份证", **changes})
    assert [finding.code for finding in converted.findings] == [code]
    assert changes["CF_XDR_ZJHM"] not in converted.findings[0].value or not changes["CF_XDR_ZJHM"]


def test_too_many_cells_and_broken_lines() -> None:
    file = File("gd.em", list(PENALTY), "penalty-2018")
    converted = file._converter.convert(Row(2, (*PENALTY.values(), "one more")))
    assert found(converted) == [("", "too_many_cells", "bad")]
    broken = file._converter.convert(Row(3, (), Reason(code="bad_csv", rule="quotes")))
    assert (broken.bad, broken.records) == (True, ())


def test_short_rows_are_padded() -> None:
    titles = [*PENALTY, "BZ"]
    converted = File("gd.em", titles, "penalty-2018")._converter.convert(Row(2, tuple(PENALTY.values())))
    assert records(converted)[0]["remark"] == ""


def test_a_repeated_row_is_sent_once_and_a_contradicting_one_is_bad() -> None:
    file = File("gd.em", [*PENALTY, "REVISION"], "penalty-2018")
    assert len(records(file.row(**PENALTY))) == 1
    again = file.row(**PENALTY)
    assert (again.records, found(again)) == ((), [("CF_WSH", "repeated_row", "warning")])
    other = file.row(**PENALTY | {"CF_NR_FK": "0.3", "CF_NR": "罚款3000元"})
    assert found(other) == [("CF_WSH", "conflicting_row", "bad")]
    assert len(records(file.row(**PENALTY | {"CF_NR_FK": "0.3", "CF_NR": "罚款3000元", "REVISION": "2"}))) == 1


def test_one_decision_may_concern_several_subjects() -> None:
    file = File("gd.em", list(PENALTY), "penalty-2018")
    assert (
        len(records(file.row(**PENALTY)))
        == len(records(file.row(**PENALTY | {"CF_XDR_SHXYM": synthetic_uscc(2)})))
        == 1
    )


PENALTY_2016 = {
    "CF_WSH": "粤工商〔2016〕1号", "CF_CFMC": "无照经营案", "CF_CFLB1": "罚款", "CF_CFLB2": "没收违法所得", "CF_XDR_MC": "合成第00001号有限公司",
    "CF_XDR_SHXYM": USCC, "CF_XDR_SFZ": "", "CF_JG": "处以1000元罚款", "CF_JDRQ": "2016/07/05", "CF_ZT": "0", "DFBM": "440106001002",
    "SJC": "2016-07-08 09:30:00", "GSQX": "3年",
}  # fmt: skip


def test_a_penalty_of_2016() -> None:
    (record,) = records(File("gd.amr", list(PENALTY_2016)).row(**PENALTY_2016))
    assert record["violation"] == "无照经营案"
    assert record["categories"] == ["罚款", "没收违法所得"]
    assert record["division"] == "440106"
    assert record["publicity_until"] == date(2019, 7, 5)
    assert record["revision"] == 1


def test_the_time_of_the_data_as_revision() -> None:
    file = File("gd.amr", list(PENALTY_2016), revision_from="数据更新时间戳")
    assert records(file.row(**PENALTY_2016))[0]["revision"] == 1467941400
    assert found(file.row(**PENALTY_2016 | {"SJC": ""})) == [("SJC", "missing_value", "bad")]


def test_a_person_of_2016_is_known_by_the_filled_column() -> None:
    (record,) = records(
        File("gd.amr", list(PENALTY_2016)).row(**PENALTY_2016 | {"CF_XDR_SHXYM": "", "CF_XDR_SFZ": CITIZEN})
    )
    assert record["subject"] == person_subject(CITIZEN, KEYS)


@pytest.mark.parametrize(("state", "types"), [("0", ["penalty"]), ("正常", ["penalty"]), ("1", ["penalty", "withdrawal"]), ("异议", ["penalty", "objection"]), ("3", ["penalty"])])  # fmt: skip
def test_states_of_2016(state: str, types: list[str]) -> None:
    rows = records(File("gd.amr", list(PENALTY_2016)).row(**PENALTY_2016 | {"CF_ZT": state}))
    assert [row["type"] for row in rows] == types
    for amendment in rows[1:]:
        assert amendment["subject"] == rows[0]["subject"]
        assert (amendment["target_type"], amendment["target_document"]) == ("penalty", rows[0]["document"])
        assert amendment["document"] != rows[0]["document"]


def test_a_wrong_state_is_not_taken_for_valid() -> None:
    assert found(File("gd.amr", list(PENALTY_2016)).row(**PENALTY_2016 | {"CF_ZT": "9"})) == [
        ("CF_ZT", "unknown_value", "bad")
    ]


def test_a_licence_of_2016_that_was_withdrawn() -> None:
    cells = {"XK_WSH": "粤许1号", "XK_XMMC": "许可", "XK_SPLB": "普通", "XK_XDR": "合成", "XK_XDR_SHXYM": USCC, "XK_JDRQ": "2016-07-05", "XK_JZQ": "长期", "XK_ZT": "撤销"}  # fmt: skip
    licence, withdrawal = records(File("gd.amr", list(cells)).row(**cells))
    assert (licence["state"], licence["valid_until"], withdrawal["reason"]) == ("INVALID", None, "REVOKED")


COURT = {
    "iname": "合成", "cardNum": USCC, "caseCode": "（2026）粤0106执1号", "disruptTypeName": "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行的",
    "publishDate": "2026年03月13日", "partyTypeName": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        (USCC, f"org:{USCC}"),
        (CITIZEN, person_subject(CITIZEN, KEYS)),
        (f"{synthetic_organisation_code(3)[:8]}-{synthetic_organisation_code(3)[8]}", f"orgcode:{synthetic_organisation_code(3)}"),
        ("449999000000008", "reg:449999000000008"),
        (f"440300{synthetic_organisation_code(3)}", f"tax:440300{synthetic_organisation_code(3)}"),
    ],
)  # fmt: skip
def test_a_column_of_any_code_is_sorted_out_by_its_shape(code: str, subject: str) -> None:
    (record,) = records(File("gd.court", list(COURT)).row(**COURT | {"cardNum": code}))
    assert record["subject"] == subject
    assert (record["list_code"], record["grounds"], record["serious"]) == ("COURT", "3", True)
    assert record["decided_on"] == date(2026, 3, 13)


def test_removal_from_the_abnormal_list_is_the_later_revision() -> None:
    cells = {"企业名称": "合成", "统一社会信用代码": USCC, "列入决定书文号": "粤异1号", "列入原因": "未按规定期限公示年度报告", "列入日期": "2026-01-05", "移出日期": ""}  # fmt: skip
    file = File("gd.amr", list(cells))
    (entered,) = records(file.row(**cells))
    (removed,) = records(file.row(**cells | {"移出日期": "2026/02/05"}))
    assert (entered["state"], entered["revision"], entered["grounds"]) == ("ENTERED", 1, "1")
    assert (removed["state"], removed["revision"], removed["removed_on"]) == ("REMOVED", 2, date(2026, 2, 5))


def test_a_registration_with_older_codes_and_persons() -> None:
    cells = {
        "企业名称": "合成", "统一社会信用代码": USCC, "工商注册号": "449999000000008", "登记文书号": "粤登1号", "核准日期": "20260105", "登记状态": "存续",
        "法定代表人证件号码": CITIZEN, "董事证件号码": f"{CITIZEN};{synthetic_citizen_id(8)}", "注册资本": "100",
    }  # fmt: skip
    (record,) = records(File("gd.amr", list(cells)).row(**cells))
    assert record["aliases"] == [{"kind": "REGISTRATION_NUMBER", "code": "449999000000008"}]
    assert (record["kind"], record["status"], record["registered_capital_yuan"]) == ("ENTERPRISE", "ACTIVE", 1_000_000)
    assert record["legal_representative"] == person_subject(CITIZEN, KEYS)
    assert [officer["role"] for officer in record["officers"]] == ["DIRECTOR", "DIRECTOR"]
