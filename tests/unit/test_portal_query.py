"""The one-stop query: what each visitor sees of a subject, in both languages, without JavaScript."""

import json
import re
from datetime import date
from typing import Any

import pytest

from exchange.catalogue import RECORD_TYPES
from exchange.domain.access import PUBLIC, Role, Visitor
from exchange.domain.synthetic import synthetic_uscc
from exchange.json_form import from_json
from exchange.paths import SCHEMAS
from tests.portal import CODEC, TestPortal

FIRM = "org:91440300PDY00001X3"
OFFICER = Visitor(role=Role.OFFICER, department="gd.fin", account="li")
TAX = Visitor(role=Role.OFFICER, department="gd.tax", account="wang")
AUDITOR = Visitor(role=Role.AUDITOR, account="audit")


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Every golden example of what departments publish."""
    folders = [one for one in sorted((SCHEMAS / "examples").iterdir()) if one.name in RECORD_TYPES]
    return [
        (one.name, from_json(CODEC.contracts.latest[one.name].schema, json.loads(path.read_text(encoding="utf-8"))))
        for one in folders
        for path in sorted(one.glob("*.json"))
    ]


def standing_examples() -> list[tuple[str, dict[str, Any]]]:
    """The examples without what takes the firm's listing back."""
    return [(kind, record) for kind, record in examples() if kind not in ("withdrawal", "objection")]


def listed(document: str, subject: str = FIRM, **fields: Any) -> tuple[str, dict[str, Any]]:
    record = next(one for kind, one in examples() if kind == "listing" and one["subject"] == FIRM)
    return "listing", record | {"subject": subject, "document": document} | fields


@pytest.fixture(scope="module")
def portal() -> TestPortal:
    return TestPortal(standing_examples())


def seen_by(visitor: Visitor) -> TestPortal:
    return TestPortal(standing_examples(), visitor)


def test_a_code_leads_to_its_picture_at_once(portal: TestPortal) -> None:
    answer = portal.client.get("/search?q=91440300pdy00001x3", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/subjects/{FIRM}")


@pytest.mark.parametrize("text", ["合成一号", "hcyhkj", "一号科技"])
def test_a_name_leads_to_a_list(portal: TestPortal, text: str) -> None:
    page = portal.text(f"/search?q={text}")
    assert f'href="/subjects/{FIRM}"' in page
    assert "合成一号科技有限公司" in page


def test_nothing_found_says_so_and_what_to_do(portal: TestPortal) -> None:
    assert "没有找到" in portal.text("/search?q=不存在的名称")


def test_the_picture_answers_at_a_glance(portal: TestPortal) -> None:
    page = portal.text(f"/subjects/{FIRM}")
    verdict = re.search(r'<section class="verdict bad".*?</section>', page, re.DOTALL)
    assert verdict
    assert "列入失信名单" in verdict[0]
    assert "重大税收违法失信主体" in verdict[0]
    assert "2026-05-20" in verdict[0]
    for what in (
        "粤税失信〔2026〕3号",
        "禁止参加政府采购活动",
        "政府采购法",
        "怎样修复",
        "应用软件开发",
        "数据截至",
        "时间线",
    ):
        assert what in page


def test_english_stands_beside_chinese_and_is_remembered(portal: TestPortal) -> None:
    answer = portal.client.get(f"/subjects/{FIRM}?lang=en")
    assert 'lang="en"' in answer.text
    assert "On a blacklist" in answer.text
    assert "language=en" in answer.headers["set-cookie"]


def test_an_unknown_subject_is_a_page_of_its_own(portal: TestPortal) -> None:
    page = portal.text(f"/subjects/org:{synthetic_uscc(77_777)}", status=404)
    assert "暂无信用信息" in page


def test_a_wrong_code_says_which_rule(portal: TestPortal) -> None:
    page = portal.text("/subjects/org:91440300PDY00001X4", status=400)
    assert "91440300PDY00001X4" in page
    assert "check" in page


def test_text_of_records_is_escaped() -> None:
    portal = TestPortal(
        [*examples(), listed("<script>alert(1)</script>", circumstances="<img src=x onerror=alert(1)>")]
    )
    page = portal.text(f"/subjects/{FIRM}")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_no_page_asks_another_host_or_has_script_in_it(portal: TestPortal) -> None:
    for path in ("/", f"/subjects/{FIRM}", "/search?q=合成"):
        page = portal.text(path)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page)


