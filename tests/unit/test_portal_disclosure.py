"""Public disclosure: only what may be public today, page by page, for people and for programs."""

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

import pytest

from exchange.domain.calendar import to_date
from tests.portal import POLICY, TestPortal
from tests.unit.test_portal_query import FIRM, examples, listed, standing_examples

TODAY = TestPortal([]).today


def penalty(number: int, *, days_ago: int = 10, **fields: Any) -> tuple[str, dict[str, Any]]:
    record = next(one for kind, one in examples() if kind == "penalty" and one["subject"] == FIRM)
    decided_on = to_date(TODAY) - timedelta(days_ago)
    return "penalty", record | {
        "document": f"罚{number:03}", "decided_on": decided_on, "publicity_until": None, "severity": "SERIOUS",
    } | fields  # fmt: skip


def shown(portal: TestPortal, path: str) -> list[str]:
    """The documents of a download."""
    return [json.loads(line)["document"] for line in portal.text(path).splitlines()]


def test_only_what_may_be_public_today_is_listed() -> None:
    withdrawal = {name: penalty(4)[1][name] for name in ("subject", "department", "published_at", "decided_on")} | {
        "document": "撤1", "revision": 1, "target_type": "penalty", "target_document": "罚004", "reason": "REVOKED",
    }  # fmt: skip
    records = [
        penalty(1), penalty(2, days_ago=4000), penalty(3, severity="MINOR"), penalty(4), ("withdrawal", withdrawal),
        penalty(5, subject="person:k1." + "ab" * 16, subject_name="", days_ago=9),
    ]  # fmt: skip
    portal = TestPortal(records)
    page = portal.text("/disclosure/penalties")
    assert "罚001" in page
    assert not [number for number in ("罚002", "罚003", "罚004", "罚005") if number in page]
    assert shown(portal, "/disclosure/open-data/penalties.json") == ["罚001"]


def test_pages_go_on_where_the_last_one_ended_whatever_is_hidden_between() -> None:
    records = [penalty(n, days_ago=10 + n, severity="MINOR" if n % 3 else "SERIOUS") for n in range(100)]
    portal = TestPortal(records)
    seen: list[str] = []
    path = "/disclosure/penalties"
    while path:
        page = portal.text(path)
        seen += [f"罚{n:03}" for n in range(100) if f"罚{n:03}" in page]
        more = [part.partition('"')[0] for part in page.split('href="') if "after=" in part.partition('"')[0]]
        path = more[0].replace("&amp;", "&") if more else ""
    assert seen == [f"罚{n:03}" for n in range(0, 100, 3)]
    assert shown(portal, "/disclosure/open-data/penalties.json") == seen


def test_a_list_shows_who_is_on_it_now() -> None:
    portal = TestPortal([*standing_examples(), listed("过期", decided_on=date(2016, 1, 1))])
    page = portal.text("/disclosure/lists/TAX")
    assert "粤税失信〔2026〕3号" in page
    assert "过期" not in page
    assert "没有可公示的内容" in portal.text("/disclosure/lists/SAFE")
    assert "unknown_list" in portal.text("/disclosure/lists/NONE", status=400)


def test_red_lists_follow_from_grades() -> None:
    record = next(one for kind, one in examples() if kind == "rating")
    given = record | {
        "subject": FIRM, "department": "gd.tax", "document": "评2026", "scheme": "TAX_CREDIT", "grade": "A",
        "decided_on": to_date(TODAY) - timedelta(30), "valid_until": None,
    }  # fmt: skip
    portal = TestPortal([("rating", given)])
    code = POLICY.rating_lists["TAX_CREDIT", "A"]
    assert "评2026" in portal.text(f"/disclosure/lists/{code}")


def test_filters_narrow_and_stay_in_the_form() -> None:
    portal = TestPortal([penalty(1), penalty(2, department="gd.amr", division="440100")])
    page = portal.text("/disclosure/penalties?department=gd.amr&division=440100")
    assert "罚002" in page
    assert "罚001" not in page
    assert '<option value="gd.amr" selected>' in page


def test_the_csv_opens_in_a_spreadsheet_without_formulas() -> None:
    portal = TestPortal([penalty(1, content="=HYPERLINK(1)")])
    raw = portal.client.get("/disclosure/open-data/penalties.csv").content
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0]["content"].startswith("'=")
    assert rows[0]["subject"] == "91440300PDY00001X3"


def test_nothing_of_persons_is_open() -> None:
    portal = TestPortal(examples())
    for path in ("penalties.csv", "licences.csv", "list-TAX.csv", "list-COURT.json"):
        text = portal.text(f"/disclosure/open-data/{path}")
        assert "person:" not in text
        assert "甲某" not in text


def test_the_calendar_says_by_when_a_decision_has_to_be_public() -> None:
    record = penalty(1)[1] | {"decided_on": date(2026, 9, 28)}
    page = TestPortal([("penalty", record)]).text("/disclosure/calendar?month=2026-09")
    assert "2026-09-28" in page
    assert "2026-10-1" in page, "National Day's holidays lie between"
    assert "bad_month" in TestPortal([]).text("/disclosure/calendar?month=September", status=400)


def test_the_catalogue_for_people_and_as_dcat() -> None:
    portal = TestPortal([])
    assert "信用信息资源目录" in portal.text("/disclosure/catalogue")
    catalogue = json.loads(portal.text("/disclosure/catalogue.jsonld"))
    assert catalogue["@type"] == "dcat:Catalog"
    datasets = {one["dct:identifier"]: one for one in catalogue["dcat:dataset"]}
    assert datasets["201001/00001"]["dct:accessRights"] == "open"
    assert all(one["dct:publisher"] for one in datasets.values())


@pytest.mark.parametrize("path", ["/disclosure", "/disclosure/licences", "/disclosure/penalties?after=x~y~z"])
def test_every_page_answers(path: str) -> None:
    TestPortal(examples()).text(path, status=400 if "after" in path else 200)
