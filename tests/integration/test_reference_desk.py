"""The market-entry desk over real HTTP: what it takes and refuses, what the clerk sees, and that a kill costs nothing."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from exchange.signatures import EndpointKey
from tests.departments import Department, running
from tests.pushing import (
    FIRM,
    FOREIGN_KEY,
    KEY,
    NEXT_KEY,
    OTHER,
    TOKEN,
    FeedbackInbox,
    event,
    get,
    in_force,
    lifted,
    notice,
    post,
    push,
    signed,
)
from tests.waiting import wait_until

COMMAND = ("-m", "deploy.cli.main", "run", "example-desk", "--listen", "127.0.0.1:0")
BAN = in_force("office_ban", 1)


@pytest.fixture
def inbox() -> Iterator[FeedbackInbox]:
    with FeedbackInbox().running() as running_inbox:
        yield running_inbox


@contextmanager
def desk(folder: Path, inbox: FeedbackInbox, *keys: EndpointKey, delay: float = 0) -> Iterator[Department]:
    token = folder / "token"
    token.write_text(TOKEN)
    options = [part for key in keys or (KEY,) for part in ("--public-key", key.public_text)]
    way_back = ("--feedback", inbox.url, "--token-file", str(token), "--delay-seconds", str(delay))
    with running(*COMMAND, "--book", str(folder / "desk.sqlite"), *way_back, *options) as department:
        yield department


def test_a_measure_from_its_notice_to_the_confirmed_lift(tmp_path: Path, inbox: FeedbackInbox) -> None:
    inbox.statuses = [503]  # the first answer of the inbox; the feedback goes again
    with desk(tmp_path, inbox) as one:
        body = event({"challenge": "c-1"}, "creditbus.endpoint.verification")
        assert post(f"{one.url}/notices", body, signed(body, "challenge-1")) == (200, {"challenge": "c-1"})
        assert get(f"{one.url}/may-register?subject={FIRM}")[1]["answer"] == "clear"

        assert push(one.url, notice(1, BAN)) == (200, {"taken": "new"})
        status, advice = get(f"{one.url}/may-register?subject={FIRM.removeprefix('org:')}")
        assert (status, advice["answer"]) == (200, "refuse")
        assert advice["reasons"][0]["basis"] == "公司法第一百七十八条"
        assert advice["reasons"][0]["because_of"] == ["COURT gd.court （2026）粤01执1号 COURT-2016 二(九)"]
        status, page = get(f"{one.url}/may-register?subject={FIRM}", "text/html")
        assert status == 200
        assert 'lang="zh-CN"' in page["text"]
        assert all(text in page["text"] for text in ("不予办理", "限制担任法定代表人", "公司法第一百七十八条"))
        wait_until(lambda: inbox.states() == [(1, "ACKNOWLEDGED"), (2, "EXECUTED")])

        assert push(one.url, notice(1, BAN)) == (200, {"taken": "repeated"})
        assert push(one.url, notice(2, ended=(lifted("office_ban", 2),))) == (200, {"taken": "new"})
        assert push(one.url, notice(1, BAN)) == (200, {"taken": "stale"})
        wait_until(lambda: inbox.states()[2:] == [(3, "ENDED")])
        assert get(f"{one.url}/may-register?subject={FIRM}")[1]["answer"] == "clear"
        assert [row["state"] for row in get(f"{one.url}/obligations")[1]] == ["ended"]
        assert "已解除" in get(f"{one.url}/obligations", "text/html")[1]["text"]
        state = get(f"{one.url}/health")[1]
        assert state["obligations"] == {"ended": 1, "notices_new": 2, "notices_repeated": 1, "notices_stale": 1}
        assert state["feedback"] == {"waiting": 0, "sent": 3, "refused": 0}
    assert len({record["document"] for record in inbox.records}) == 1
    assert "feedback_waits" in one.text


def test_what_is_not_the_buss_is_refused_and_leaves_nothing(tmp_path: Path, inbox: FeedbackInbox) -> None:
    good = event(notice(1, BAN))
    message_id = notice(1, BAN)["id"]
    now = time.time()
    foreign = event(notice(1, BAN, to="gd.fin"))
    huge = event(notice(1, BAN, policy_version="x" * 1_100_000))
    unknown = event(notice(1, BAN), "cn.creditbus.other.v1")
    wrong = event(notice(1, BAN) | {"n": "one"})
    stranger = signed(good, message_id, keys=(FOREIGN_KEY,))
    cases: list[tuple[int, str, bytes, dict[str, str]]] = [
        (401, "tampered", good.replace(b"COURT", b"TAX"), signed(good, message_id)),
        (401, "replayed", good, signed(good, message_id, at=now - 310)),
        (401, "from the future", good, signed(good, message_id, at=now + 310)),
        (401, "wrong key", good, stranger),
        (401, "unsigned", good, {"Content-Type": "application/json"}),
        (413, "oversize", huge, signed(huge, message_id)),
        (415, "content type", good, signed(good, message_id) | {"Content-Type": "text/plain"}),
        (400, "no JSON", b"{", signed(b"{", message_id)),
        (400, "no event", b"[]", signed(b"[]", message_id)),
        (400, "another id", good, signed(good, "another")),
        (400, "another department", foreign, signed(foreign, notice(1, BAN, to="gd.fin")["id"])),
        (400, "unknown type", unknown, signed(unknown, message_id)),
        (400, "no notice", wrong, signed(wrong, message_id)),
    ]
    with desk(tmp_path, inbox) as one:
        for status, name, body, headers in cases:
            assert (post(f"{one.url}/notices", body, headers)[0], name) == (status, name)
        assert get(f"{one.url}/obligations") == (200, [])
        assert get(f"{one.url}/health")[1]["obligations"] == {}
        assert get(f"{one.url}/may-register")[0] == 400
        assert get(f"{one.url}/may-register?subject=91440300PDY00001X4")[1]["error"] == "uscc_check_digit"
        status, page = get(f"{one.url}/may-register?subject=%3Cscript%3E", "text/html")
        assert status == 400
        assert "<script>" not in page["text"]
        assert push(one.url, notice(1, BAN))[0] == 200, "the same notice, sent rightly"


def test_two_keys_while_they_are_rotated(tmp_path: Path, inbox: FeedbackInbox) -> None:
    with desk(tmp_path, inbox, KEY, NEXT_KEY) as one:
        for n, keys in enumerate([(KEY,), (NEXT_KEY, KEY), (NEXT_KEY,)], 1):
            assert push(one.url, notice(n, BAN), keys=keys)[0] == 200
    with desk(tmp_path, inbox, NEXT_KEY) as one:
        assert push(one.url, notice(4, BAN), keys=(NEXT_KEY, KEY))[0] == 200, "one that fits is enough"
        assert push(one.url, notice(5, BAN), keys=(KEY,))[0] == 401


@pytest.mark.parametrize("step", ["received", "durable", "acted", "sent"])
def test_a_kill_costs_nothing_and_repeats_nothing(tmp_path: Path, inbox: FeedbackInbox, step: str) -> None:
    book = tmp_path / "desk.sqlite"
    command = ("-m", "tests.integration.desk_main", str(book), inbox.url, KEY.public_text)
    dying = Department(*command, step)
    answered: Any = None
    with suppress(OSError):
        answered = push(dying.url, notice(1, BAN))
    assert dying.ended() == -9, dying.text
    if step in ("received", "durable"):
        assert answered is None, "it died before it answered"
    before = list(inbox.records)

    with running(*command, "") as one:
        again = push(one.url, notice(1, BAN))  # what was not answered, or might not have been, comes again
        assert again == (200, {"taken": "new" if step == "received" else "repeated"})
        wait_until(lambda: get(f"{one.url}/health")[1]["feedback"] == {"waiting": 0, "sent": 2, "refused": 0})
    with closing(sqlite3.connect(book)) as database:
        assert database.execute("SELECT count(*) FROM register").fetchone() == (1,), "acted once"
    distinct = {(one["document"], one["revision"]): one for one in inbox.records}
    assert [state["state"] for _, state in sorted(distinct.items())] == ["ACKNOWLEDGED", "EXECUTED"]
    assert all(distinct[one["document"], one["revision"]] == one for one in inbox.records), (
        "a repeat is the same record"
    )
    assert (len(inbox.records) > len(distinct)) == (step == "sent"), "what was sent and not marked goes again"
    assert inbox.records[: len(before)] == before


def test_feedback_that_is_refused_stays_and_holds_up_nothing(tmp_path: Path, inbox: FeedbackInbox) -> None:
    inbox.refused_measure = "licence_review"
    inbox.statuses = [401]  # a wrong token: the feedback waits for the right one
    with desk(tmp_path, inbox) as one:
        inbox.held.clear()
        push(one.url, notice(1, in_force("licence_review", 1), subject=OTHER))
        push(one.url, notice(1, BAN))
        inbox.held.set()
        counted = {"waiting": 0, "sent": 2, "refused": 2}
        wait_until(lambda: get(f"{one.url}/health")[1]["feedback"] == counted)
    assert "unknown_measure" in one.text
    assert {record["measure"] for record in inbox.records} == {"office_ban"}
    with closing(sqlite3.connect(tmp_path / "desk.sqlite")) as database:
        refused = [row[0] for row in database.execute("SELECT refused FROM feedback WHERE refused IS NOT NULL")]
    assert all("unknown_measure" in reason for reason in refused)


def test_a_bus_that_does_not_answer_holds_up_no_act_and_no_end(tmp_path: Path, inbox: FeedbackInbox) -> None:
    inbox.held.clear()
    with desk(tmp_path, inbox, delay=1.0) as one:
        push(one.url, notice(1, BAN))
        assert get(f"{one.url}/obligations")[1][0]["state"] == "to_do", "executed later, as the desk was told"
        assert get(f"{one.url}/may-register?subject={FIRM}")[1]["answer"] == "refuse", "it holds from the notice on"
        wait_until(lambda: get(f"{one.url}/obligations")[1][0]["state"] == "executed")
        ending_at = time.monotonic()
    assert time.monotonic() - ending_at < 5, "it ends although its feedback is under way"
    inbox.held.set()
    with desk(tmp_path, inbox):
        wait_until(lambda: (2, "EXECUTED") in inbox.states())
