"""What those who sign in do, and what the public files: at the counter, in the workspace, at the operator's page. In a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.town import DESK, PHONE, Town
from tests.unit.test_portal_query import FIRM

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_citizen_objects_and_the_picture_says_so(town: Town) -> None:
    with town.visit() as page:
        page.goto("/disclosure/objection")
        page.get_by_label("统一社会信用代码").fill("91440300PDY00001X3")
        page.get_by_role("button", name="下一步").click()
        page.get_by_label("对哪份文书").select_option(index=1)
        page.get_by_label("理由").fill("认定的事实与实际不符，请予核查。")
        page.get_by_role("button", name="提交").click()
        expect(page.get_by_role("status")).to_contain_text("网上异议")
        town.picture(page, "filed")
    with town.visit(account="wang") as page:
        page.goto(f"/subjects/{FIRM}")
        for _ in range(100):
            if page.get_by_text("提出异议").count() > 1:
                break
            page.wait_for_timeout(200)
            page.reload()
        expect(page.locator("#timeline + ol")).to_contain_text("提出异议")


def test_a_wrong_password_says_so_and_no_more(town: Town) -> None:
    with town.visit() as page:
        page.goto("/login")
        page.get_by_label(re.compile("账号|Account")).fill("li")
        page.get_by_label(re.compile("密码|口令|Password")).fill("wrong wrong wrong")
        page.locator("main button").first.click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page).to_have_url(re.compile("/login"))


def test_a_counter_refuses_and_records_its_decision(town: Town) -> None:
    with town.visit(account="li") as page:
        page.get_by_role("link", name="核查").first.click()
        town.picture(page, "checks")
        page.get_by_label("代码").fill("91440300PDY00001X3")
        page.get_by_label("办理事项").first.select_option("政府采购")
        page.get_by_role("button", name="核查", exact=True).first.click()
        expect(page.get_by_label("结论")).to_contain_text("不予办理")
        expect(page.locator("#grounds + article")).to_contain_text("粤税失信〔2026〕3号")
        town.picture(page, "check")
        town.accessible(page, "check")
        page.get_by_label("不予办理").check()
        page.get_by_label("决定文号").fill("粤财采决〔2026〕7号")
        page.get_by_label("经办人（工号或岗位）").fill("财采处-07")
        page.get_by_role("button", name="登记").click()
        expect(page.locator("main")).to_contain_text("粤财采决〔2026〕7号")
        town.picture(page, "decided")
    with town.visit(account="li") as page:
        page.goto(f"/workspace/gd.fin/inbox/{FIRM}")
        for _ in range(50):
            if page.get_by_text("已执行").count():
                break
            page.wait_for_timeout(200)
            page.reload()
        expect(page.locator("main")).to_contain_text("已执行")


def test_the_workspace_shows_what_is_due(town: Town) -> None:
    with town.visit(account="li") as page:
        page.get_by_role("link", name="部门工作台").click()
        expect(page.locator("main")).to_contain_text("91440300PDY00001X3")
        town.picture(page, "workspace")
        page.locator("main a", has_text=re.compile("合成一号|91440300PDY00001X3")).first.click()
        expect(page.locator("main")).to_contain_text("禁止参加政府采购活动")
        town.picture(page, "case")
        town.accessible(page, "case")


def test_an_administrator_makes_an_account_and_somebody_signs_in_with_it(town: Town) -> None:
    with town.visit(account="guan") as page:
        page.get_by_role("link", name="账号管理").click()
        page.get_by_label("账号名").fill("zhao")
        page.get_by_label("角色").select_option("officer")
        page.get_by_label("部门（仅经办人）").select_option("gd.fin")
        page.get_by_role("button", name="开设").click()
        password = page.locator("section.notice code").inner_text()
        town.picture(page, "account-made")
        town.accessible(page, "account-made")
    with town.visit() as page:
        page.goto("/login")
        page.get_by_label(re.compile("账号|Account")).fill("zhao")
        page.get_by_label(re.compile("密码|口令|Password")).fill(password)
        page.locator("main button").first.click()
        page.goto("/workspace")
        expect(page).to_have_url(re.compile("/workspace/gd.fin/inbox"))
    with town.visit(account="guan") as page:
        page.goto("/accounts/zhao")
        page.get_by_role("button", name="停用").click()
        expect(page.locator("main")).to_contain_text("已停用")


def test_an_auditor_finds_who_asked_for_what(town: Town) -> None:
    with town.visit(account="li") as page:
        page.goto(f"/subjects/{FIRM}")
    with town.visit(account="shen") as page:
        page.get_by_role("link", name="访问日志").click()
        page.get_by_label("主体代码").fill(FIRM[4:])
        page.get_by_role("button", name="查询").click()
        expect(page.locator("table")).to_contain_text("信用画像")
        expect(page.locator("table")).to_contain_text("li")
        town.picture(page, "access-log")
        town.accessible(page, "access-log")
        with page.expect_download() as download:
            page.get_by_role("link", name="导出").click()
        assert download.value.suggested_filename.startswith("access-log-")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    ("account", "path"),
    [
        ("li", "/checks"), ("li", "/workspace"), ("li", "/account"), ("yun", "/operations"), ("shen", f"/subjects/{FIRM}"),
        ("guan", "/accounts"), ("guan", "/accounts/li"), ("guan", "/accounts/guan"), ("guan", "/accounts?lang=en"), ("shen", "/access-log"),
        ("", "/disclosure/complaint"), ("", f"/disclosure/objection?subject={FIRM}"),
    ],
)  # fmt: skip
def test_their_pages_are_accessible(town: Town, account: str, path: str, viewport: object) -> None:
    with town.visit(account=account, viewport=PHONE if viewport is PHONE else DESK) as page:
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, path
        town.accessible(page, path)
        name = re.sub(r"\W+", "-", path).strip("-")
        town.picture(page, f"{'phone' if viewport is PHONE else 'desk'}-{account}-{name}")


@pytest.mark.parametrize(
    ("account", "path"),
    [
        ("li", "/operations"),
        ("yun", "/workspace"),
        ("yun", "/checks"),
        ("shen", "/checks"),
        ("yun", "/accounts"),
        ("shen", "/accounts"),
        ("guan", "/access-log"),
        ("guan", "/checks"),
    ],
)
def test_a_room_is_closed_to_other_roles(town: Town, account: str, path: str) -> None:
    with town.visit(account=account) as page:
        answer = page.goto(path)
        assert answer
        assert answer.status == 403
        expect(page.get_by_role("alert")).to_be_visible()


def test_who_is_not_signed_in_is_led_there_and_back(town: Town) -> None:
    with town.visit() as page:
        page.goto("/workspace")
        expect(page).to_have_url(re.compile(r"/login\?next="))


def test_a_supervisor_sees_the_risk_class_and_what_it_is_made_of(town: Town) -> None:
    for size, viewport in (("desk", DESK), ("phone", PHONE)):
        with town.visit(account="wang", viewport=viewport) as page:
            page.goto(f"/subjects/{FIRM}")
            section = page.locator("#risk + article")
            expect(section).to_contain_text("列入严重失信主体名单")
            expect(section).to_contain_text("建议抽查比例")
            expect(section).to_contain_text("不作为任何限制或惩戒的依据")
            section.scroll_into_view_if_needed()
            town.picture(page, f"risk-{size}")
            town.accessible(page, f"risk-{size}")
    with town.visit(account="wang") as page:
        page.goto(f"/subjects/{FIRM}?lang=en")
        expect(page.locator("#risk + article")).to_contain_text("suggested inspection rate")
    for account in ("", "yun"):
        with town.visit(account=account) as page:
            page.goto(f"/subjects/{FIRM}")
            expect(page.locator("#registration")).to_be_visible()
            expect(page.locator("#risk")).to_have_count(0)
