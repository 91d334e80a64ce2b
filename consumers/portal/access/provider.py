"""The OpenID Connect provider: where people are sent to sign in, by authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636).

The ID token that comes back is checked like every other token of the provider (`exchange.bearer_tokens`), and its nonce besides.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Mapping
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from exchange.bearer_tokens import BearerTokens, PublishedKeys, fetch_json
from exchange.catalogue import Catalogue
from exchange.clock import now_ms
from exchange.domain.access import Role, Visitor
from exchange.domain.calendar import day_of
from exchange.errors import RequestError, RetryLaterError
from exchange.http.problems import RefusedError
from exchange.settings import Settings

_KEPT_SECONDS = 3600.0
_TIMEOUT_SECONDS = 5.0
log = logging.getLogger("creditbus.portal")


class Provider:
    """The provider of the settings.

    Args:
        settings: `oidc_*`.
        catalogue: of the departments that a claim may name.

    Raises:
        RequestError: `plain_issuer`, `bad_issuer`.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._tokens = BearerTokens(
            settings.oidc_issuer, settings.oidc_client_id, PublishedKeys(settings.oidc_issuer, settings.oidc_jwks_url),
            department_claim=settings.oidc_department_claim,
        )  # fmt: skip
        self._metadata: Mapping[str, Any] = {}
        self._metadata_at = 0.0

    async def sign_in_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a person signs in.

        Args:
            state: comes back with the person.
            nonce: comes back in the ID token.
            verifier: of PKCE; kept here.

        Raises:
            RetryLaterError: `issuer_unavailable`.
        """
        place = await self._place("authorization_endpoint")
        async with self._client() as client:
            url, _ = client.create_authorization_url(place, state=state, code_verifier=verifier, nonce=nonce)
        return str(url)

    async def redeem(self, code: str, *, nonce: str, verifier: str) -> Visitor:
        """Who has signed in, for the code that he came back with.

        Raises:
            RefusedError: 401 `wrong_token` (the code or the ID token does not do), 403 `no_role`, `no_department`.
            RetryLaterError: `issuer_unavailable`.
        """
        place = await self._place("token_endpoint")
        try:
            async with self._client() as client:
                tokens = await client.fetch_token(place, code=code, code_verifier=verifier)
            bearer = await asyncio.to_thread(self._tokens.recognise, str(tokens.get("id_token", "")))
        except (OAuthError, RequestError) as error:
            raise _refused(str(error)) from error
        except httpx2.HTTPError as error:
            raise _away(error) from error
        several = isinstance(bearer.claims["aud"], list) and len(bearer.claims["aud"]) > 1
        if several and bearer.claims.get("azp") != self._settings.oidc_client_id:
            raise _refused("made for another")  # OpenID Connect Core 3.1.3.7
        if not hmac.compare_digest(str(bearer.claims.get("nonce", "")).encode(), nonce.encode()):
            raise _refused("of another sign-in")
        return self._visitor(bearer.claims, bearer.account, bearer.department)

    def _visitor(self, claims: Mapping[str, Any], account: str, department: str) -> Visitor:
        role = claims.get(self._settings.oidc_role_claim)
        if role not in set(Role) - {Role.PUBLIC}:
            raise RefusedError(
                403, "账号未授予角色 the account has no role here", code="no_role",
                remedy=f"ask whoever runs the identity provider to set the claim {self._settings.oidc_role_claim}",
            )  # fmt: skip
        found = self._catalogue.departments.get(department)
        if role == Role.OFFICER and (found is None or not day_of(now_ms()) < found.existed_to):
            raise RefusedError(
                403, f"部门未知或已撤销 no such department {department[:64]!r}", code="no_department",
                remedy=f"the claim {self._settings.oidc_department_claim} names a department of the catalogue",
            )  # fmt: skip
        name = str(claims.get("preferred_username") or account)
        return Visitor(role=Role(role), department=department if role == Role.OFFICER else "", account=name)

    async def _place(self, name: str) -> str:
        """An address that the provider's discovery document has; it is kept for an hour."""
        if not self._metadata or time.monotonic() - self._metadata_at > _KEPT_SECONDS:
            issuer = self._settings.oidc_issuer
            found = await asyncio.to_thread(fetch_json, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise _away(f"its discovery document is of {found.get('issuer')}")
            self._metadata, self._metadata_at = found, time.monotonic()
        return str(self._metadata[name])

    def _client(self) -> AsyncOAuth2Client:
        settings = self._settings
        secret = settings.oidc_client_secret.get_secret_value()
        return AsyncOAuth2Client(
            settings.oidc_client_id, secret or None, scope="openid profile", redirect_uri=settings.oidc_redirect_url,
            code_challenge_method="S256", token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip


def _refused(reason: str) -> RefusedError:
    log.warning("sign-in refused reason=%s", reason[:200])
    return RefusedError(
        401, "身份提供方的答复无效 what the identity provider gave is not valid", code="wrong_token",
        remedy="重新登录 sign in again at /login",
    )  # fmt: skip


def _away(error: object) -> RetryLaterError:
    return RetryLaterError(
        f"the identity provider does not serve: {error}", code="issuer_unavailable",
        remedy="see that it runs and that CREDITBUS_OIDC_ISSUER is right",
    )  # fmt: skip
