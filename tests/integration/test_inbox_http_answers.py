"""Receipts and feedback over HTTP: they arrive as records of the department, each row with its own result, and count once."""

from collections.abc import Iterator
from typing import Any

import pytest

from exchange.settings import Settings
from tests.pulling import FIN, TAX, Client, HttpServer, NoticeBoard, firm, notice, serving

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def settings(new_bus: Any) -> Settings:
    made: Settings = new_bus().model_copy(update={"partitions": 2})
    return made


@pytest.fixture(scope="module")
def board(settings: Settings) -> NoticeBoard:
    return NoticeBoard(settings, (FIN, TAX, "gd.prtc"))


@pytest.fixture(scope="module")
def server(settings: Settings, board: NoticeBoard) -> Iterator[HttpServer]:
    with serving(settings) as running:
        yield running


def published(board: NoticeBoard, department: str, document: str) -> list[dict[str, Any]]:
    """The records of a document, in order of their revision."""
    found = [record for _, record, _, _ in board.published(department) if record["document"].startswith(document)]
    return sorted(found, key=lambda record: record["revision"])


def feedback(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "subject": firm(number), "notice_id": f"fb{number:06d}", "measure": "procurement_ban", "epoch": 0, "n": 1,
        "state": "ACKNOWLEDGED", **changes,
    }  # fmt: skip


def reasons(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["code"], one["field"]) for one in result["reasons"]}


def test_feedback_arrives_as_a_record_of_the_department(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key(FIN))
    executed = feedback(
        1, state="EXECUTED", detail="已暂停", amount_yuan="2000.50", executed_on="2026-05-22", officer="07"
    )
    status, body, _ = client.post("/v1/feedback", executed)
    assert (status, body["accepted"], body["refused"]) == (200, 1, 0)
    (record,) = published(board, FIN, "反馈-fb000001-procurement_ban")
    assert {name: record[name] for name in ("type", "department", "state", "detail", "n", "officer")} == {
        "type": "measure_feedback", "department": FIN, "state": "EXECUTED", "detail": "已暂停", "n": 1, "officer": "07",
    }  # fmt: skip
    assert str(record["amount_yuan"]) == "2000.50"
    assert record["executed_on"].isoformat() == "2026-05-22"
    assert body["results"][0]["revision"] == record["revision"] > 1_700_000_000, "the second: later steps rise"
    assert body["results"][0]["topic"].endswith(f".in.{FIN}")


def test_steps_of_one_request_rise_and_a_given_document_is_kept(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key(FIN))
    steps = [feedback(2), feedback(2, state="EXECUTED"), feedback(2, document="反馈〔2026〕2号", revision=7)]
    assert client.post("/v1/feedback", steps).status == 200
    first, second = published(board, FIN, "反馈-fb000002-procurement_ban")
    assert (first["state"], second["state"], second["revision"] - first["revision"]) == ("ACKNOWLEDGED", "EXECUTED", 1)
    assert [one["revision"] for one in published(board, FIN, "反馈〔2026〕2号")] == [7]


def test_every_row_has_its_own_result_with_every_reason(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key(FIN))
    status, body, _ = client.post(
        "/v1/feedback",
        [
            feedback(3),
            feedback(4, state="DECLINED"),
            feedback(5, snoozed_until="2026-12-01"),
            feedback(6, department=TAX, colour="red"),
            feedback(7, executed_on="gestern", amount_yuan="viel"),
            feedback(8, subject="org:1", state="DONE"),
            "nothing",
            feedback(9, state="DECLINED", detail="《政府采购法》第二十二条不适用"),
        ],
    )
    assert (status, body["accepted"], body["refused"]) == (207, 2, 6)
    results = body["results"]
    assert [one["status"] for one in results] == ["accepted", *["refused"] * 6, "accepted"]
    assert reasons(results[1]) == {("legal_reason_missing", "detail")}
    assert reasons(results[2]) == {("officer_missing", "officer")}
    assert ("unknown_field", "department") in reasons(results[3])
    assert reasons(results[4]) == {("bad_date", "executed_on"), ("bad_amount", "amount_yuan")}
    assert results[5]["reasons"]
    assert reasons(results[6]) == {("wrong_type", "")}
    assert not published(board, FIN, "反馈-fb000004")


def test_bodies_that_are_no_feedback_are_refused(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key(FIN))
    for body in ("{", [], "text", [feedback(1)] * 1001, 7):
        assert (client.post("/v1/feedback", body)[1]["code"]) == "bad_body"
    assert client.post("/v1/feedback", "[" + " " * 5_000_000 + "]").status == 413


def test_receipts_of_named_notices_count_once(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key(FIN))
    named = [{"id": f"rc{n}", "subject": firm(n), "epoch": 0, "n": n} for n in (1, 2)]
    for _ in range(2):
        status, body, _ = client.post("/v1/receipts", {"notices": named})
        assert (status, body["accepted"]) == (200, 2)
    records = published(board, FIN, "回执-rc")
    assert {(one["document"], one["revision"], one["channel"], one["n"]) for one in records} == {
        ("回执-rc1", 1, "INBOX", 1), ("回执-rc2", 1, "INBOX", 2),
    }  # fmt: skip
    status, body, _ = client.post("/v1/receipts", {"notices": [{"id": "rc3"}, named[0]]})
    assert status == 207
    assert reasons(body["results"][0]) == {("missing_field", name) for name in ("subject", "epoch", "n")}


def test_receipts_of_all_between_two_cursors(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key("gd.prtc"))
    board.put("gd.prtc", *(notice(number, 1, "a") for number in range(1, 6)))
    first = client.page(limit=2)
    second = client.page(cursor=first["next_cursor"], limit=2)
    status, body, _ = client.post("/v1/receipts", {"since": first["next_cursor"], "cursor": second["next_cursor"]})
    assert (status, body["accepted"]) == (200, 2)
    assert {one["document"] for one in body["results"]} == {f"回执-{one['id']}" for one in second["notices"]}
    assert client.post("/v1/receipts", {"cursor": second["next_cursor"]})[1]["accepted"] == 4
    bodies: list[dict[str, Any]] = [
        {},
        {"cursor": "x"},
        {"cursor": second["next_cursor"], "notices": []},
        {"notices": {}},
    ]
    for wrong in bodies:
        assert client.post("/v1/receipts", wrong).status == 400


def test_answers_are_counted(server: HttpServer, board: NoticeBoard) -> None:
    client = Client(server.url, board.key(TAX))
    client.post("/v1/feedback", [feedback(1, state="NOT_APPLICABLE"), feedback(2, state="DECLINED")])
    client.post("/v1/receipts", {"notices": [{"id": "m", "subject": firm(1), "epoch": 0, "n": 1}]})
    value = server.metrics.registry.get_sample_value
    assert value("creditbus_inbox_feedback_total", {"department": TAX, "state": "NOT_APPLICABLE"}) == 1
    assert value("creditbus_inbox_receipts_total", {"department": TAX}) == 1
    refused = {"department": TAX, "reason": "legal_reason_missing"}
    assert value("creditbus_inbox_answers_refused_total", refused) == 1
