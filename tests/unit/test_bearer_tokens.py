"""Bearer tokens: only those of the issuer, for this audience, in their time, signed by a key that the issuer publishes."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from exchange.bearer_tokens import BearerTokens, PublishedKeys
from exchange.errors import RequestError, RetryLaterError

ISSUER, AUDIENCE, NOW = "https://login.example", "creditbus", 1_800_000_000
FIRST, SECOND = (ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}) for kid in ("k1", "k2"))
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "tax-batch", "exp": NOW + 300, "department": "gd.tax"}


class Provider:
    """An identity provider's documents, and how often they were fetched."""

    def __init__(self, *keys: ECKey | RSAKey | OctKey) -> None:
        self.keys = list(keys)
        self.fetched: list[str] = []
        self.is_away = False
        self.issuer = ISSUER
        self.now = 0.0

    def fetch(self, url: str) -> Mapping[str, Any]:
        self.fetched.append(url)
        if self.is_away:
            raise RetryLaterError("away", code="issuer_unavailable")
        if url.endswith("openid-configuration"):
            return {"issuer": self.issuer, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def tokens(self, jwks_url: str = "") -> BearerTokens:
        keys = PublishedKeys(ISSUER, jwks_url, fetch=self.fetch, clock=lambda: self.now)
        return BearerTokens(ISSUER, AUDIENCE, keys, now=lambda: NOW)


def token(
    key: ECKey | RSAKey | OctKey = FIRST, algorithm: str = "ES256", kid: str | None = "k1", **changes: Any
) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    header = {"alg": algorithm} | ({"kid": kid} if kid else {})
    return jwt.encode(header, claims, key, registry=JWSRegistry(algorithms=[algorithm]))


def code_of(tokens: BearerTokens, text: str) -> str:
    with pytest.raises(RequestError) as refused:
        tokens.recognise(text)
    return refused.value.code


def test_a_good_token_says_who_and_for_which_department() -> None:
    found = Provider(FIRST).tokens().recognise(token(aud=["other", AUDIENCE], nbf=NOW))
    assert (found.account, found.department, found.claims["iss"]) == ("tax-batch", "gd.tax", ISSUER)


@pytest.mark.parametrize("department", [None, 7, ["gd.tax"]])
def test_without_the_claim_there_is_no_department(department: object) -> None:
    assert Provider(FIRST).tokens().recognise(token(department=department)).department == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": NOW - 31}, "expired_token"), ({"exp": None}, "wrong_token"), ({"exp": "soon"}, "wrong_token"),
        ({"nbf": NOW + 60}, "wrong_token"), ({"iss": "https://other.example"}, "wrong_token"), ({"iss": None}, "wrong_token"),
        ({"aud": "other"}, "wrong_token"), ({"aud": None}, "wrong_token"), ({"aud": []}, "wrong_token"), ({"sub": None}, "wrong_token"),
    ],
)  # fmt: skip
def test_claims_that_are_not_right(changes: dict[str, Any], code: str) -> None:
    assert code_of(Provider(FIRST).tokens(), token(**changes)) == code


def test_forged_tokens() -> None:
    rsa, secret = RSAKey.generate_key(2048, {"kid": "rsa"}), OctKey.generate_key(256, {"kid": "shared"})
    tokens = Provider(FIRST, rsa, secret).tokens()
    head, body, signature = token().split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "k1"}).encode()).decode().rstrip("=")
    confused = OctKey.import_key(rsa.as_pem(private=False).hex())
    for forged in (
        token(SECOND), token(SECOND, kid="k2"), token(kid=None), f"{none}.{body}.", f"{none}.{body}.{signature}",
        f"{head}.{body}.", f"{head}.{body[:-4]}AAAA.{signature}", token(secret, "HS256", "shared"), token(confused, "HS256", "rsa"),
        token(kid="rsa"), "", "a.b", "密.密.密", "." * 5, "x" * 200_000,
    ):  # fmt: skip
        assert code_of(tokens, forged) == "wrong_token", forged[:80]
    assert tokens.recognise(token(rsa, "RS256", "rsa")).account == "tax-batch"


def test_keys_are_fetched_once_an_hour() -> None:
    provider = Provider(FIRST)
    tokens = provider.tokens()
    for _ in range(3):
        tokens.recognise(token())
    assert provider.fetched == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
    provider.now = 3601.0
    tokens.recognise(token())
    assert len(provider.fetched) == 4


def test_a_new_key_is_found_and_an_old_one_is_worth_nothing() -> None:
    provider = Provider(FIRST)
    tokens = provider.tokens("https://login.example/jwks")
    tokens.recognise(token())
    provider.keys = [SECOND]
    provider.now = 31.0
    assert tokens.recognise(token(SECOND, kid="k2")).account == "tax-batch"
    assert code_of(tokens, token()) == "wrong_token"
    assert provider.fetched == ["https://login.example/jwks"] * 2


def test_a_flood_of_unknown_keys_does_not_reach_the_issuer() -> None:
    provider = Provider(FIRST)
    tokens = provider.tokens("https://login.example/jwks")
    for number in range(100):
        provider.now = number / 10
        assert code_of(tokens, token(kid=f"x{number}")) == "wrong_token"
    assert len(provider.fetched) == 1


def test_an_issuer_that_is_away() -> None:
    provider = Provider(FIRST)
    tokens = provider.tokens()
    provider.is_away = True
    with pytest.raises(RetryLaterError, match="does not serve"):
        tokens.recognise(token())
    provider.is_away, provider.now = False, 30.0
    tokens.recognise(token())
    provider.is_away, provider.now = True, 80_000.0
    assert tokens.recognise(token()).department == "gd.tax", "known keys serve for a day"
    provider.now = 86_500.0
    with pytest.raises(RetryLaterError):
        tokens.recognise(token())


def test_a_discovery_document_of_another_issuer_is_not_believed() -> None:
    provider = Provider(FIRST)
    provider.issuer = "https://other.example"
    with pytest.raises(RetryLaterError):
        provider.tokens().recognise(token())


@pytest.mark.parametrize("url", ["http://login.example", "ftp://login.example", "login.example", "http://[", ""])
def test_an_issuer_has_an_https_url(url: str) -> None:
    with pytest.raises(RequestError):
        PublishedKeys(url)
    PublishedKeys("http://127.0.0.1:9000/realm")
