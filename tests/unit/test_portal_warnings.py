"""The pages of early warnings, and what of them each visitor sees elsewhere."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange.domain.access import PUBLIC, Role, Visitor
from exchange.domain.calendar import day_of, to_date
from exchange.domain.check import Answer, check
from exchange.domain.identity import parse_subject
from exchange.domain.judge import judge
from exchange.look_up import look_up
from exchange.records import EarlyWarning, WarningDomain, WarningLevel, WarningSignal, WarningState, to_avro
from tests.portal import TestPortal
from tests.unit.test_portal_query import FIRM, examples

FINANCE = Visitor(role=Role.OFFICER, department="gd.fin", account="li")
LEAD = Visitor(role=Role.OFFICER, department="gd.drc", account="zhao")
AUDITOR = Visitor(role=Role.AUDITOR, account="audit")
RAILWAY = Visitor(role=Role.OFFICER, department="ext.railway", account="tie")
OPERATOR = Visitor(role=Role.OPERATOR, account="op")
SERIES = "series:penalty.region.440300"
NOW = datetime.now(UTC)
TODAY = to_date(day_of(int(NOW.timestamp() * 1000)))


def warning(subject: str = SERIES, **fields: Any) -> tuple[str, dict[str, Any]]:
    given: dict[str, Any] = {
        "subject": parse_subject(subject), "subject_name": "深圳市行政处罚", "department": "gd.data", "document": "YJ-1",
        "revision": 1, "decided_on": TODAY - timedelta(days=3), "published_at": NOW, "signal": WarningSignal.PENALTY,
        "domain": WarningDomain.GENERAL, "level": WarningLevel.ORANGE, "observed": 61, "expected": Decimal("22.40"),
        "window_from": NOW - timedelta(days=2), "window_until": NOW - timedelta(days=1), "recent_counts": (20, 24, 61),
        "recent_expected": (2200, 2210, 2240), "explanation_zh": "处罚增多的说明", "explanation_en": "why there are more",
        "valid_until": TODAY + timedelta(days=20), "basis": "粤府〔2016〕133号", "division": "440300",
    } | fields  # fmt: skip
    return "early_warning", to_avro(EarlyWarning(**given))


ABOUT_FIRM = warning(
    FIRM, document="YJ-2", subject_name="合成一号科技有限公司", signal=WarningSignal.PENALTY_BURST, domain=WarningDomain.MARKET,
    level=WarningLevel.YELLOW, documents=("penalty/gd.amr/粤市监罚〔2026〕11号",), explanation_zh="多次处罚的说明", recent_counts=(),
    recent_expected=(), window_from=None, window_until=None,
)  # fmt: skip
RECORDS = [
    *(one for one in examples() if one[0] == "registration"),
    warning(),
    ABOUT_FIRM,
    warning(
        "series:complaint.industry.F", document="YJ-3", domain=WarningDomain.MARKET, level=WarningLevel.RED, division=""
    ),
    warning("series:penalty.region.440100", document="YJ-4", state=WarningState.ENDED, division="440100"),
    warning("series:penalty.region.440200", document="YJ-5", valid_until=TODAY - timedelta(days=1), division="440200"),
]


def seen_by(visitor: Visitor) -> TestPortal:
    return TestPortal(RECORDS, visitor)


def test_officers_see_what_is_in_force_the_gravest_first() -> None:
    page = seen_by(FINANCE).text("/warnings")
    places = [page.index(name) for name in ("批发和零售业投诉举报", "深圳市行政处罚", "合成一号科技有限公司")]
    assert places == sorted(places)
    assert "处罚增多的说明" in page
    assert "YJ-4" not in page, "over"
    assert "YJ-5" not in page, "lapsed"
    assert "Complaints: wholesale and retail" in seen_by(FINANCE).text("/warnings?lang=en")


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("level=RED", "YJ-3", "YJ-1"),
        ("domain=GENERAL", "YJ-1", "YJ-3"),
        ("division=440300", "YJ-1", "YJ-3"),
        ("industry=F", "YJ-3", "YJ-1"),
    ],
)
def test_a_filter_narrows(query: str, found: str, missing: str) -> None:
    page = seen_by(AUDITOR).text(f"/warnings?{query}")
    assert f"document={found}" in page
    assert f"document={missing}" not in page


def test_a_warning_says_why_what_was_counted_and_who_follows_it_up() -> None:
    page = seen_by(LEAD).text(f"/warnings/{SERIES}?document=YJ-1")
    for what in (
        "橙色",
        "生效中",
        "处罚增多的说明",
        "22.4",
        "预警提示",
        "重点关注",
        "粤府〔2016〕133号",
        'id="chart-data"',
        "warnings.js",
    ):
        assert what in page
    assert f'href="/workspace/gd.drc/inbox/{SERIES}"' in page
    over = seen_by(LEAD).text("/warnings/series:penalty.region.440100")
    assert "已解除" in over
    assert "预警提示" not in over


def test_a_warning_about_a_firm_names_the_records_it_rests_on() -> None:
    page = seen_by(FINANCE).text(f"/warnings/{FIRM}")
    assert "粤市监罚〔2026〕11号" in page
    assert f'href="/subjects/{FIRM}"' in page
    picture = seen_by(FINANCE).text(f"/subjects/{FIRM}")
    assert "预警提示" in picture
    assert f"/warnings/{FIRM}?document=YJ-2" in picture
    assert "怎样修复" not in picture, "there is nothing to repair about a warning"


@pytest.mark.parametrize("visitor", [PUBLIC, OPERATOR, RAILWAY])
def test_who_may_not_see_warnings_sees_nothing_of_them(visitor: Visitor) -> None:
    portal = seen_by(visitor)
    picture = portal.text(f"/subjects/{FIRM}")
    for trace in ("预警", "YJ-2", "多次处罚的说明", "重点关注", "政务服务和数据管理局"):
        assert trace not in picture.replace('<a href="/warnings">监测预警</a>', ""), trace
    assert "未列入任何名单" in picture
    assert "WARN-" not in portal.text("/disclosure")
    portal.text("/disclosure/lists/WARN-MARKET", status=400)
    assert portal.client.get("/disclosure/open-data/list-WARN-MARKET.json").text == ""
    if visitor is RAILWAY:
        assert "YJ-" not in portal.text("/warnings")
        portal.text(f"/warnings/{SERIES}", status=404)
    else:
        portal.text(f"/subjects/{SERIES}", status=404)


def test_a_series_has_its_warnings_as_its_page() -> None:
    answer = seen_by(FINANCE).client.get(f"/subjects/{SERIES}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/warnings/{SERIES}")
    seen_by(FINANCE).text("/warnings/series:penalty.region.440500", status=404)
    seen_by(FINANCE).text(f"/subjects/{SERIES}/report.pdf", status=404)


def test_a_warning_changes_no_check() -> None:
    parts = seen_by(FINANCE).parts
    standing = look_up(parts.store, parts.settings.partitions, FIRM).standing
    book = parts.books.today()
    assert judge(standing, book).measures["gd.amr"].keys() == {"warning_prompt"}
    for matter in book.policy.matters:
        assert check(standing, book, matter).answer is Answer.CLEAR
