"""Each alert driven to fire and to clear by a real fault, on a running bus that a real Prometheus watches with the shipped rules.

The rules are the shipped ones, made faster by `tests.prometheus.shorten`. The tests share one bus, in any order. Not driven here:

- CreditbusCheckpointOld, CreditbusReceiptsWaiting, CreditbusAccessLogWaiting: their limits are reached after minutes, or by thousands of entries;
- CreditbusArchiveDiffers, CreditbusEarlyWarningDiffers: need a damaged archive or window, which tests/faults makes in minutes;
- CreditbusDoorErrors: needs the doors, whose faults tests/faults/test_gateway.py has.

For these `promtool test rules` shows that they fire and clear.
"""

import time
from collections.abc import Iterator

import pytest

from tests.conftest import BusFactory, RunningStack
from tests.e2e.drills import hanging_transaction, send_bad, send_classified, send_penalty
from tests.e2e.watched import DEPARTMENT, WatchedBus, watched_bus
from tests.faults.records import about_firm
from tests.prometheus import dashboards, program, queries_of
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def watched(new_bus: BusFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedBus]:
    program("prometheus")
    with watched_bus(new_bus(), tmp_path_factory.mktemp("watched")) as found:
        yield found


@pytest.fixture(autouse=True)
def at_work(watched: WatchedBus) -> None:
    """All processes are seen, and notices come."""
    watched.flowing.set()
    watched.clears("CreditbusProcessDown", "CreditbusPartitionsUnowned")
    watched.await_value("sum(rate(creditbus_notices_total[5s])) > 0", "notices come")
    watched.since = time.time()


def test_what_departments_do_wrong(watched: WatchedBus) -> None:
    watched.fires("CreditbusWatchdog")
    settings = watched.settings
    send_bad(settings, "gd.tax", (settings.quarantine_run + 5) * settings.partitions)
    send_classified(settings, "gd.court")
    send_penalty(settings, "gd.eco", "12")
    watched.fires("CreditbusTopicHeld", "CreditbusQuarantineRatio", department="gd.tax")
    watched.fires("CreditbusClassifiedRefused", department="gd.court")
    watched.fires("CreditbusDisclosureOverdue", department="gd.eco")
    watched.await_value(f'sum(creditbus_held_topics{{department="gd.tax"}}) == {settings.partitions}', "all are held")
    watched.command("rejected", "release", "--department", "gd.tax")
    send_penalty(settings, "gd.eco", "440300")
    watched.clears("CreditbusTopicHeld", "CreditbusQuarantineRatio", department="gd.tax")
    watched.clears("CreditbusClassifiedRefused", department="gd.court")
    watched.clears("CreditbusDisclosureOverdue", department="gd.eco")


def test_an_endpoint_that_fails_and_one_that_is_paused(watched: WatchedBus) -> None:
    desk = watched.desks.desks[DEPARTMENT]
    wait_until(lambda: bool(desk.taken), "notices are delivered")
    desk.answer = lambda: (500, {})
    watched.fires("CreditbusDeliveryCircuitOpen", "CreditbusDeliveryLate", department=DEPARTMENT)
    watched.command("endpoints", "pause", DEPARTMENT)
    watched.fires("CreditbusEndpointInactive", department=DEPARTMENT)
    watched.clears("CreditbusDeliveryLate", department=DEPARTMENT)
    desk.answer = lambda: (204, {})
    watched.command("endpoints", "resume", DEPARTMENT)
    watched.clears("CreditbusEndpointInactive", "CreditbusDeliveryCircuitOpen", "CreditbusDeliveryLate")


def test_responses_whose_day_passes(watched: WatchedBus) -> None:
    watched.bus.feed([about_firm("gd.hrss", "listing", "演练名单〔2026〕1号", list_code="WAGE", grounds="1")])
    watched.await_value(
        'creditbus_notices_total{department="gd.fin", measure="procurement_ban"}', "the measure is told"
    )
    watched.flowing.clear()
    watched.await_value("sum(creditbus_lag_records) == 0", "all is taken in")
    try:
        watched.days_ahead(40)
        watched.fires("CreditbusOverdueResponses", department="gd.fin")
        assert not watched.prometheus.fires("CreditbusStuck"), (
            "a bus at rest is not stuck with the markers of transactions"
        )
        watched.answer_overdue("gd.fin")
        watched.clears("CreditbusOverdueResponses", department="gd.fin")
    finally:
        watched.days_ahead(0)


