"""What the public files: each form becomes one record that the contracts and the catalogue allow, or says what is wrong."""

import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from consumers.portal.app import build_app
from exchange.domain.calendar import to_day
from exchange.errors import RejectedError
from exchange.validation import validate
from tests.portal import CATALOGUE, CODEC, TestPortal
from tests.unit.test_portal_disclosure import penalty
from tests.unit.test_portal_query import FIRM, standing_examples


class Recorder:
    """Takes what a publisher would take."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, Mapping[str, Any]]] = []

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Any]:
        plain = CODEC.plain(record_type, record)
        reasons = validate(
            record_type, plain, department=department, today=to_day(record["decided_on"]),
            grants=CATALOGUE.grants(department), size=1000, thorough=True,
        )  # fmt: skip
        if reasons:
            raise RejectedError(reasons)
        self.taken.append((department, record_type, record))
        done: Future[Any] = Future()
        done.set_result(None)
        return done


class Counter:
    """The forms, and what they published."""

    def __init__(self) -> None:
        self.bus = Recorder()
        portal = TestPortal([*standing_examples(), penalty(1)])
        self.client = TestClient(build_app(replace(portal.parts, outbound=self.bus), portal.door))

    def form(self, path: str) -> dict[str, str]:
        """The hidden fields of a form."""
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', self.client.get(path).text))


@pytest.fixture
def counter() -> Counter:
    return Counter()


def test_an_objection_goes_to_the_department_that_decided(counter: Counter) -> None:
    path = f"/disclosure/objection?subject={FIRM}&document=罚001"
    assert "罚001" in counter.client.get(path).text
    given = counter.form(path) | {"document": "罚001", "detail": "处罚决定认定的事实与实际不符，请予核查。"}
    page = counter.client.post("/disclosure/objection", data=given)
    assert page.status_code == 200, page.text
    ((department, record_type, record),) = counter.bus.taken
    assert (department, record_type, record["state"]) == ("gd.tax", "objection", "RAISED")
    assert (record["target_type"], record["target_document"]) == ("penalty", "罚001")
    assert record["document"] in page.text


def test_a_form_sent_twice_is_one_record(counter: Counter) -> None:
    given = counter.form(f"/disclosure/objection?subject={FIRM}") | {
        "document": "罚001",
        "detail": "事实与实际不符，请予核查。",
    }
    for _ in range(2):
        assert counter.client.post("/disclosure/objection", data=given).status_code == 200
    assert len({(record["document"], record["revision"]) for _, _, record in counter.bus.taken}) == 1


def test_a_complaint_is_a_report_from_society(counter: Counter) -> None:
    given = counter.form("/disclosure/complaint") | {
        "subject": "91440300PDY00001X3", "title": "夸大宣传", "detail": "广告所称与实际商品不符，消费者受误导。",
    }  # fmt: skip
    assert counter.client.post("/disclosure/complaint", data=given).status_code == 200
    ((department, record_type, record),) = counter.bus.taken
    assert (department, record_type, record["title"]) == ("gd.data", "social_report", "夸大宣传")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"detail": "太短"}, "detail_too_short"),
        ({"document": "没有的"}, "unknown_document"),
        ({"number": "x"}, "bad_number"),
        ({"subject": "91440300PDY00001X4"}, "check"),
        ({"subject": "N2441900PDY000044K"}, "unknown_subject"),
        ({"detail": "我的身份证号是440000190001010019，请核查。"}, "citizen_id"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(counter: Counter, changes: dict[str, str], code: str) -> None:
    given = counter.form(f"/disclosure/objection?subject={FIRM}")
    given |= {"document": "罚001", "detail": "认定的事实与实际不符，请予核查。"} | changes
    page = counter.client.post("/disclosure/objection", data=given)
    assert page.status_code == 422
    assert code in page.text
    assert not counter.bus.taken


def test_nobody_objects_to_what_the_public_may_not_see(counter: Counter) -> None:
    given = counter.form(f"/disclosure/objection?subject={FIRM}")
    given |= {"document": "反馈〔2026〕40号", "detail": "认定的事实与实际不符，请予核查。"}
    assert "unknown_document" in counter.client.post("/disclosure/objection", data=given).text
