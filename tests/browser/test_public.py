"""What a citizen or a firm does: look somebody up, read why, print it, check a print, see what is disclosed. In a real browser."""

import re
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from consumers.open_data.release import Figure, release
from consumers.open_data.run import releases_folder
from consumers.portal.statistics.tiles import PLACES
from tests.browser.town import DESK, PHONE, Town
from tests.unit.test_portal_query import FIRM

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", autouse=True)
def released(town: Town) -> None:
    """A release of open data, with every figure."""
    codes = [*PLACES, "total"]
    counts = [{"row": code, "penalty": None if n == 3 else 5 * n, "total": 5 * n} for n, code in enumerate(codes)]
    months = [{"row": f"2026-{n:02}", "penalty": 40 + n, "total": 40 + n} for n in range(1, 12)]
    shares = {
        "timeliness": 0.98,
        "completeness": 0.7,
        "correction_rate": 0.01,
        "rejection_rate": None,
        "cycle_rate": 1.0,
    }
    league = [{"row": "gd.eco", "rank": 1, "on_time": 49, "late": 1, "overdue": 0} | shares]
    contents = {
        "regions": counts, "trends": months, "lists": [{"row": "TAX", "penalty": 7, "total": 7}], "league": league,
    }  # fmt: skip
    figures = [
        Figure(name, name, name, {"columns": ["penalty", "total"], "rows": rows}) for name, rows in contents.items()
    ]
    release(releases_folder(town.settings), date(2026, 11, 28), [], figures)


def test_statistics_are_read_with_and_without_scripts(town: Town) -> None:
    for scripts in (True, False):
        with town.visit(scripts=scripts) as page:
            page.goto("/disclosure")
            page.get_by_role("main").get_by_role("link", name="信用统计").click()
            expect(page.get_by_role("img", name=re.compile("各市"))).to_contain_text("韶关")
            expect(page.get_by_role("table", name=re.compile("近一年作出的决定"))).to_contain_text("广州市")
            expect(page.locator("#trend-chart canvas")).to_have_count(int(scripts))
            if scripts:
                town.picture(page, "statistics")
            page.get_by_text("图表数据").click()
            expect(page.get_by_role("table", name=re.compile("按月"))).to_contain_text("2026-11")
            page.get_by_role("link", name="开放数据").click()
            with page.expect_download() as download:
                page.get_by_role("link", name="figure-league.json").click()
            assert "gd.eco" in download.value.path().read_text("utf-8")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_firm_is_found_by_name_and_read(town: Town, scripts: bool) -> None:
    with town.visit(scripts=scripts) as page:
        page.goto("/")
        page.get_by_role("searchbox").fill("一号科技")
        page.get_by_role("button", name="查询").click()
        page.get_by_role("link", name="合成一号科技有限公司").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("合成一号科技有限公司")
        expect(page.get_by_label("信用状况")).to_contain_text("列入失信名单")
        expect(page.get_by_text("怎样修复").first).to_be_visible()
        if scripts:
            town.picture(page, "picture")


def test_the_whole_query_goes_by_keyboard(town: Town) -> None:
    with town.visit() as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("hcyhkj")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="合成一号科技有限公司")).to_be_visible()


def test_in_english(town: Town) -> None:
    with town.visit() as page:
        page.goto(f"/subjects/{FIRM}")
        page.get_by_role("link", name="English").click()
        expect(page.get_by_text("On a blacklist")).to_be_visible()
        page.goto("/")
        expect(page.get_by_role("button", name="Search")).to_be_visible()


def test_a_report_is_printed_and_checked(town: Town, tmp_path: Path) -> None:
    with town.visit() as page:
        answer = page.request.get(f"/subjects/{FIRM}/report.pdf")
        assert answer.ok
        file = tmp_path / "report.pdf"
        file.write_bytes(answer.body())
        page.goto("/verify")
        page.get_by_label("报告 PDF").set_input_files(file)
        page.get_by_role("button", name="核验全部内容").click()
        expect(page.get_by_role("status")).to_contain_text("报告属实")
        town.picture(page, "verified")


def test_disclosure_leads_to_the_subject(town: Town) -> None:
    with town.visit() as page:
        page.goto("/disclosure")
        town.picture(page, "disclosure")
        page.get_by_role("link", name="重大税收违法失信主体").click()
        page.get_by_role("link", name="合成一号科技有限公司").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("合成一号科技有限公司")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "path",
    ["/", "/search?q=合成", f"/subjects/{FIRM}", "/verify", "/login", "/disclosure", "/disclosure/penalties", "/disclosure/lists/TAX",
     "/disclosure/calendar", "/disclosure/catalogue", "/subjects/org:xx", "/statistics", "/disclosure/open-data"],
)  # fmt: skip
def test_pages_are_accessible_at_a_desk_and_on_a_phone(town: Town, path: str, viewport: object) -> None:
    with town.visit(viewport=PHONE if viewport is PHONE else DESK) as page:
        page.goto(path)
        town.accessible(page, path)
        if viewport is PHONE:
            town.picture(page, "phone-" + re.sub(r"\W+", "-", path).strip("-"))


def test_the_browser_reports_no_error(town: Town) -> None:
    with town.visit() as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        for path in ("/", f"/subjects/{FIRM}", "/disclosure", "/verify", "/statistics"):
            page.goto(path)
        assert not said