def test_a_transaction_that_never_ends_holds_partitions_up(watched: WatchedBus) -> None:
    with hanging_transaction(watched.settings, "gd.court"):
        watched.bus.feed([about_firm("gd.court", "listing", f"演练执〔2026〕{number}号", list_code="COURT", grounds="1") for number in range(400)])  # fmt: skip
        watched.flowing.clear()
        watched.fires("CreditbusPartitionStandsStill", "CreditbusLag", "CreditbusStuck")
    watched.flowing.set()
    watched.clears("CreditbusPartitionStandsStill", "CreditbusLag", "CreditbusStuck")


def test_kafka_gone_for_a_while(watched: WatchedBus, stack: RunningStack) -> None:
    stack.kafka.kill()
    stack.kafka.start()
    watched.fires("CreditbusOutboxOld", "CreditbusLatencyBudgetFast", "CreditbusLatencyBudgetSlow")
    watched.clears("CreditbusOutboxOld", "CreditbusLatencyBudgetFast", "CreditbusLatencyBudgetSlow")


def test_redis_gone_and_come_back_older(watched: WatchedBus, stack: RunningStack) -> None:
    stack.valkey.kill()
    try:
        watched.fires("CreditbusServerAway")
    finally:
        stack.valkey.start()
    watched.await_value("sum(rate(creditbus_records_total[5s])) > 0", "the processor is at work again")
    watched.command("rebuild", "--yes")  # which fences it
    watched.fires("CreditbusFenced", process="standing")
    watched.fires("CreditbusReconciled")
    watched.clears("CreditbusServerAway", "CreditbusFenced", "CreditbusReconciled")


def test_processes_that_are_killed(watched: WatchedBus) -> None:
    watched.kill("ledger")
    watched.kill("standing")
    watched.fires("CreditbusProcessDown", process="ledger")
    watched.fires("CreditbusPartitionsUnowned")
    watched.start("standing")
    watched.start("ledger")
    watched.clears("CreditbusProcessDown", "CreditbusPartitionsUnowned")


def test_a_certificate_that_ends_soon(watched: WatchedBus) -> None:
    watched.renew_certificate(2)
    watched.fires("CreditbusCertificateExpires", severity="page")
    watched.renew_certificate(10)
    watched.clears("CreditbusCertificateExpires", severity="page")
    watched.fires("CreditbusCertificateExpires", severity="ticket")
    watched.renew_certificate(365)
    watched.clears("CreditbusCertificateExpires")


SILENT = {
    "business": {
        "无依据的规则 rules without a legal basis in force, an hour", "反馈 feedback by state, an hour",
        "逾期 overdue by department", "催办与上报 reminders and escalations, a day", "逾期公示 overdue by department",
        "预警 warnings by level, a day", "信用风险分类 firms by risk class", "措施解除 measures lifted",
        "解除 lifted by measure, an hour", "退回原因 rejected by reason, an hour",
    },
    "department": {
        "反馈 feedback by state", "催办 reminders", "HTTP 收取 over HTTP", "退回率 rejected, 15 min", "退回原因 rejected by reason",
        "双公示 disclosures by timing", "逾期公示 not disclosed", "按类型 records by type", "报送/日 records a day",
    },
    "operations": {"退回 rejected by department", "等待服务器 waits for servers"},
}  # fmt: skip
"""Panels that may be empty: of processes that do not run here, or of faults that another test of this file makes."""


def test_every_question_of_the_dashboards_is_answered(watched: WatchedBus) -> None:
    watched.await_value(f'creditbus_delivered_total{{department="{DEPARTMENT}"}} > 0', "notices are delivered")
    unanswered = set()
    for name, board in dashboards().items():
        for title, expression in queries_of(board):
            asked = expression.replace("$__rate_interval", "5s").replace("$department", DEPARTMENT)
            if not watched.prometheus.query(asked):
                unanswered.add((name, title))
    assert unanswered <= {(name, title) for name, titles in SILENT.items() for title in titles}
