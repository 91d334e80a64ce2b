"""The inbox over HTTP on the real servers: pages, long polls, streams, single notices, access, and its end."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.settings import Settings
from tests.pulling import FIN, TAX, Client, HttpServer, NoticeBoard, firm, ids, notice, serving
from tests.waiting import wait_until

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def settings(new_bus: Any) -> Settings:
    made: Settings = new_bus().model_copy(update={"partitions": 2, "inbox_polls": 3, "inbox_readers": 4})
    return made


@pytest.fixture(scope="module")
def server(settings: Settings, board: NoticeBoard) -> Iterator[HttpServer]:
    with serving(settings) as running:
        yield running


@pytest.fixture(scope="module")
def board(settings: Settings) -> NoticeBoard:
    return NoticeBoard(settings, (FIN, TAX, "gd.prtc", "gd.hrss", "gd.amr", "gd.em", "gd.eco", "gd.court", "gd.health"))


def client_of(server: HttpServer, board: NoticeBoard, department: str) -> Client:
    return Client(server.url, board.key(department))


def end_of(client: Client) -> str:
    """The cursor behind everything that is there."""
    cursor: str = client.page(**{"from": "now"})["next_cursor"]
    return cursor


def test_pages_from_the_beginning_each_once_in_order_of_their_subject(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, "gd.prtc")
    put = board.put("gd.prtc", *(notice(number, n, "bidding_limit") for n in range(1, 6) for number in range(1, 9)))
    seen: list[dict[str, Any]] = []
    cursor, caught_up = "", False
    while not caught_up:
        page = client.page(limit=7, **({"cursor": cursor} if cursor else {}))
        seen += page["notices"]
        cursor, caught_up = page["next_cursor"], page["caught_up"]
        assert len(page["notices"]) <= 7
    assert sorted(one["id"] for one in seen) == sorted(put)
    for number in range(1, 9):
        assert [one["n"] for one in seen if one["subject"] == firm(number)] == [1, 2, 3, 4, 5]
    assert client.page(cursor=cursor) == {"notices": [], "next_cursor": cursor, "caught_up": True}
    assert seen[0]["measures"][0]["respond_by"] == "2026-05-27", "as exchange/json_form.py writes it"


def test_collapsed_pages_hold_the_newest_and_name_what_it_supersedes(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, "gd.hrss")
    board.put("gd.hrss", *(notice(1, n, "a") for n in (1, 3, 2)), notice(2, 1, "b"))
    found = {one["subject"]: (one["n"], one["superseded"]) for one in client.page(collapse="true")["notices"]}
    assert found == {firm(1): (3, [f"{1:08x}{1:08x}", f"{1:08x}{2:08x}"]), firm(2): (1, [])}


def test_a_long_poll_wakes_when_a_notice_comes(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)
    cursor = end_of(client)
    delays = []
    for number in range(1, 6):
        answers: list[tuple[float, dict[str, Any]]] = []

        def poll(at: str = cursor, answers: list[tuple[float, dict[str, Any]]] = answers) -> None:
            page = client.page(cursor=at, wait=20)
            answers.append((time.monotonic(), page))

        waiting = threading.Thread(target=poll)
        waiting.start()
        time.sleep(0.3)
        put_at = time.monotonic()
        (put,) = board.put(FIN, notice(number, 1, "procurement_ban"))
        waiting.join(20)
        ((woke_at, page),) = answers
        assert ids(page) == [put]
        cursor = page["next_cursor"]
        delays.append(woke_at - put_at)
    assert sorted(delays)[2] < 0.1, delays


def test_the_first_page_of_each_department_comes_as_soon(server: HttpServer, board: NoticeBoard) -> None:
    clients = [client_of(server, board, slug) for slug in ("gd.fin", "gd.tax", "gd.prtc", "gd.hrss", "gd.amr", "gd.em")]
    took = []
    for _ in range(3):
        for client in clients:
            started = time.monotonic()
            client.page(limit=1)
            took.append(time.monotonic() - started)
    assert sorted(took)[-4] < 0.5, "a reader that meets a topic for the first time does not wait for a timer"


def test_a_long_poll_without_notices_ends_in_time(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)
    started = time.monotonic()
    page = client.page(cursor=end_of(client), wait=1.2)
    assert page["notices"] == []
    assert 1.2 <= time.monotonic() - started < 3


def test_departments_do_not_see_each_other(server: HttpServer, board: NoticeBoard) -> None:
    fin, tax = client_of(server, board, FIN), client_of(server, board, TAX)
    (of_tax,) = board.put(TAX, notice(7001, 1, "x"))
    seen: list[str] = []
    cursor = ""
    while True:
        page = fin.page(limit=1000, **({"cursor": cursor} if cursor else {}))
        seen += ids(page)
        cursor = page["next_cursor"]
        if page["caught_up"]:
            break
    assert of_tax not in seen
    assert of_tax in ids(tax.page(limit=1000))
    assert fin.get(f"/v1/notices/{of_tax}", subject=firm(7001)).status == 404
    status, problem, _ = fin.get("/v1/notices", cursor=end_of(tax))
    assert (status, problem["code"]) == (400, "foreign_cursor")


def test_a_damaged_cursor_is_refused_with_the_reason(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)
    cursor = end_of(client)
    for wrong in ("x", cursor[:-2], cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), cursor + "=", "密"):
        status, problem, headers = client.get("/v1/notices", cursor=wrong)
        assert (status, problem["code"], problem["status"]) == (400, "bad_cursor", 400)
        assert headers["content-type"] == "application/problem+json"
    status, problem, _ = client.get("/v1/notices", limit=0)
    assert (status, problem["reasons"][0]["field"]) == (400, "limit")


def test_without_a_good_key_nobody_comes_in(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)
    for headers, code in (
        ({}, "no_key"), ({"Authorization": "Basic x"}, "no_key"), ({"Authorization": "Bearer cbk_x"}, "wrong_key"),
    ):  # fmt: skip
        for path in ("/v1/notices", "/v1/notices/stream", "/v1/notices/1"):
            answer = client.ask("GET", path, headers=headers or {"X": "y"}, subject=firm(1))
            assert (answer.status, answer.body["code"], answer.headers["www-authenticate"]) == (401, code, "Bearer")
        for path in ("/v1/receipts", "/v1/feedback"):
            assert client.ask("POST", path, [], headers=headers or {"X": "y"}).status == 401


def test_a_department_that_has_ended_is_refused(server: HttpServer, board: NoticeBoard) -> None:
    ended = next(slug for slug, one in board.catalogue.departments.items() if one.successor)
    answer = client_of(server, board, ended).get("/v1/notices")
    assert (answer.status, answer.body["code"]) == (403, "department_ended")


def test_a_revoked_key_ends_a_poll_and_a_stream_within_two_seconds(server: HttpServer, board: NoticeBoard) -> None:
    from datetime import UTC, datetime

    from exchange.api_keys import recognise, revoke

    secret = board.key("gd.amr")
    client = Client(server.url, secret)
    answers: list[int] = []
    cursor = end_of(client)
    waiting = threading.Thread(target=lambda: answers.append(client.get("/v1/notices", cursor=cursor, wait=20).status))
    with client.stream(cursor=cursor) as events:
        assert next(events)[0] == "caught-up"
        waiting.start()
        time.sleep(0.3)
        key = recognise(board._keys, secret)
        assert key is not None
        revoke(board._keys, key.id, datetime.now(UTC))
        revoked_at = time.monotonic()
        assert list(events) == []
        waiting.join(10)
    assert time.monotonic() - revoked_at < 2.5
    assert answers == [401]
    assert client.get("/v1/notices").status == 401


def test_too_many_polls_of_one_department_are_told_to_wait(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, "gd.em")
    cursor = end_of(client)
    waiting = [threading.Thread(target=client.page, kwargs={"cursor": cursor, "wait": 2}) for _ in range(3)]
    for one in waiting:
        one.start()
    time.sleep(0.7)
    answer = client.get("/v1/notices", cursor=cursor)
    assert (answer.status, answer.body["code"], answer.headers["retry-after"]) == (429, "too_many_polls", "1")
    assert client_of(server, board, FIN).get("/v1/notices").status == 200, "others have seats of their own"
    for one in waiting:
        one.join()
    assert client.get("/v1/notices", cursor=cursor).status == 200


def test_a_stream_goes_on_exactly_where_it_was_cut(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, "gd.eco")
    put = board.put("gd.eco", *(notice(number, 1, "a") for number in range(1, 21)))
    seen: list[str] = []
    last = ""
    while len(seen) < len(put):
        with client.stream(last) as events:  # cut after three notices, again and again
            for _ in range(3):
                name, last, data = next(events)
                if name != "notice":
                    break
                seen.append(data["id"])
    assert sorted(seen) == sorted(put), "nothing lost, nothing doubled"
    with client.stream(last) as events:
        put_at = time.monotonic()
        (new,) = board.put("gd.eco", notice(99, 1, "b"))
        name, last, data = next(one for one in events if one[0] == "notice")
        assert (data["id"], time.monotonic() - put_at < 1) == (new, True)


def test_a_stream_from_now_can_be_resumed_before_its_first_notice(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, "gd.court")
    board.put("gd.court", notice(1, 1, "a"), notice(2, 1, "a"))
    with client.stream(**{"from": "now"}) as events:
        name, last, _ = next(events)
        assert name == "caught-up"
    (new,) = board.put("gd.court", notice(3, 1, "a"))
    with client.stream(last, **{"from": "now"}) as events:
        name, _, data = next(events)
        assert (name, data["id"]) == ("notice", new)


def test_who_reads_slowly_holds_up_nobody_and_who_goes_is_forgotten(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, "gd.health")
    large = notice(1, 1, "a") | {"policy_version": "v" * 20_000}
    board.put("gd.health", *(large | {"n": n, "id": str(n)} for n in range(1, 3001)))  # 60 MB

    def value(name: str, **labels: str) -> float:
        return server.metrics.registry.get_sample_value(f"creditbus_{name}", labels) or 0.0

    with client.stream() as events:
        assert next(events)[2]["n"] == 1
        time.sleep(1.0)
        assert value("inbox_notices_total", department="gd.health", how="stream") <= 2000, "it waits for the reader"
        assert value("inbox_open_streams", department="gd.health") == 1
        started = time.monotonic()
        client_of(server, board, FIN).page(limit=1)
        assert time.monotonic() - started < 1
    give_up_at = time.monotonic() + 5
    while value("inbox_open_streams", department="gd.health") and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert value("inbox_open_streams", department="gd.health") == 0


def test_one_notice_by_its_id_and_subject(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)
    (first,) = board.put(FIN, notice(501, 1, "procurement_ban"))
    board.put(FIN, *(notice(number, 9, "x") for number in range(600, 900)))
    answer = client.get(f"/v1/notices/{first}", subject=firm(501))
    assert (answer.status, answer.body["id"], answer.body["n"]) == (200, first, 1)
    assert client.get("/v1/notices/nothing", subject=firm(501)).status == 404
    assert client.get(f"/v1/notices/{first}", subject=firm(502)).status == 404
    answer = client.get(f"/v1/notices/{first}", subject="org:1")
    assert (answer.status, answer.body["code"]) == (400, "uscc_length")
    assert client.get(f"/v1/notices/{first}").status == 400


def test_it_documents_itself_without_other_hosts(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)
    openapi = client.get("/openapi.json").body
    assert set(openapi["paths"]) == {
        "/v1/notices", "/v1/notices/stream", "/v1/notices/{notice_id}", "/v1/receipts", "/v1/feedback",
    }  # fmt: skip
    for methods in openapi["paths"].values():
        for one in methods.values():
            assert one["summary"][0] > "一"
    page = client.get("/docs").body
    assert "取通知" in page
    assert "http" not in page.replace("HTTP", "")


def test_requests_and_notices_are_counted(server: HttpServer, board: NoticeBoard) -> None:
    client = client_of(server, board, FIN)

    def value(name: str, **labels: str) -> float:
        return server.metrics.registry.get_sample_value(f"creditbus_{name}", labels) or 0.0

    before = value("inbox_requests_total", route="/v1/notices", status="200")
    client.page(limit=1)
    client.get("/nowhere")
    # A request is counted when its answer has gone out, a moment after the client has it.
    wait_until(
        lambda: (
            value("inbox_requests_total", route="/v1/notices", status="200") == before + 1
            and value("inbox_requests_total", route="other", status="404") >= 1
        ),
        "the requests are not counted",
    )
    assert value("inbox_poll_wait_seconds_count") >= 1
    assert value("inbox_notices_total", department=FIN, how="page") >= 0
