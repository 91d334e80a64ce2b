"""Makes the sample files anew: `python -m producers.samples.generate`.

The facts make a small story. Firm 1 is listed by TAX and by SAFE; the tax listing is repaired, what both support stays.
Firm 2 is first known by its registration number only (2016), its registration brings the USCC. A penalty of firm 3 is
withdrawn. Firm 36 is struck off, firm 7 is on two lists. Firm 5's representative is himself a judgment defaulter.
About one row in ten is bad, each in another way that real files are.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from exchange.domain.uscc import uscc_check
from producers.samples import FOLDER
from producers.samples.people import Firm, firm, person
from producers.samples.sheets import write_csv, write_xlsx

Row = Sequence[object] | str
_FIRST = date(2026, 1, 5)


def _day(number: int) -> date:
    return _FIRST + timedelta(days=number * 3 % 160)


def penalties_2016() -> Iterator[Row]:
    """Market regulation's penalties in the layout of 2016: field codes, state and time of the data."""
    yield ["CF_WSH", "CF_CFMC", "CF_CFLB1", "CF_CFLB2", "CF_SY", "CF_YJ", "CF_XDR_MC", "CF_XDR_SHXYM", "CF_XDR_ZDM", "CF_XDR_GSDJ", "CF_XDR_SWDJ", "CF_XDR_SFZ", "CF_FR", "CF_JG", "CF_JDRQ", "CF_XZJG", "CF_ZT", "DFBM", "SJC", "BZ", "GSQX"]  # fmt: skip
    for number in range(1, 31):
        one = firm(number)
        day = date(2016, 7, 1) + timedelta(days=number * 4)
        row: list[object] = [
            f"粤工商处字〔2016〕{number}号", "无照经营案", "罚款", "没收违法所得" if number % 5 == 0 else "null", "未按规定办理变更登记",
            "《公司登记管理条例》第六十九条", one.name, one.uscc, one.organisation_code, "", "", "", one.representative,
            f"处以罚款{number * 100}元", f"{day:%Y/%m/%d}", "广东省工商行政管理局", "0", one.division,
            f"{day + timedelta(days=3):%Y-%m-%d} 09:30:00", "暂无", "1",
        ]  # fmt: skip
        if number % 5 == 2:  # before the USCC: known by the registration number
            row[7:10] = ["00000000000000000X", "", one.registration_number]
        match number:
            case 7:
                row[16] = "1"  # withdrawn
            case 9:
                row[16] = "异议"
            case 11:
                row[16] = "9"  # no such state
            case 13:
                row[14] = "2016/13/01"
            case 17:
                row[6:13] = ["合成自然人", "", "", "", "", person(1), ""]
            case 19:
                row[7:10] = ["", "", "449999000000009"]  # wrong check digit
        yield row


def registrations() -> Iterator[Row]:
    """Who the firms are, with the older codes that join their histories."""
    yield ["企业名称", "统一社会信用代码", "工商注册号", "组织机构代码", "登记文书号", "核准日期", "主体类型", "登记状态", "法定代表人", "法定代表人证件号码", "成立日期", "行业代码", "住所", "行政区划"]  # fmt: skip
    for number in range(1, 41):
        one = firm(number)
        row: list[object] = [
            one.name, one.uscc, one.registration_number if number % 5 == 2 else "", _hyphened(one) if number % 2 else "-",
            f"粤核准登字〔2026〕{number}号", f"{_day(number):%Y-%m-%d}", one.kind, "存续", one.representative,
            one.representative_id, f"{date(2010, 1, 4) + timedelta(days=number * 97):%Y年%m月%d日}", "E4710",
            f"合成市合成路{number}号", one.division,
        ]  # fmt: skip
        match number:
            case 12:
                row[1] = row[1][:17] + ("0" if row[1][17] != "0" else "1")  # type: ignore[index] # a text
            case 23:
                row[7] = "失踪"
            case 31:
                row[9] = "440000190102290056"  # no such day of birth
            case 36:
                row[7] = "注销"
        yield row


