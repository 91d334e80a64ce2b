"""Every trap of real files (domain.md 2) in single cells."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from exchange.errors import RejectedError
from exchange.masking import MASK, mask_ids
from exchange.tables import Cell
from producers.importer.amounts import CONFISCATED, FINE, compare_amounts, read_numeral, stated_yuan
from producers.importer.cells import read_code, read_date, read_end, read_text, read_yuan, split_values
from producers.importer.kinds import read_boolean, read_choice, read_division, read_integer, read_number
from producers.importer.penalties import grade_severity, is_on_the_spot
from producers.importer.revisions import read_revision, read_timestamp


def code_of(failure: pytest.ExceptionInfo[RejectedError]) -> str:
    return failure.value.reasons[0].code


@pytest.mark.parametrize(
    "cell", ["", " ", "null", "NULL", "None", "暂无", "无", "-", "--", "—", "/", "　", "\t", "nan", "\\N", None]
)
def test_words_for_nothing_are_empty(cell: Cell) -> None:
    assert read_text(cell) == ""
    assert read_code(cell) == ""
    assert read_date(cell) is None
    assert read_yuan(cell, "万元") is None
    assert split_values(cell) == []


@pytest.mark.parametrize(
    "cell", ["00000000000000000X", "000000000000000000", "0", "００００００００００００００００００", 0.0]
)
def test_filler_codes_are_absent(cell: Cell) -> None:
    assert read_code(cell) == ""


@pytest.mark.parametrize("cell", ["9.14403E+17", "9.144e+17", 9.14403001922038e17, 914403001922038216])
def test_a_code_kept_as_a_number_is_refused_not_guessed(cell: Cell) -> None:
    with pytest.raises(RejectedError) as failure:
        read_code(cell)
    assert code_of(failure) == "code_as_number"


def test_codes_are_half_width_capitals_without_marks() -> None:
    assert read_code("'91440300pdy00001x3") == "91440300PDY00001X3"
    assert read_code("\t９１４４０３００PDY00001-X ３") == "91440300PDY00001X3"
    assert read_code(440301103097413.0) == "440301103097413"  # 15 digits a spreadsheet number still holds


@pytest.mark.parametrize(
    "cell",
    [
        "2019-07-13", "2019/07/13", "2019/7/13", "2019.07.13", "2019年07月13日", "2019年7月13日", "20190713", "２０１９-０７-１３",
        "2019-07-13 00:00:00", "2019-07-13T08:30:00Z", "43659", 43659, 43659.0, "43659.5", date(2019, 7, 13), datetime(2019, 7, 13, 8),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_every_way_to_write_a_day(cell: Cell) -> None:
    assert read_date(cell) == date(2019, 7, 13)


@pytest.mark.parametrize(
    "cell", ["2026-02-30", "2016/13/01", "13/07/2019", "19-07-13", "昨天", "2019", "201907", "2019-07-13 25:99:99x"]
)
def test_what_is_no_day_is_refused(cell: Cell) -> None:
    with pytest.raises(RejectedError) as failure:
        read_date(cell)
    assert code_of(failure) == "bad_date"


@pytest.mark.parametrize("cell", ["长期", "永久", "2099-12-31", "2099/12/31", "9999-12-31", "20991231", "暂无", ""])
def test_no_end_is_none(cell: Cell) -> None:
    assert read_end(cell) is None


def test_an_end_is_a_day() -> None:
    assert read_end("2031/01/08") == date(2031, 1, 8)


@pytest.mark.parametrize(
    ("cell", "unit", "yuan"),
    [
        ("0.2", "万元", "2000.00"), (0.2, "万元", "2000.00"), ("0.000001", "万元", "0.01"), ("2,000", "元", "2000.00"),
        ("2,000元", "万元", "2000.00"), ("0.2万元", "元", "2000.00"), ("０．２", "万元", "2000.00"), ("人民币2000元整", "万元", "2000.00"),
        ("￥2000", "元", "2000.00"), ("1E+3", "元", "1000.00"), (0.1 + 0.2, "万元", "3000.00"), ("0", "万元", "0.00"), (12, "元", "12.00"),
    ],
)  # fmt: skip
def test_amounts_are_exact_yuan(cell: Cell, unit: str, yuan: str) -> None:
    assert str(read_yuan(cell, unit)) == yuan


@pytest.mark.parametrize(
    ("cell", "code"),
    [("两千", "bad_amount"), ("NaN0", "bad_amount"), ("Infinity", "bad_amount"), ("-5", "negative_amount"), ("0.0000001", "amount_precision"), ("1e30", "bad_amount"), ("1/2", "bad_amount")],
)  # fmt: skip
def test_what_is_no_amount_is_refused(cell: Cell, code: str) -> None:
    with pytest.raises(RejectedError) as failure:
        read_yuan(cell, "万元")
    assert code_of(failure) == code


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("罚款2000元", [2000]), ("处罚款人民币20,000.00元", [20000]), ("罚款 0.2 万元", [2000]), ("罚款人民币贰仟元整", [2000]),
        ("处以2000元罚款", [2000]), ("处以二千元的罚款", [2000]), ("罚款1000元；罚款2000元", [1000, 2000]), ("警告", []),
        ("罚款（大写：伍仟元整）5000元", [5000]), ("没收违法所得3000元", []), ("罚款壹拾贰万叁仟元", [123000]), ("罚款１０００元", [1000]),
        ("按日加处罚款，不超过3%", []),
    ],
)  # fmt: skip
def test_fines_that_texts_state(text: str, yuan: list[int]) -> None:
    assert stated_yuan(text, FINE) == yuan


def test_confiscations_that_texts_state() -> None:
    assert stated_yuan("没收违法所得3千元，罚款2000元", CONFISCATED) == [3000]


@pytest.mark.parametrize(
    ("numeral", "number"), [("十", 10), ("二十", 20), ("壹佰零伍", 105), ("一亿零三万", 100_030_000), ("两千", 2000)]
)
def test_chinese_numerals(numeral: str, number: int) -> None:
    assert read_numeral(numeral) == number


@pytest.mark.parametrize(
    ("amount", "text", "code"),
    [
        ("2000.00", "罚款2000元", ""), ("20000000.00", "罚款2000元", "amount_unit_mismatch"), ("0.20", "罚款2000元", "amount_unit_mismatch"),
        ("3000.00", "罚款1000元，另罚款2000元", ""), ("2500.00", "罚款2000元", "amount_differs_from_text"), (None, "罚款2000元", "amount_missing"),
        ("2000.00", "警告", ""), (None, "警告", ""),
    ],
)  # fmt: skip
def test_amount_and_text_are_compared(amount: str | None, text: str, code: str) -> None:
    assert compare_amounts(None if amount is None else Decimal(amount), stated_yuan(text, FINE)) == code


def test_several_values_split_by_every_mark_but_free_text_stays_whole() -> None:
    assert split_values("警告；罚款;没收违法所得、没收非法财物;其他-责令改正、限期拆除;罚款") == [
        "警告", "罚款", "没收违法所得", "没收非法财物", "其他-责令改正、限期拆除",
    ]  # fmt: skip


def test_a_choice_of_several_takes_the_first_in_order() -> None:
    values = {"违反财产报告制度": "4", "有履行能力而拒不履行生效法律文书确定义务": "1"}
    assert read_choice("违反财产报告制度的,有履行能力而拒不履行生效法律文书确定义务", values) == "1"
    with pytest.raises(RejectedError) as failure:
        read_choice("不详", values)
    assert code_of(failure) == "unknown_value"


def test_small_kinds() -> None:
    assert read_number(" 粤罚 〔2026〕 1\n号 ") == "粤罚〔2026〕1号"
    assert (read_boolean("是"), read_boolean("0"), read_boolean("")) == (True, False, None)
    assert (read_division("440106001002"), read_division("")) == ("440106", "")
    assert (read_integer("36"), read_integer(36.0), read_integer("暂无")) == (36, 36, None)
    for read, cell in ((read_boolean, "也许"), (read_division, "990106"), (read_integer, "三年")):
        with pytest.raises(RejectedError):
            read(cell)


def test_revisions() -> None:
    assert (read_revision("3"), read_revision("暂无")) == (3, None)
    assert read_timestamp("2017-03-05 08:30:15") - read_timestamp("2017/03/05") == 8 * 3600 + 30 * 60 + 15
    assert read_timestamp("1488643200000") == read_timestamp("1488643200") == read_timestamp(date(2017, 3, 5))
    for cell in ("0", "-1", "1.5", "二"):
        with pytest.raises(RejectedError):
            read_revision(cell)
    for moment in ("", "2017-03-05 25:00"):
        with pytest.raises(RejectedError):
            read_timestamp(moment)


@pytest.mark.parametrize(
    ("categories", "text", "severity"),
    [
        (["警告"], "", "MINOR"), (["通报批评"], "", "MINOR"), (["罚款"], "罚款500元", "GENERAL"), (["罚款"], "适用简易程序，罚款50元", "MINOR"),
        (["罚款", "吊销许可证件"], "", "SERIOUS"), (["责令停产停业"], "", "SERIOUS"), (["其他-限制从业"], "", "SERIOUS"), ([], "", "GENERAL"),
    ],
)  # fmt: skip
def test_severity_follows_kind_and_procedure_never_the_amount_alone(
    categories: list[str], text: str, severity: str
) -> None:
    assert grade_severity(categories, text) == severity


def test_only_words_make_a_penalty_simple() -> None:
    assert is_on_the_spot("当场处罚")
    assert not is_on_the_spot("罚款500元")


def test_citizen_ids_are_masked_and_organisations_are_not() -> None:
    text = "当事人（身份证440000190001010019）与91440300PDY00001X3、44000019000101001x 无关"
    assert mask_ids(text) == f"当事人（身份证{MASK}）与91440300PDY00001X3、44000019000101001x 无关"
