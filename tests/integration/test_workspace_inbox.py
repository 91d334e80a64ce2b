"""The inbox of a department's workspace: what is open, overdue and done; answers, wrong ones and those sent twice; nobody else's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from consumers.portal.workspace.inbox import read_overdue
from exchange.domain.access import Role, Visitor
from exchange.domain.facts import own_revision
from exchange.domain.synthetic import synthetic_uscc
from tests.e2e.bus import LiveBus, live_bus
from tests.working import FIN, TAX, TODAY, Workspace, days_ago, feed_done, filled, officer, workspace_on
from tests.worlds import FIRM, OTHER

pytestmark = pytest.mark.servers
INBOX = f"/workspace/{FIN}/inbox"
CASE = f"{INBOX}/{FIRM}"
BAN = "procurement_ban"


class Desk(NamedTuple):
    """An officer of gd.fin, whose department was told of one firm long ago and of another today."""

    bus: LiveBus
    workspace: Workspace


@pytest.fixture(scope="module")
def desk(new_bus: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("workspace")
    with live_bus(new_bus(), folder, days_ago(40)) as bus:
        bus.listing(TAX, "TAX", FIRM, "粤税失信〔2026〕1号", grounds="1", serious=True)
        bus.settle()
        bus.move_to(TODAY)
        bus.listing(TAX, "TAX", OTHER, "粤税失信〔2026〕2号", grounds="1", serious=True)
        bus.settle()
        with workspace_on(bus.settings, folder, officer(FIN)) as workspace:
            yield Desk(bus, workspace)


@pytest.fixture(autouse=True)
def _officer(desk: Desk) -> None:
    desk.workspace.as_visitor(officer(FIN))


LIFTED = "org:93445300PDY000036M"


def answers(bus: LiveBus, subject: str = FIRM, measure: str = BAN) -> Any:
    _, standing, _, _ = bus.picture(subject)
    return standing.answers.get(f"{FIN} {measure}")


def form_about(page: str, measure: str) -> dict[str, str]:
    return next(one for one in (filled(page, number) for number in range(page.count('method="post"'))) if one["measure"] == measure)  # fmt: skip


def test_notices_stand_the_newest_first_with_their_due_day(desk: Desk) -> None:
    page = desk.workspace.page(INBOX)
    assert page.index(f"{INBOX}/{OTHER}") < page.index(f"{INBOX}/{FIRM}")
    assert "禁止参加政府采购活动" in page
    assert "逾期" in page


def test_each_view_has_its_notices(desk: Desk) -> None:
    assert f"{INBOX}/{OTHER}" not in desk.workspace.page(f"{INBOX}?view=overdue")
    overdue = desk.workspace.page(f"{INBOX}?view=overdue")
    assert f"{INBOX}/{FIRM}" in overdue
    assert "已被后续通知取代" in desk.workspace.page(f"{INBOX}?view=all"), "the reminder superseded the first notice"


def test_pages_are_turned_by_a_cursor_of_ones_own(desk: Desk) -> None:
    form = desk.workspace.parts.form
    behind = form.write(FIN, (0,) * desk.workspace.parts.partitions)
    assert "没有这样的通知" in desk.workspace.page(f"{INBOX}?view=all&cursor={behind}")
    foreign = form.write(TAX, (0,) * desk.workspace.parts.partitions)
    assert "游标属于其他部门" in desk.workspace.page(f"{INBOX}?cursor={foreign}", 400)
    desk.workspace.page(f"{INBOX}?cursor=nonsense", 400)


def test_a_case_says_what_to_do_and_why(desk: Desk) -> None:
    page = desk.workspace.page(CASE)
    for what in ("粤税失信〔2026〕1号", "政府采购法", "反馈期限", "实施：禁止参加政府采购活动", "逾期提醒"):
        assert what in page
    assert 'lang="en"' in desk.workspace.page(f"{CASE}?lang=en")
    desk.workspace.client.cookies.clear()


def test_accept_execute_and_correct(desk: Desk) -> None:
    typed = form_about(desk.workspace.page(f"{INBOX}/{OTHER}"), BAN)
    assert "答复已登记" in desk.workspace.send(f"{INBOX}/{OTHER}", typed | {"state": "ACKNOWLEDGED"})
    feed_done(desk.bus)
    page = desk.workspace.page(f"{INBOX}/{OTHER}")
    executed = form_about(page, BAN) | {
        "state": "EXECUTED", "detail": "已列入政府采购禁止参加名单", "executed_on": TODAY, "amount_yuan": "2000.50",
        "evidence": "粤财采禁〔2026〕40号", "officer": "财采处-07",
    }  # fmt: skip
    page = desk.workspace.send(f"{INBOX}/{OTHER}", executed)
    feed_done(desk.bus)
    assert "2,000.50" in page
    found = answers(desk.bus, OTHER)
    assert (found.state, found.amount, found.officer) == (1, 200050, "财采处-07")


def test_an_answer_sent_twice_is_one_answer(desk: Desk) -> None:
    typed = form_about(desk.workspace.page(CASE), BAN) | {"state": "NOT_APPLICABLE", "detail": "已无采购活动"}
    for _ in range(2):
        desk.workspace.send(CASE, typed)
    feed_done(desk.bus, 2)
    assert own_revision(answers(desk.bus).revision) == int(typed["revision"])


def test_an_answer_from_a_page_that_somebody_has_overtaken_is_refused(desk: Desk) -> None:
    typed = form_about(desk.workspace.page(CASE), BAN)
    desk.workspace.send(CASE, typed | {"state": "EXECUTED", "detail": "已执行"})
    feed_done(desk.bus)
    page = desk.workspace.send(CASE, typed | {"state": "DECLINED", "detail": "法律理由"}, 422)
    assert "页面打开后已有答复" in page
    assert answers(desk.bus).state == 1


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"state": "DECLINED", "detail": " "}, "detail", "不予执行未写明法律理由"),
        ({"snoozed_until": "2099-01-01", "officer": ""}, "officer", "暂缓未写明经办人"),
        ({"executed_on": "昨天", "amount_yuan": "很多"}, "executed_on", "日期格式错误"),
        ({"state": "ENDED"}, "state", "未知代码值"),
        ({"state": "<script>"}, "state", "未知代码值"),
        ({"detail": "x" * 5000}, "detail", "字段过长"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(desk: Desk, changes: dict[str, str], field: str, says: str) -> None:
    typed = form_about(desk.workspace.page(CASE), BAN) | {"state": "ACKNOWLEDGED"} | changes
    answer = desk.workspace.client.post(CASE, data=typed)
    assert answer.status_code == 422
    assert f"{field}-errors" in answer.text
    assert says in answer.text
    assert "<script>" not in answer.text.replace('<script src="', "")


def test_a_respite_names_its_officer_and_takes_the_case_off_the_overdue(desk: Desk) -> None:
    duties = [one for one in desk.workspace.parts.cases(FIN, [FIRM])[FIRM].open if one.obligation.measure != BAN]
    measure = duties[0].obligation.measure
    typed = form_about(desk.workspace.page(CASE), measure)
    page = desk.workspace.send(
        CASE, typed | {"state": "ACKNOWLEDGED", "officer": "07", "snoozed_until": "2099-01-01"}, 200
    )
    feed_done(desk.bus)
    assert "暂缓至" in page
    assert measure not in {one.owed.measure for one in read_overdue(desk.workspace.parts, FIN)}


def test_a_lift_is_confirmed(desk: Desk) -> None:
    desk.bus.listing(TAX, "TAX", LIFTED, "粤税失信〔2026〕3号", grounds="1", serious=True)
    desk.bus.settle()
    desk.bus.publish(
        TAX,
        "withdrawal",
        LIFTED,
        "撤3",
        target_type="listing",
        target_department=TAX,
        target_document="粤税失信〔2026〕3号",
    )
    desk.bus.settle()
    page = desk.workspace.page(f"{INBOX}/{LIFTED}")
    assert "解除：禁止参加政府采购活动" in page
    desk.workspace.send(f"{INBOX}/{LIFTED}", form_about(page, BAN) | {"state": "ENDED"})
    feed_done(desk.bus)
    assert answers(desk.bus, LIFTED).state == 4


def test_another_departments_inbox_is_closed(desk: Desk) -> None:
    for path in (INBOX, CASE):
        desk.workspace.as_visitor(officer(TAX)).page(path, 403)
        desk.workspace.as_visitor(Visitor()).page(path, 403)
    assert desk.workspace.client.post(CASE, data={}).status_code == 403
    auditor = Visitor(role=Role.AUDITOR, account="audit")
    assert "答复</summary>" not in desk.workspace.as_visitor(auditor).page(CASE), "an auditor reads and answers nothing"
    assert desk.workspace.client.post(CASE, data={}).status_code == 403


def test_a_subject_without_notices_is_not_found(desk: Desk) -> None:
    assert "没有关于该主体的通知" in desk.workspace.page(f"{INBOX}/org:{synthetic_uscc(77)}", 404)
    desk.workspace.page(f"{INBOX}/nonsense", 400)