class TestWhatEachVisitorSees:
    def test_nobody_sees_the_bus_own_pseudonym_of_a_person(self) -> None:
        for visitor in (PUBLIC, OFFICER, TAX, AUDITOR):
            assert not re.search(r"person:|k1\.[0-9a-f]{32}", seen_by(visitor).text(f"/subjects/{FIRM}")), visitor

    def test_the_public_sees_no_person_by_name(self) -> None:
        assert "甲某" not in seen_by(PUBLIC).text(f"/subjects/{FIRM}")
        assert "甲某" in seen_by(OFFICER).text(f"/subjects/{FIRM}")

    def test_the_public_sees_a_penalty_only_within_its_publicity(self) -> None:
        penalty = next(one for kind, one in examples() if kind == "penalty" and one["subject"] == FIRM)
        now = penalty | {
            "document": "公示中",
            "decided_on": date(2026, 10, 8),
            "publicity_until": None,
            "severity": "SERIOUS",
        }
        over = now | {"document": "已停止", "decided_on": date(2019, 1, 8)}
        minor = now | {"document": "轻微", "severity": "MINOR"}
        records = [("penalty", one) for one in (now, over, minor)]
        public = TestPortal(records).text(f"/subjects/{FIRM}")
        assert "公示中" in public
        assert "已停止" not in public
        assert "轻微" not in public
        officer = TestPortal(records, TAX).text(f"/subjects/{FIRM}")
        assert "已停止" in officer
        assert "轻微" in officer

    def test_a_person_is_reached_only_by_the_pseudonym_of_ones_own_audience(self) -> None:
        portal = seen_by(OFFICER)
        links = re.findall(r'href="(/subjects/person-[\w-]+)"', portal.text(f"/subjects/{FIRM}"))
        found = [link for link in links if portal.client.get(link).status_code == 200]
        assert found, "one of the officers is on a list himself"
        seen_by(TAX).text(found[0], status=404)
        seen_by(PUBLIC).text(found[0], status=404)
        portal.text("/subjects/person:k1.5f1c0d9ab27e4c6f8a31d7e05b94c286", status=404)

    def test_a_withdrawn_document_leaves_the_public_picture(self) -> None:
        record = next(one for kind, one in examples() if kind == "penalty" and one["subject"] == FIRM)
        record = record | {
            "document": "撤销的",
            "decided_on": date(2026, 10, 8),
            "publicity_until": None,
            "severity": "SERIOUS",
        }
        header = {name: record[name] for name in ("subject", "department", "published_at")}
        withdrawal = header | {
            "document": "撤销1", "revision": 1, "decided_on": date(2026, 10, 9), "target_type": "penalty",
            "target_document": "撤销的", "reason": "REVOKED",
        }  # fmt: skip
        records = [("penalty", record), ("withdrawal", withdrawal)]
        assert "撤销的" not in TestPortal(records).text(f"/subjects/{FIRM}")
        assert "已撤销" in TestPortal(records, TAX).text(f"/subjects/{FIRM}")


class TestRiskClasses:
    CLASSED = Visitor(role=Role.OFFICER, department="gd.amr", account="zhao")

    def records(self) -> list[tuple[str, dict[str, Any]]]:
        rating = next(one for kind, one in examples() if kind == "rating")
        own = rating | {
            "subject": FIRM, "department": "gd.amr", "document": "风险分类-2026", "decided_on": date(2026, 10, 8), "scheme": "RISK_CLASS",
            "grade": "D", "remark": "指标明细在此", "valid_until": None,
        }  # fmt: skip
        return [*standing_examples(), ("rating", own)]

    @pytest.mark.parametrize("visitor", [CLASSED, OFFICER, AUDITOR])
    def test_who_supervises_sees_the_class_and_its_shares(self, visitor: Visitor) -> None:
        page = TestPortal(self.records(), visitor).text(f"/subjects/{FIRM}")
        assert 'id="risk"' in page
        assert "列入严重失信主体名单" in page
        assert "不作为任何限制或惩戒的依据" in page
        assert "风险分类-2026" in page

    @pytest.mark.parametrize("role", [Role.PUBLIC, Role.OPERATOR, Role.ADMINISTRATOR])
    def test_nobody_else_sees_anything_of_it(self, role: Role) -> None:
        page = TestPortal(self.records(), Visitor(role=role)).text(f"/subjects/{FIRM}")
        for what in ('id="risk"', "风险分类", "指标明细在此", "RISK_CLASS", "高风险"):
            assert what not in page

    def test_other_grades_are_open_as_the_catalogue_says(self) -> None:
        rating = next(one for kind, one in examples() if kind == "rating") | {"subject": FIRM, "valid_until": None}
        grades = [
            ("TAX_CREDIT", "A", True),
            ("TAX_CREDIT", "D", False),
            ("CUSTOMS_TIER", "失信", True),
            ("ENVIRONMENT", "红", False),
        ]
        for scheme, grade, opened in grades:
            department = {"TAX_CREDIT": "gd.tax", "CUSTOMS_TIER": "gd.customs", "ENVIRONMENT": "gd.eco"}[scheme]
            record = rating | {"department": department, "document": "这个等级", "scheme": scheme, "grade": grade}
            assert ("这个等级" in TestPortal([("rating", record)]).text(f"/subjects/{FIRM}")) is opened, (scheme, grade)
