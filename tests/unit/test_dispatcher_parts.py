"""The pure parts of the dispatcher: schedules, answers, circuit breaker, rate limit, the guard, the message."""

import json
from copy import copy

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st

from consumers.dispatcher.guard import Guard
from consumers.dispatcher.message import CONTENT_TYPE, Envelope
from consumers.dispatcher.pacing import FAILED_PERCENT, MIN_ATTEMPTS, OPEN_MS, WINDOW_MS, Breaker, Bucket, Circuit
from consumers.dispatcher.queue import Pointer, Skipped
from consumers.dispatcher.schedule import JITTER, MAX_RETRY_AFTER, NORMAL, URGENT, delay, is_exhausted, retry_after
from exchange.codec import Codec
from exchange.endpoints import Endpoint, State
from exchange.errors import RequestError
from exchange.json_form import to_json
from exchange.paths import SCHEMAS
from exchange.signatures import SigningKeys

CODEC = Codec.from_files(SCHEMAS)
RAW = bytes.fromhex((SCHEMAS / "examples/notice/imposed.hex").read_text("ascii"))
KEYS = SigningKeys.parse("k1:" + "ab" * 32)


@given(st.integers(1, 50), st.booleans(), st.floats(0, 1))
def test_jitter_only_adds_and_the_schedule_never_ends(attempt: int, urgent: bool, chance: float) -> None:
    schedule = URGENT if urgent else NORMAL
    whole = schedule[min(attempt, len(schedule)) - 1]
    assert whole <= delay(attempt, urgent=urgent, chance=chance) <= whole * (1 + JITTER)
    assert is_exhausted(attempt, urgent=urgent) == (attempt == len(schedule) + 1)


@given(st.text(max_size=60), st.integers(0, 2**42))
def test_any_retry_after_gives_a_time_within_its_limit(header: str, now: int) -> None:
    assert 0 <= retry_after(header, now) <= MAX_RETRY_AFTER


def test_the_breaker_opens_on_failures_probes_once_and_closes() -> None:
    breaker = Breaker()
    for number in range(MIN_ATTEMPTS):
        assert breaker.wait(number) == 0
        breaker.begin()
        breaker.ended(number, failed=100 * number >= MIN_ATTEMPTS * (100 - FAILED_PERCENT))
    assert breaker.circuit is Circuit.OPEN
    opened = MIN_ATTEMPTS - 1
    assert breaker.wait(opened + 1) == OPEN_MS - 1
    breaker.ended(opened + 2, failed=True)  # one that began before
    assert breaker.wait(opened + OPEN_MS) == 0
    breaker.begin()
    assert breaker.wait(opened + OPEN_MS) is None
    breaker.ended(opened + OPEN_MS + 5, failed=True)
    assert breaker.wait(opened + OPEN_MS + 6) == OPEN_MS - 1
    breaker.begin()
    breaker.abandon(opened + 3 * OPEN_MS)
    breaker.begin()
    breaker.ended(opened + 3 * OPEN_MS, failed=False)
    assert (breaker.circuit, breaker.wait(opened + 3 * OPEN_MS)) == (Circuit.CLOSED, 0)


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    for number in range(MIN_ATTEMPTS - 1):
        breaker.ended(number, failed=True)
    breaker.ended(WINDOW_MS + MIN_ATTEMPTS, failed=True)
    assert breaker.circuit is Circuit.CLOSED


@given(st.integers(1, 1000), st.lists(st.integers(0, 500), min_size=1, max_size=300))
def test_a_bucket_never_gives_more_than_its_rate(rate: int, steps: list[int]) -> None:
    bucket, now, taken = Bucket(rate), 1000, 0
    for step in steps:
        now += step
        while bucket.wait(now) == 0:
            bucket.take()
            taken += 1
        later = copy(bucket)
        assert later.wait(now + bucket.wait(now)) == 0, "it says rightly how long to wait"
    assert taken <= rate + (now - 1000) * rate / 1000 + 1


