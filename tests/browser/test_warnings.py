"""Early warnings in a real browser: the list, a warning with its chart, and the notice in the department's workspace."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from consumers.early_warning.baseline import Baseline
from consumers.early_warning.findings import Finding, Warnings
from consumers.early_warning.season import Seasons
from consumers.early_warning.series import Counted, Series
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, day_of, to_date
from exchange.domain.identity import parse_subject
from exchange.records import EarlyWarning, WarningDomain, WarningLevel, WarningSignal, to_avro
from exchange.working_days import load_working_days
from tests.browser.town import DESK, PHONE, Town
from tests.portal import CATALOGUE, POLICY
from tests.unit.test_portal_query import FIRM

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


def outbreak(series: Series, base: int, rise: int) -> EarlyWarning:
    """The newest word of a warning that began three days ago, as the detector gives it."""
    seasons, days = Seasons(load_working_days()), load_working_days()
    today = day_of(int(datetime.now(UTC).timestamp() * 1000))
    baseline, found = Baseline(seasons), list[Finding]()
    for day in range(today - 120, today):
        usual = base + day * 7 % 5 if days.is_working(day) else 1
        count = usual + rise if day >= today - 3 else usual
        found += baseline.observe(Counted(series, day * DAY_MS - CHINA_OFFSET_MS, DAY_MS, count))
    return Warnings(CATALOGUE, POLICY).of(found[-1])


def about_the_firm() -> EarlyWarning:
    now = datetime.now(UTC)
    today = to_date(day_of(int(now.timestamp() * 1000)))
    return EarlyWarning(
        subject=parse_subject(FIRM), subject_name="合成一号科技有限公司", department="gd.data", document="YJ-合成-1", revision=1,
        decided_on=today - timedelta(days=2), published_at=now, division="440300", signal=WarningSignal.PENALTY_BURST,
        domain=WarningDomain.MARKET, level=WarningLevel.YELLOW, observed=4, expected=Decimal(3),
        explanation_zh="90日内受到4次行政处罚，预警阈值为3次。", explanation_en="4 penalties within 90 days; the threshold is 3.",
        documents=("penalty/gd.amr/粤市监罚〔2026〕11号",), valid_until=today + timedelta(days=60), basis="国市监信发〔2022〕6号",
    )  # fmt: skip


@pytest.fixture(scope="module")
def warnings(town: Town) -> tuple[EarlyWarning, ...]:
    """Warnings that are on the bus and on the page."""
    fin, shenzhen = Series("penalty", "department", "gd.fin"), Series("complaint", "region", "440300")
    made = (outbreak(fin, 30, 60), outbreak(shenzhen, 90, 500), about_the_firm())
    for one in made:
        town.publishers.publish("gd.data", to_avro(one), "early_warning").result(30)
    with town.visit(account="li") as page:
        for _ in range(100):
            page.goto("/warnings")
            if page.locator("tbody tr").count() == len(made) and "为" in page.locator("tbody").inner_text():
                break
            page.wait_for_timeout(200)
    return made


def test_warnings_from_the_detector_to_the_department(town: Town, warnings: tuple[EarlyWarning, ...]) -> None:
    for viewport, name in ((DESK, "desk"), (PHONE, "phone")):
        with town.visit(account="li", viewport=viewport) as page:
            page.goto("/warnings")
            expect(page.locator("tbody tr")).to_have_count(len(warnings))
            town.picture(page, f"warnings-{name}")
            town.accessible(page, f"warnings {name}")
            page.get_by_role("link", name="广东省财政厅行政处罚").click()
            expect(page.locator("h1")).to_contain_text("广东省财政厅行政处罚")
            expect(page.locator("#chart canvas")).to_be_visible()
            expect(page.locator("#follows + ul")).to_contain_text("预警提示")
            page.wait_for_timeout(200)
            town.picture(page, f"warning-{name}")
            town.accessible(page, f"warning {name}")
            page.locator("#follows + ul a").first.click()
            expect(page.locator("h1")).to_contain_text("广东省财政厅行政处罚")
            expect(page.locator("main")).to_contain_text("预警提示")
            town.picture(page, f"warning-case-{name}")
            town.accessible(page, f"case {name}")
            page.goto("/workspace/gd.fin/inbox")
            expect(page.locator("tbody")).to_contain_text("广东省财政厅行政处罚")
            page.goto(f"/subjects/{FIRM}")
            expect(page.locator("main")).to_contain_text("监管提示，不限制权利")
            town.picture(page, f"warning-picture-{name}")
            town.accessible(page, f"picture {name}")


@pytest.mark.usefixtures("warnings")
def test_the_keyboard_reaches_everything_and_english_is_there(town: Town) -> None:
    with town.visit(account="li", scripts=False) as page:
        page.goto("/warnings?lang=en")
        expect(page.locator("h1")).to_have_text("Early warnings")
        page.get_by_label("Level, or graver").focus()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Domain")).to_be_focused()
        page.locator("tbody a").first.press("Enter")
        page.locator("summary").first.press("Enter")
        expect(page.locator("#chart-data")).to_be_visible()
        expect(page.locator("#chart-data tbody tr")).to_have_count(28)


@pytest.mark.usefixtures("warnings")
def test_the_public_sees_no_warning(town: Town) -> None:
    with town.visit() as page:
        page.goto(f"/subjects/{FIRM}")
        expect(page.locator("main")).not_to_contain_text("预警")
        answer = page.goto("/warnings")
        assert answer
        assert "/login" in page.url
