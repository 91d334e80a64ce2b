"""A local identity provider, for the demo and the tests: OpenID Connect by authorization code with PKCE, and client credentials.

Whoever comes chooses who he is: it proves nothing, and so serves this machine only. Its key is made at its start.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, HTTPException, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import HTMLResponse, RedirectResponse

PEOPLE: Mapping[str, tuple[str, str]] = {
    "window-07": ("officer", "gd.amr"),
    "procurement": ("officer", "gd.fin"),
    "tax-desk": ("officer", "gd.tax"),
    "audit": ("auditor", ""),
    "operator": ("operator", ""),
    "admin": ("administrator", ""),
}
"""Account to role and department."""
PROGRAMS: Mapping[str, str] = {"amr-window": "gd.amr", "fin-procurement": "gd.fin"}
"""Client to department; the secret of each is `<client>-secret`."""
_SECONDS = 300
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>演示身份提供方 demo identity provider</title><h1>演示身份提供方 Demo identity provider</h1>
<p>选择以谁的身份登录（仅供演示） Choose who you are (demo only)</p><form method="post" action="/authorize">{hidden}{people}</form></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    client: str
    redirect: str
    nonce: str
    challenge: str
    account: str
    until: float


@dataclass(slots=True, kw_only=True)
class Identity:
    """The provider.

    Attributes:
        issuer: its URL, without a slash at the end.
        client: the portal's name.
        redirects: where the portal may be sent back to.
        audience: of programs' tokens.
    """

    issuer: str
    client: str = "creditbus-portal"
    redirects: frozenset[str]
    audience: str = "creditbus"
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    )
    _codes: dict[str, _Asked] = field(default_factory=dict)

    def app(self) -> FastAPI:
        """The application."""
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.get("/.well-known/openid-configuration")(self.metadata)
        app.get("/jwks")(self.keys)
        app.get("/authorize")(self.choose)
        app.post("/authorize")(self.chosen)
        app.post("/token")(self.token)
        return app

    async def metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0."""
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks", "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
        }  # fmt: skip

    async def keys(self) -> dict[str, Any]:
        """The public key."""
        return {"keys": [self.key.as_dict(private=False)]}

    async def choose(
        self, request: Request, client_id: str, redirect_uri: str, code_challenge: str,
        code_challenge_method: str = "", response_type: str = "",
    ) -> HTMLResponse:  # fmt: skip
        """The page on which one chooses who one is."""
        right = client_id == self.client and redirect_uri in self.redirects and code_challenge
        if not right or (code_challenge_method, response_type) != ("S256", "code"):
            raise HTTPException(400, "unknown client or redirect, or no PKCE")
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in request.query_params.items()
        )
        people = "".join(
            f'<p><button name="account" value="{one}">{one}</button> {role} {department}</p>'
            for one, (role, department) in PEOPLE.items()
        )
        return HTMLResponse(_PAGE.format(hidden=hidden, people=people))

    async def chosen(
        self, account: Annotated[str, Form()], redirect_uri: Annotated[str, Form()], client_id: Annotated[str, Form()],
        code_challenge: Annotated[str, Form()], state: Annotated[str, Form()] = "", nonce: Annotated[str, Form()] = "",
    ) -> RedirectResponse:  # fmt: skip
        """Back to the portal with a code."""
        if account not in PEOPLE or client_id != self.client or redirect_uri not in self.redirects:
            raise HTTPException(400, "unknown account, client or redirect")
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Asked(
            client=client_id, redirect=redirect_uri, nonce=nonce, challenge=code_challenge, account=account,
            until=time.monotonic() + _SECONDS,
        )  # fmt: skip
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", 303)

    async def token(
        self, request: Request, grant_type: Annotated[str, Form()], code: Annotated[str, Form()] = "",
        code_verifier: Annotated[str, Form()] = "", redirect_uri: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "", client_secret: Annotated[str, Form()] = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Tokens for a code, or for a program."""
        if grant_type == "client_credentials":
            client_id, client_secret = _basic(request) or (client_id, client_secret)
            if client_id not in PROGRAMS or not hmac.compare_digest(client_secret, f"{client_id}-secret"):
                raise HTTPException(401, "unknown client")
            claims = {"sub": client_id, "client_id": client_id, "department": PROGRAMS[client_id]}
            return self._answer(access_token=self.sign(claims, self.audience))
        asked = self._codes.pop(code, None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        if (
            asked is None
            or asked.until < time.monotonic()
            or proof != asked.challenge
            or redirect_uri != asked.redirect
        ):
            raise HTTPException(400, "the code is not valid")
        role, department = PEOPLE[asked.account]
        claims = {
            "sub": asked.account, "preferred_username": asked.account, "nonce": asked.nonce, "role": role,
            "department": department,
        }  # fmt: skip
        return self._answer(access_token=secrets.token_urlsafe(24), id_token=self.sign(claims, asked.client))

    def sign(self, claims: Mapping[str, Any], audience: str) -> str:
        """A token with these claims, good for five minutes where they do not say otherwise."""
        now = int(time.time())
        full = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + _SECONDS, **claims}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, full, self.key)

    def _answer(self, **tokens: str) -> dict[str, Any]:
        return {"token_type": "Bearer", "expires_in": _SECONDS, **tokens}


def _basic(request: Request) -> tuple[str, str] | None:
    """Client and secret of HTTP Basic authentication."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    name, _, secret = base64.b64decode(text).decode().partition(":")
    return name, secret