@pytest.mark.parametrize(
    "url",
    [
        "http://credit.example/hook", "https://10.0.0.1/", "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
        "https://0x7f000001/", "https://[::1]/", "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a00:1]/",
        "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://224.0.0.1/", "https://0.0.0.0/",
        "https://user:word@credit.example/", "https://[fe80::1]/", "https://[fc00::1]/", "ftp://credit.example/", "https:///x",
        "https://credit.example:99999/", "https://[2002:7f00:1::]/", "https://credit.example/#a", "https://credit.example/\n",
    ],
)  # fmt: skip
def test_the_guard_refuses(url: str) -> None:
    with pytest.raises(RequestError) as refused:
        Guard().check_url(url)
    assert refused.value.code == "bad_webhook_url"


def test_the_guard_lets_through_what_is_public_or_allowed() -> None:
    Guard().check_url("https://credit.example:8443/hook?a=b")
    Guard().check_url("https://8.8.8.8/")
    Guard().check_url("https://[2606:4700::1111]/")
    Guard(["10.1.0.0/16"], plain_http=True).check_url("http://10.1.2.3/")
    with pytest.raises(RequestError):
        Guard(["10.1.0.0/16"]).check_url("https://10.2.0.1/")
    with pytest.raises(RequestError, match="no network"):
        Guard(["10.1.0.0/99"])


SKIPPED = (Skipped("older", 1, 0, 1000, (("procurement_ban", "IMPOSED"),)),)


def pointer(**changes: object) -> Pointer:
    notice = CODEC.decode_plain(RAW)[1]
    fields = {
        "partition": 2, "subject": notice["subject"], "epoch": 1, "n": 1, "notice": notice["id"], "offset": 7,
        "issued_at": notice["issued_at"],
    }  # fmt: skip
    return Pointer(**(fields | changes))


def test_the_message_is_a_cloud_event_with_the_whole_notice() -> None:
    body = Envelope(CODEC, "/creditbus/credit").full(pointer(skipped=SKIPPED, skipped_count=3), RAW)
    event = from_structured_event(HTTPMessage({"content-type": CONTENT_TYPE}, body), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_source()) == (
        pointer().notice, "cn.creditbus.notice.v1", "/creditbus/credit",
    )  # fmt: skip
    assert event.get_subject() == pointer().subject
    assert event.get_extension("sequence") == "0000000001.000000000001"
    data = json.loads(body)["data"]
    assert data.pop("superseded") == {
        "count": 3,
        "notices": [
            {
                "id": "older", "epoch": 1, "n": 0, "issued_at": "1970-01-01T00:00:01.000Z",
                "changes": [{"measure": "procurement_ban", "action": "IMPOSED"}],
            }
        ],
    }  # fmt: skip
    assert data == to_json(CODEC.decode(RAW)[1])
    assert json.loads(body)["timestamp"] == data["issued_at"]


def test_a_thin_message_tells_nothing_of_the_notice() -> None:
    body = Envelope(CODEC, "/creditbus/credit").thin(
        pointer(skipped=SKIPPED, skipped_count=3), "gd.fin", "credit.out.gd.fin"
    )
    data = json.loads(body)["data"]
    assert data.pop("superseded") == {
        "count": 3, "notices": [{"id": "older", "epoch": 1, "n": 0, "issued_at": "1970-01-01T00:00:01.000Z"}]
    }  # fmt: skip
    assert set(data) == {"id", "department", "subject", "epoch", "n", "place"}
    assert data["place"] == {"topic": "credit.out.gd.fin", "partition": 2, "offset": 7}
    assert b"procurement_ban" not in body


def test_while_keys_rotate_both_sign_and_then_only_the_new() -> None:
    endpoint = Endpoint(department="gd.fin", url="https://credit.example/", key_id="k1").rotated("k1", 1000, 500)
    both = endpoint.live_keys(KEYS, 1499)
    assert [one.public_text for one in both] == [KEYS.endpoint_key("gd.fin", n).public_text for n in (2, 1)]
    assert len(endpoint.live_keys(KEYS, 1500)) == 1


def test_the_states_of_an_endpoint() -> None:
    new = Endpoint(department="gd.fin", url="https://credit.example/", key_id="k1")
    assert new.paused("a", 5).resumed(6).state is State.UNVERIFIED
    active = new.verified(7)
    assert active.state is State.ACTIVE
    assert active.paused("a", 8).paused("b", 9).reason == "a"
    assert active.paused("a", 8).resumed(9).state is State.ACTIVE
    assert active.gone(8).resumed(9).state is State.UNVERIFIED, "one that was gone is verified anew"
    assert active.resumed(9) is active