def licences_2018() -> Iterator[Row]:
    """Ecology's licences in a workbook: a title above the header, days as days, a code that became a number."""
    yield ["行政许可信息公示表（2026年上半年）"]
    yield ["行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "行政相对人代码_2(工商注册号)", "行政相对人代码_3(组织机构代码)", "法定代表人", "证件类型", "证件号码", "行政许可决定文书名称", "行政许可决定文书号", "许可类别", "许可证书名称", "许可编号", "许可内容", "许可决定日期", "有效期自", "有效期至", "许可机关", "许可机关统一社会信用代码", "当前状态", "数据来源单位", "数据来源单位统一社会信用代码", "备注"]  # fmt: skip
    authority = "11440000PDY999994P"
    for number in range(1, 31):
        one = firm(number)
        day = _day(number)
        row: list[object] = [
            one.name, "个体工商户" if one.kind == "个体工商户" else "法人及非法人组织", one.uscc, "", "", one.representative, "", "",
            "排污许可决定书", f"粤环许〔2026〕{number}号", "普通", "排污许可证", f"PW{number:06d}", "准予排放许可范围内的污染物",
            datetime(day.year, day.month, day.day), f"{day:%Y/%m/%d}", "长期" if number % 3 else f"{day.replace(year=2031):%Y-%m-%d}",  # noqa: DTZ001 # a spreadsheet's day has no zone
            "广东省生态环境厅", authority, 1, "广东省生态环境厅", authority, None,
        ]  # fmt: skip
        match number:
            case 6:
                row[2] = 914401007123456789.0  # a number: its last digits are lost
            case 14:
                row[14] = 46080  # a serial that lost its format
            case 18:
                row[1], row[2], row[5:8] = "自然人", None, [None, "身份证", person(2)]
            case 22:
                row[9] = None
            case 27:
                row[19] = 3
        yield row


def penalties_2018() -> Iterator[Row]:
    """Emergency management's penalties in the layout of 2018: 万元, kinds in one cell, both ways to write a day."""
    yield ["行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "行政相对人代码_2(工商注册号)", "行政相对人代码_3(组织机构代码)", "法定代表人", "证件类型", "证件号码", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容", "罚款金额（万元）", "没收违法所得、没收非法财物的金额（万元）", "暂扣或吊销证照名称及编号", "处罚决定日期", "处罚有效期", "公示截止期", "处罚机关", "处罚机关统一社会信用代码", "数据来源单位", "数据来源单位统一社会信用代码", "备注"]  # fmt: skip
    authority = "11440000PDY999994P"
    nobody = {0: "合成自然人", 1: "自然人", 2: "null", 5: ""}
    changes: dict[int, dict[int, object]] = {
        1: {
            9: "重大生产安全事故", 10: "发生一般生产安全事故负有责任", 11: "《安全生产法》第一百一十四条", 12: "罚款；吊销许可证件",
            13: "罚款人民币伍拾万元整，吊销安全生产许可证", 14: "50", 16: "安全生产许可证（粤）JZ安许证字〔2020〕1号",
        },
        5: {12: "警告", 13: "警告（简易程序，当场处罚）", 14: ""},
        8: {14: 8000},  # yuan in a column of 10,000 yuan
        15: {2: "9.14401E+17"},  # what a spreadsheet makes of a code
        16: {**nobody, 6: "身份证", 7: person(3)},
        21: {17: "2026-02-30"},
        25: {2: _with_wrong_inner_digit(firm(25))},
        28: {**nobody, 6: "护照", 7: "E12345678"},
        33: {10: f"当事人（{person(4)}）未按规定操作"},  # an ID in the text is masked, the row goes
        37: {0: firm(36).name, 2: firm(36).uscc, 8: "粤应急罚〔2026〕36号"},  # the number of the row before
    }  # fmt: skip
    for number in range(1, 41):
        one = firm(number)
        day = _day(number)
        fine = number * 1000
        row: list[object] = [
            one.name, "个体工商户" if one.kind == "个体工商户" else "法人及非法人组织", one.uscc, "", "", one.representative, "", "",
            f"粤应急罚〔2026〕{number}号", "违反安全生产法", "未对从业人员进行安全生产教育和培训", "《安全生产法》第九十七条", "警告;罚款",
            f"警告，并处罚款{fine}元", f"{fine / 10000:g}", "", "", f"{day:%Y-%m-%d}" if number % 2 else f"{day:%Y/%m/%d}",
            "", f"{day.replace(year=2027):%Y-%m-%d}", "广东省应急管理厅", authority, "广东省应急管理厅", authority, "无",
        ]  # fmt: skip
        for position, value in changes.get(number, {}).items():
            row[position] = value
        yield row
    yield f'{firm(41).name},法人及非法人组织,{firm(41).uscc},,,"合成"代表,,'  # quotes within quotes


def abnormal() -> Iterator[Row]:
    """The list of abnormal operations, some already removed."""
    yield ["企业名称", "统一社会信用代码", "列入决定书文号", "列入经营异常名录原因", "列入日期", "移出经营异常名录原因", "移出日期", "作出决定机关"]  # fmt: skip
    grounds = ("未按规定期限公示年度报告", "通过登记的住所或者经营场所无法联系", "公示企业信息隐瞒真实情况、弄虚作假")
    for number in range(9, 33):
        one = firm(number)
        removed = number % 4 == 0
        row = [
            one.name, one.uscc, f"粤市监异字〔2026〕{number}号", grounds[number % 3], f"{_day(number):%Y年%m月%d日}",
            "已补报年度报告" if removed else "", "2026-06-20" if removed else "", "广东省市场监督管理局",
        ]  # fmt: skip
        if number == 21:
            row[3] = "其他原因"
        yield row


def tax_list() -> Iterator[Row]:
    """Serious tax violators: a column that holds a USCC or, for older ones, something else."""
    yield ["纳税人名称", "纳税人识别号", "组织机构代码", "注册地址", "法定代表人或者负责人姓名", "失信主体确定文书号", "案件性质", "主要违法事实", "相关法律依据及处理处罚情况", "确定日期", "确定机关"]  # fmt: skip
    kinds = ("偷税", "虚开增值税专用发票", "走逃（失联）", "骗取出口退税", "逃避追缴欠税")
    for position, number in enumerate((1, 3, 6, 10, 11, 14, 18, 19, 22, 26, 27, 29, 30, 34, 35, 38, 39, 40, 13, 9)):
        one = firm(number)
        row = [
            one.name, one.uscc, _hyphened(one), f"合成市合成路{number}号", one.representative, f"粤税失信〔2026〕{number}号",
            kinds[position % len(kinds)], "采取欺骗手段少缴税款", "《税收征收管理法》第六十三条", f"{_day(position):%Y-%m-%d}", "国家税务总局广东省税务局",
        ]  # fmt: skip
        match number:
            case 22:
                row[1], row[2] = (
                    one.registration_number,
                    "PDY000220",
                )  # the organisation code is wrong, the row's subject is not
            case 30:
                row[6] = "漏税"
            case 35:
                row[1], row[2] = "暂无", "null"
        yield row


def wage_list() -> Iterator[Row]:
    """Employers who withhold the wages of migrant workers."""
    yield ["用人单位名称", "统一社会信用代码", "法定代表人", "列入决定书文号", "列入事由", "列入依据", "列入日期", "惩戒期限（月）", "列入机关"]  # fmt: skip
    grounds = "克扣、无故拖欠农民工工资达到认定拒不支付劳动报酬罪数额标准"
    for position, number in enumerate((4, 1, 7, 12, 15, 17, 20, 23, 24, 25, 28, 31, 32, 33, 36, 37, 5, 16, 8, 2)):
        one = firm(number)
        row = [
            one.name, one.uscc, one.representative, f"粤人社失信〔2026〕{number}号", grounds if position % 3 else "2",
            "《拖欠农民工工资失信联合惩戒对象名单管理暂行办法》第五条", f"{_day(position):%Y/%m/%d}", "36", "广东省人力资源和社会保障厅",
        ]  # fmt: skip
        match number:
            case 20:
                row[7] = "三年"
            case 25:
                row[6] = "2026年6月31日"
        yield row


def court_list() -> Iterator[Row]:
    """Judgment defaulters in the fields that courts publish; persons among them."""
    yield ["iname", "cardNum", "caseCode", "gistId", "gistUnit", "courtName", "areaName", "duty", "performance", "disruptTypeName", "publishDate", "regDate", "partyTypeName", "businessEntity"]  # fmt: skip
    grounds = (
        "有履行能力而拒不履行生效法律文书确定义务",
        "违反财产报告制度",
        "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行",
        "违反限制消费令",
    )
    for position, number in enumerate((2, 5, 6, 9, 13, 17, 21, 26, 28, 33, 39, 3, 10, 12, 19, 24, 31, 37)):
        one = firm(number)
        row = _court_row(position, one.name, one.uscc, "企业", one.representative, grounds[position % 4])
        if number == 17:
            row[9] = "违反财产报告制度,有履行能力而拒不履行生效法律文书确定义务"
        if number == 26:
            row[9] = "其他情形"
        yield row
    for position, number in enumerate(range(5, 13), 18):
        id_ = firm(5).representative_id if number == 5 else person(number)
        row = _court_row(position, "合成自然人", id_, "自然人", "", grounds[position % 4])
        if number == 9:
            row[1] = "440000190001010018"  # wrong check digit
        if number == 10:
            row[1] = "4400001964****3224"  # as courts show it: nobody can be found by it
        yield row


def _court_row(position: int, name: str, code: str, party: str, representative: str, grounds: str) -> list[object]:
    day = _day(position)
    return [
        name, code, f"（2026）粤0106执{position + 101}号", f"（2025）粤0106民初{position + 501}号", "合成市合成区人民法院",
        "合成市合成区人民法院", "广东", "支付货款及利息", "全部未履行", grounds, f"{day:%Y年%m月%d日}",
        f"{day - timedelta(days=60):%Y%m%d}", party, representative,
    ]  # fmt: skip


def safety_list() -> Iterator[Row]:
    """Serious violators of work safety, in the general layout of lists."""
    yield [
        "名单代码",
        "主体名称",
        "统一社会信用代码",
        "认定文号",
        "列入事由",
        "主要事实",
        "认定依据",
        "是否严重失信",
        "列入日期",
        "认定单位",
    ]
    for position, number in enumerate((1, 7, 14, 21, 27, 32, 38, 11, 15, 20)):
        one = firm(number)
        row = [
            "SAFE", one.name, one.uscc, f"粤应急失信〔2026〕{number}号", str(1 + position % 2), "发生生产安全事故负有责任",
            "《安全生产严重失信主体名单管理办法》第六条", "是", f"{_day(position + 2):%Y-%m-%d}", "广东省应急管理厅",
        ]  # fmt: skip
        if number == 32:
            row[7] = "也许"
        yield row


def red_list() -> Iterator[Row]:
    """Taxpayers of grade A, in the general layout of lists."""
    yield ["名单代码", "主体名称", "统一社会信用代码", "认定文号", "认定依据", "列入日期", "认定单位"]
    for number in (2, 8, 16, 18, 22, 29, 30, 35, 36, 40):
        one = firm(number)
        yield ["TAX-A", one.name, one.uscc, f"粤税信用〔2026〕{number}号", "《纳税缴费信用管理办法》", "2026-04-20", "国家税务总局广东省税务局"]  # fmt: skip


def repairs() -> Iterator[Row]:
    """Credit repair by the tax service: firm 1 from application to grant, others under way."""
    yield [
        "主体名称",
        "统一社会信用代码",
        "修复申请编号",
        "信息类型",
        "原决定文书号",
        "修复状态",
        "决定日期",
        "纠正日期",
        "信用承诺",
        "修订号",
    ]
    for number, states in (
        (1, ("申请", "受理", "准予修复")),
        (6, ("申请", "受理")),
        (10, ("申请", "受理", "不予修复")),
    ):
        one = firm(number)
        for revision, state in enumerate(states, 1):
            yield [one.name, one.uscc, f"粤税修〔2026〕{number}号", "名单", f"粤税失信〔2026〕{number}号", state, f"2026-06-{9 + revision:02d}", "2026-06-01", "是", revision]  # fmt: skip
    yield [firm(11).name, firm(11).uscc, "粤税修〔2026〕11号", "名单", "", "申请", "2026-06-10", "2026-06-01", "是", 1]


def withdrawals() -> Iterator[Row]:
    """A penalty that was revoked, one published in error."""
    yield ["主体名称", "统一社会信用代码", "撤销决定文号", "信息类型", "原决定文书号", "撤销原因", "决定日期"]
    for number, reason in ((3, "撤销"), (12, "公示有误")):
        one = firm(number)
        yield [
            one.name,
            one.uscc,
            f"粤应急撤〔2026〕{number}号",
            "行政处罚",
            f"粤应急罚〔2026〕{number}号",
            reason,
            "2026-06-18",
        ]


def _with_wrong_inner_digit(one: Firm) -> str:
    """A code that passes mod 31 (GB 32100) though its organisation code has a wrong check digit (GB 11714)."""
    body = one.uscc[:16] + ("1" if one.uscc[16] != "1" else "2")
    return body + uscc_check(body)


def _hyphened(one: Firm) -> str:
    """The organisation code as people write it."""
    return f"{one.organisation_code[:8]}-{one.organisation_code[8]}"


def generate(folder: Path) -> None:
    """Write every sample file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "penalties-2016.csv", penalties_2016(), "gb18030")
    write_csv(folder / "registrations.csv", registrations(), "utf-8")
    write_xlsx(folder / "licences-2018.xlsx", "行政许可", licences_2018())
    write_csv(folder / "penalties-2018.csv", penalties_2018(), "utf-8-sig")
    write_csv(folder / "abnormal.csv", abnormal(), "utf-8-sig")
    write_csv(folder / "tax-list.csv", tax_list(), "gb18030")
    write_csv(folder / "wage-list.csv", wage_list(), "utf-8-sig")
    write_csv(folder / "court-list.csv", court_list(), "utf-8")
    write_csv(folder / "safety-list.csv", safety_list(), "utf-8-sig")
    write_csv(folder / "red-list.csv", red_list(), "utf-8-sig")
    write_csv(folder / "repairs.csv", repairs(), "utf-8-sig")
    write_csv(folder / "withdrawals.csv", withdrawals(), "utf-8-sig")


if __name__ == "__main__":
    generate(FOLDER)
