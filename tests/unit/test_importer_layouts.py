"""Headers find their columns whatever they are called, and a file finds its layout."""

import pytest

from exchange.errors import RequestError
from producers.importer.layouts import Header, find_header, load_layouts, match_header

LAYOUTS = load_layouts()


def columns(header: Header) -> dict[str, str]:
    return {place.title: place.column.code for place in header.columns}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_header_of_field_codes_or_of_names_finds_its_layout(layout: object) -> None:
    for titles in (
        [column.code for column in layout.columns],  # type: ignore[attr-defined]
        [(column.names or (column.code,))[0] for column in layout.columns],  # type: ignore[attr-defined]
    ):
        header = find_header(LAYOUTS, [(1, titles)])
        assert header.layout is layout
        assert not header.unknown


@pytest.mark.parametrize(
    "title",
    ["CF_WSH", "cf_wsh", "ＣＦ＿ＷＳＨ", "WSH", "行政处罚决定书文号", "行政处罚决定文书号", " 行政处罚\n决定书 文号", "*行政处罚决定书文号：", "行政处罚决定书文号（必填）"],
)  # fmt: skip
def test_ways_to_write_one_title(title: str) -> None:
    assert columns(match_header(LAYOUTS["penalty-2018"], 1, [title])) == {title.strip(): "CF_WSH"}


def test_the_bracket_decides_since_sources_number_the_codes_differently() -> None:
    titles = ["行政相对人代码_3（统一社会信用代码）", "行政相对人代码_1(工商登记码)", "行政相对人代码_2 (组织机构代码)"]
    found = columns(match_header(LAYOUTS["penalty-2018"], 1, titles))
    assert list(found.values()) == ["CF_XDR_SHXYM", "CF_XDR_GSZC", "CF_XDR_ZZJG"]


def test_bare_numbers_mean_what_their_edition_means() -> None:
    assert columns(match_header(LAYOUTS["penalty-2018"], 1, ["行政相对人代码_2"])) == {
        "行政相对人代码_2": "CF_XDR_GSZC"
    }
    assert columns(match_header(LAYOUTS["penalty-2016"], 1, ["行政相对人代码＿2"])) == {
        "行政相对人代码＿2": "CF_XDR_ZDM"
    }


@pytest.mark.parametrize(
    ("title", "unit"),
    [("罚款金额", "万元"), ("罚款金额（万元）", "万元"), ("罚款金额(元)", "元"), ("罚款金额（单位：元）", "元")],
)
def test_the_unit_in_the_title_wins(title: str, unit: str) -> None:
    header = match_header(LAYOUTS["penalty-2018"], 1, [title])
    assert header.columns[0].unit == unit


def test_a_header_may_stand_below_titles() -> None:
    titles = ["名单代码", "主体名称", "统一社会信用代码", "认定文号", "列入日期", "心情"]
    header = find_header(LAYOUTS, [(1, ["名单公示表", None]), (2, ["填报单位：", "合成局"]), (4, titles)])
    assert (header.layout.name, header.line, header.unknown) == ("list", 4, ("心情",))


def test_missing_columns_are_named() -> None:
    with pytest.raises(RequestError) as failure:
        find_header(LAYOUTS, [(1, ["行政相对人名称", "统一社会信用代码", "处罚决定日期", "处罚类别"])])
    assert failure.value.code == "missing_columns"
    assert "CF_WSH 行政处罚决定书文号" in str(failure.value)


def test_a_file_without_any_code_of_the_subject_is_refused() -> None:
    titles = ["CF_XDR_MC", "CF_WSH", "CF_CFLB", "CF_JDRQ"]
    with pytest.raises(RequestError, match="CF_XDR_SHXYM"):
        find_header(LAYOUTS, [(1, titles)], "penalty-2018")


def test_a_file_of_no_layout_and_a_format_that_is_none() -> None:
    with pytest.raises(RequestError) as failure:
        find_header(LAYOUTS, [(1, ["甲", "乙"])])
    assert failure.value.code == "unknown_layout"
    with pytest.raises(RequestError) as failure:
        find_header(LAYOUTS, [(1, ["甲"])], "penalty-2077")
    assert failure.value.code == "unknown_format"


def test_two_columns_of_one_name_keep_the_first() -> None:
    header = match_header(LAYOUTS["penalty-2018"], 1, ["CF_WSH", "行政处罚决定书文号"])
    assert columns(header) == {"CF_WSH": "CF_WSH"}
    assert header.unknown == ("行政处罚决定书文号",)
