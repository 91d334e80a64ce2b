"""OpenID Connect: the journey of a person, and tokens that are forged, expired, made for others or not signed."""

import base64
import hmac
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from deploy.local.identity import Identity
from exchange.settings import Settings
from tests.integration.access_app import Portal, identity_provider, portal

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def identity() -> Iterator[Identity]:
    with identity_provider() as found:
        yield found


@pytest.fixture
def settings(bus_settings: Settings, identity: Identity) -> Settings:
    return bus_settings.model_copy(
        update={
            "portal_plain_http": True, "oidc_issuer": identity.issuer,
            "oidc_redirect_url": "http://localhost/login/oidc/return",
        }
    )  # fmt: skip


@pytest.fixture
def door(settings: Settings) -> Iterator[Portal]:
    with portal(settings) as found:
        yield found


def check(door: Portal, token: str) -> Any:
    return door.client.get("/v1/acts/check", headers={"authorization": f"Bearer {token}"})


def program(identity: Identity, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": identity.issuer, "aud": identity.audience, "iat": now, "exp": now + 60, "sub": "p", "client_id": "p",
        "department": "gd.fin",
    } | changes  # fmt: skip


def test_a_program_gets_a_token_by_client_credentials(door: Portal, identity: Identity) -> None:
    given = {
        "grant_type": "client_credentials",
        "client_id": "fin-procurement",
        "client_secret": "fin-procurement-secret",
    }
    token = httpx2.post(f"{identity.issuer}/token", data=given).json()["access_token"]
    assert check(door, token).json() == {"role": "officer", "department": "gd.fin", "account": "fin-procurement"}
    assert door.log()[-1]["account"] == "fin-procurement"
    assert httpx2.post(f"{identity.issuer}/token", data=given | {"client_secret": "x"}).status_code == 401


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bad_tokens(identity: Identity) -> dict[str, str]:
    header = {"alg": "RS256", "kid": identity.key.kid}
    now = int(time.time())
    stranger = RSAKey.generate_key(2048)
    public = identity.key.as_pem(private=False)

    def signed(**changes: Any) -> str:
        return jwt.encode(header, program(identity, **changes), identity.key)

    good = signed()
    head, body, signature = good.split(".")
    shared = f"{b64(json.dumps({'alg': 'HS256', 'kid': identity.key.kid}).encode())}.{body}"
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    return {
        "expired": signed(exp=now - 120),
        "without an end": jwt.encode(header, {k: v for k, v in program(identity).items() if k != "exp"}, identity.key),
        "for another audience": signed(aud="somebody-else"),
        "for the portal's people": signed(aud="creditbus-portal"),
        "of another issuer": signed(iss="http://localhost:1"),
        "signed by a stranger": jwt.encode(header, program(identity), stranger),
        "signed by nobody": f"{unsigned}.{body}.",
        "alg none with a signature": f"{unsigned}.{body}.{signature}",
        "signed with the public key as a secret": f"{shared}.{b64(hmac.digest(public, shared.encode(), 'sha256'))}",
        "cut": good[:-8],
        "changed": f"{head}.{body[:-4]}AAAA.{signature}",
        "nonsense": "a.b.c",
    }


def test_tokens_that_are_not_believed(door: Portal, identity: Identity) -> None:
    assert (
        check(door, jwt.encode({"alg": "RS256", "kid": identity.key.kid}, program(identity), identity.key)).status_code
        == 200
    )
    for what, token in bad_tokens(identity).items():
        answer = check(door, token)
        assert (answer.status_code, answer.json()["code"]) == (
            401, "expired_token" if what == "expired" else "wrong_token"
        ), what  # fmt: skip
    nowhere = jwt.encode(
        {"alg": "RS256", "kid": identity.key.kid}, program(identity, department="gd.nobody"), identity.key
    )
    assert check(door, nowhere).json()["code"] == "department_ended"


def go(door: Portal, account: str, place: str = "/") -> str:
    """To the provider, choose who one is; where it sends one back to."""
    left = door.client.get(f"/login/oidc?next={place}", follow_redirects=False)
    asked = dict(parse_qsl(urlsplit(left.headers["location"]).query))
    assert asked["code_challenge_method"] == "S256"
    page = httpx2.get(left.headers["location"])
    assert account in page.text
    issuer = left.headers["location"].partition("/authorize")[0]
    back = httpx2.post(f"{issuer}/authorize", data=asked | {"account": account})
    address = urlsplit(back.headers["location"])
    return f"{address.path}?{address.query}"


@pytest.mark.parametrize(
    ("account", "role", "department"), [("procurement", "officer", "gd.fin"), ("audit", "auditor", "")]
)
def test_a_person_signs_in_at_the_provider(door: Portal, account: str, role: str, department: str) -> None:
    assert "/login/oidc?next=" in door.client.get("/login").text
    back = go(door, account, "/acts/own_account")
    arrived = door.client.get(back, follow_redirects=False)
    assert arrived.headers["location"] == "/acts/own_account"
    shown = door.client.get("/acts/own_account").json()
    assert shown == {"role": role, "department": department, "account": account}
    assert 'action="/account/password"' not in door.client.get("/account").text


def test_a_code_is_for_one_use_and_for_the_browser_that_asked(door: Portal) -> None:
    back = go(door, "audit")
    cookies = dict(door.client.cookies)
    door.client.cookies.clear()
    assert door.client.get(back).status_code == 400, "another browser: a link that signs somebody else in"
    door.client.cookies.update(cookies)
    assert door.client.get(back, follow_redirects=False).status_code == 303
    door.client.cookies.update(cookies)
    assert door.client.get(back).status_code == 400, "once"
    changed = re.sub("state=[^&]+", "state=forged", go(door, "audit"))
    assert door.client.get(changed).status_code == 400
    denied = door.client.get("/login/oidc/return?error=access_denied&state=x")
    assert (denied.status_code, "access_denied" in denied.text) == (400, True)


def test_a_code_without_its_proof_is_worth_nothing(door: Portal, identity: Identity) -> None:
    code = dict(parse_qsl(urlsplit(go(door, "audit")).query))["code"]
    given = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost/login/oidc/return",
        "code_verifier": "guessed",
    }  # fmt: skip
    assert httpx2.post(f"{identity.issuer}/token", data=given).status_code == 400


def test_an_id_token_of_another_sign_in_is_refused(
    door: Portal, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = Identity.sign
    monkeypatch.setattr(
        Identity, "sign", lambda self, claims, audience: sign(self, {**claims, "nonce": "other"}, audience)
    )
    refused = door.client.get(go(door, "audit"), follow_redirects=False)
    assert refused.status_code == 401
    assert door.client.get("/acts/own_account").status_code == 401


def test_without_a_role_nobody_signs_in(door: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = Identity.sign
    monkeypatch.setattr(
        Identity, "sign", lambda self, claims, audience: sign(self, {**claims, "role": "public"}, audience)
    )
    refused = door.client.get(go(door, "audit"), follow_redirects=False)
    assert (refused.status_code, "no_role" in refused.text) == (403, True)


def test_a_provider_that_is_away_is_told(settings: Settings, identity: Identity) -> None:
    token = identity.sign({"sub": "p"}, identity.audience)
    with portal(settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"})) as door:
        assert check(door, token).json()["code"] == "issuer_unavailable"
        assert door.sign_in("li").status_code == 303, "local accounts go on"
