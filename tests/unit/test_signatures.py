"""Signatures: the official vector and library, both schemes, rotation, tampering, replays."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from exchange.errors import FatalError, RequestError
from exchange.settings import Settings
from exchange.signatures import EndpointKey, SignatureError, Signer, SigningKeys, load_signing_keys, verify

MASTER = SigningKeys.parse("k1:" + "ab" * 32)
KEY = MASTER.endpoint_key("gd.fin", 1)
BODY = json.dumps({"名": "合成一号"}, ensure_ascii=False).encode()


def test_the_vector_of_the_standards_own_libraries() -> None:
    # standard-webhooks/standard-webhooks, libraries/*: the vector that each language's test signs.
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signer = Signer([EndpointKey(secret=secret, seed=bytes(32))])
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"].split(" ")[1] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_official_library_accepts_what_we_sign() -> None:
    headers = Signer([KEY]).headers("msg_1", int(datetime.now(UTC).timestamp()), BODY)
    assert Webhook(KEY.secret_text).verify(BODY, headers) == json.loads(BODY)


@given(st.text(min_size=1, max_size=20, alphabet="abc123_"), st.text(max_size=200))
def test_both_schemes_verify_and_any_change_is_found(message_id: str, text: str) -> None:
    body = text.encode()
    headers = Signer([KEY]).headers(message_id, 1000, body)
    for key in (KEY.public_text, KEY.secret_text):
        verify(body, headers, [key], now=1299)
        for changed in (
            (body + b" ", headers),
            (body, headers | {"webhook-id": message_id + "x"}),
            (body, headers | {"webhook-timestamp": "1001"}),
        ):
            with pytest.raises(SignatureError, match="no signature fits"):
                verify(*changed, [key], now=1299)


@pytest.mark.parametrize("now", [1301, 699])
def test_an_old_or_future_message_is_refused(now: int) -> None:
    headers = Signer([KEY]).headers("m", 1000, BODY)
    with pytest.raises(SignatureError, match="within 300 s"):
        verify(BODY, headers, [KEY.public_text], now=now)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(name: str) -> None:
    headers = Signer([KEY]).headers("m", 1000, BODY)
    with pytest.raises(SignatureError, match="missing"):
        verify(BODY, {k.title(): v for k, v in headers.items() if k != name}, [KEY.public_text], now=1000)


def test_while_keys_rotate_either_verifies() -> None:
    newer = MASTER.endpoint_key("gd.fin", 2)
    headers = Signer([newer, KEY]).headers("m", 1000, BODY)
    assert [one.split(",")[0] for one in headers["webhook-signature"].split(" ")] == ["v1a", "v1a", "v1", "v1"]
    for key in (KEY, newer):
        verify(BODY, headers, [key.public_text], now=1000)
        verify(BODY, headers, [key.secret_text], now=1000)
    with pytest.raises(SignatureError):
        verify(BODY, headers, [MASTER.endpoint_key("gd.prtc", 1).public_text], now=1000)


def test_keys_differ_by_endpoint_number_and_master() -> None:
    other = SigningKeys.parse("k2:" + "cd" * 32 + ",k1:" + "ab" * 32)
    keys = {
        KEY.public_text, MASTER.endpoint_key("gd.fin", 2).public_text, MASTER.endpoint_key("gd.tax", 1).public_text,
        other.endpoint_key("gd.fin", 1).public_text,
    }  # fmt: skip
    assert len(keys) == 4
    assert other.endpoint_key("gd.fin", 1, "k1") == KEY
    with pytest.raises(RequestError, match="no signing key"):
        other.endpoint_key("gd.fin", 1, "k9")


@pytest.mark.parametrize("text", ["k1:abcd", "nothing", "k1:" + "ab" * 32 + ",k1:" + "cd" * 32])
def test_bad_master_keys_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(FatalError) as refused:
        SigningKeys.parse(text)
    assert refused.value.code == "bad_signing_keys"
    assert text not in str(refused.value)
    assert "abab" not in repr(MASTER) + repr(KEY)


def test_the_development_key_is_for_the_embedded_stack_only() -> None:
    assert load_signing_keys(Settings(), embedded=True).newest == "dev"
    with pytest.raises(FatalError, match="no signing key is set"):
        load_signing_keys(Settings(), embedded=False)
