"""Opening a pushed notice: what every receiver uses."""

import json
from datetime import date
from typing import Any

import pytest

from consumers.webhook import Challenge, Message, MessageError, NoticeMessage, ThinMessage, open_message
from exchange.signatures import SignatureError
from tests.pushing import CODEC, FIRM, KEY, NEXT_KEY, event, in_force, lifted, notice, signed

NOW = 1_780_000_000
GOOD = notice(3, in_force("office_ban", 1), ended=(lifted("no_awards", 3),))
THIN = {name: GOOD[name] for name in ("id", "department", "subject", "epoch", "n")} | {
    "place": {"topic": "credit.out.gd.amr", "partition": 0, "offset": 7}
}


def opened(body: bytes, message_id: str = GOOD["id"], **changes: str) -> Message:
    headers = signed(body, message_id, at=NOW) | changes
    return open_message(body, headers, [KEY.public_text], CODEC, now=NOW)


def test_a_notice_comes_out_as_from_kafka() -> None:
    message = opened(event(GOOD | {"superseded": {"count": 1, "notices": [{"id": "older"}]}}))
    assert isinstance(message, NoticeMessage)
    assert (message.id, message.sequence, message.superseded) == (GOOD["id"], (1, 3), ({"id": "older"},))
    assert message.notice["subject"] == FIRM
    assert message.notice["measures"][0]["respond_by"] == date(2026, 5, 27)
    assert message.notice["lifted"][0]["since_n"] == 3
    assert message.notice["overdue"] == [], "defaults are filled in"


def test_a_thin_message_is_made_whole_with_the_notice_it_names_and_no_other() -> None:
    message = opened(event(THIN | {"superseded": {"count": 1, "notices": [{"id": "older"}]}}))
    assert isinstance(message, ThinMessage)
    assert (message.id, message.subject, message.sequence) == (GOOD["id"], FIRM, (1, 3))
    whole = opened(event(GOOD | {"superseded": {"count": 1, "notices": [{"id": "older"}]}}))
    assert message.whole(GOOD, CODEC) == whole
    others: list[object] = [
        GOOD | {"n": 4},
        GOOD | {"id": "another"},
        GOOD | {"department": "gd.fin"},
        {"code": "x"},
        [],
    ]
    for wrong in others:
        with pytest.raises(MessageError):
            message.whole(wrong, CODEC)


def test_a_challenge_is_answered() -> None:
    message = opened(event({"challenge": "c-1"}, "creditbus.endpoint.verification"), "challenge-1")
    assert isinstance(message, Challenge)
    assert message.answer() == {"challenge": "c-1"}


def test_any_of_two_keys_fits_and_names_of_headers_may_be_in_any_case() -> None:
    body = event(GOOD)
    headers = {name.title(): value for name, value in signed(body, GOOD["id"], keys=(NEXT_KEY,), at=NOW).items()}
    assert open_message(body, headers, [KEY.public_text, NEXT_KEY.public_text], CODEC, now=NOW)
    with pytest.raises(SignatureError):
        open_message(body, headers, [KEY.public_text], CODEC, now=NOW)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"specversion": "0.3"}, "CloudEvents"),
        ({"data": None}, "CloudEvents"),
        ({"type": "other"}, "no event of type 'other'"),
        ({"type": "creditbus.endpoint.verification"}, "no event of type"),
        ({"id": "another"}, "same id"),
        ({"data": GOOD | {"id": "another"}}, "same id"),
        ({"data": GOOD | {"superseded": [1]}}, "superseded"),
        ({"data": THIN | {"n": "3"}}, "names no notice: n is '3'"),
        ({"data": THIN | {"id": "another"}}, "same id"),
        ({"data": GOOD | {"issued_at": "yesterday"}}, "bad_time"),
        ({"data": {name: value for name, value in GOOD.items() if name != "subject"}}, "subject"),
    ],
)
def test_what_is_signed_and_no_notice_says_why(change: dict[str, Any], why: str) -> None:
    body = json.dumps(json.loads(event(GOOD)) | change).encode()
    with pytest.raises(MessageError, match=why):
        opened(body)
