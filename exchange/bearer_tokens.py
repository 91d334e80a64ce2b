"""Bearer tokens: what an identity provider (OIDC) gives a person or a department's program to show at the bus's HTTP doors.

A token is a JWT (RFC 7519, RFC 8725) of one issuer for one audience, signed by a key that the issuer publishes (JWKS, RFC 7517).
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx2
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import Key, KeySet
from joserfc.jws import JWSRegistry

from exchange.errors import RequestError, RetryLaterError
from exchange.settings import Settings

ALGORITHMS = ("ES256", "ES384", "PS256", "RS256", "EdDSA", "Ed25519")
"""Signatures that are accepted: none with a secret that two share, and never `none`."""
LEEWAY_SECONDS = 30
"""So far the issuer's clock may be off."""
_FRESH_SECONDS = 3600.0
_STALE_SECONDS = 86_400.0
"""While the issuer is away its keys are good for so long since they were fetched."""
_ASK_AGAIN_SECONDS = 30.0
"""The issuer is asked at most so often, whatever tokens with unknown keys come in."""
_REQUEST_SECONDS = 5.0
_DOCUMENT_BYTES = 2**20
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)  # `crit` is checked all the same
log = logging.getLogger("creditbus.tokens")

Fetch = Callable[[str], Mapping[str, Any]]
"""Gets a JSON document; raises `RetryLaterError`."""


class Bearer(NamedTuple):
    """Who has shown a good token.

    account: the token's `sub`. department: slug that the claim of the setting names; empty where it names none. claims: all of them.
    """

    account: str
    department: str
    claims: Mapping[str, Any]


class PublishedKeys:
    """The public keys of an issuer, fetched when first needed, kept for an hour, and asked for anew when one is not known.

    Args:
        issuer: its URL; the keys' address is found there by OpenID Connect Discovery.
        jwks_url: the keys' address, where it is given.
        fetch: gets a JSON document.
        clock: seconds, monotonic.

    Raises:
        RequestError: `plain_issuer`: a URL is not https.
    """

    def __init__(
        self,
        issuer: str,
        jwks_url: str = "",
        *,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _check_url(jwks_url or issuer)
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fetch = fetch or fetch_json
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at = self._asked_at = -_STALE_SECONDS
        self._lock = threading.Lock()

    def find(self, key_id: str) -> Key | None:
        """The key of an id; None when the issuer publishes none under it.

        Raises:
            RetryLaterError: `issuer_unavailable`: the issuer is away, and its keys are not known or too old.
        """
        with self._lock:
            now = self._clock()
            age = now - self._fetched_at
            if (age >= _FRESH_SECONDS or key_id not in self._keys) and now - self._asked_at >= _ASK_AGAIN_SECONDS:
                self._asked_at = now
                try:
                    self._keys = self._published()
                except RetryLaterError as error:
                    log.warning("keys not fetched issuer=%s error=%s", self._issuer, error)
                else:
                    self._fetched_at = now
                age = now - self._fetched_at
            if age >= _STALE_SECONDS:
                raise _unavailable(self._issuer, "its keys are not known")
            return self._keys.get(key_id)

    def _published(self) -> dict[str, Key]:
        url = self._jwks_url
        if not url:
            found = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            url = str(found.get("jwks_uri"))
            if found.get("issuer") != self._issuer:
                raise _unavailable(self._issuer, f"its discovery document is of {found.get('issuer')}")
            _check_url(url)
        try:
            keys = KeySet.import_key_set({"keys": self._fetch(url)["keys"]})
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise _unavailable(url, f"no JSON web key set: {error}") from error
        return {str(key.kid): key for key in keys if key.key_type != "oct" and key.get("use") in (None, "sig")}


class BearerTokens:
    """Recognises tokens.

    Args:
        issuer: `iss` of every token.
        audience: what `aud` must name: this door, not another that trusts the same issuer.
        keys: of the issuer.
        department_claim: which claim names the department.
        now: seconds since 1970.
    """

    def __init__(
        self, issuer: str, audience: str, keys: PublishedKeys, *,
        department_claim: str = "department", now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._keys = keys
        self._department_claim = department_claim
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    def recognise(self, token: str) -> Bearer:
        """Who a token speaks for. Asks the issuer at times, so call it off the event loop.

        Raises:
            RequestError: `expired_token`, `wrong_token`; nothing of the token is repeated.
            RetryLaterError: `issuer_unavailable`.
        """
        try:
            found = jwt.decode(token, self._key_of, registry=_REGISTRY)
            self._claims.validate(found.claims)
        except ExpiredTokenError as error:
            raise RequestError("令牌已过期 the token has expired", code="expired_token", remedy=_REMEDY) from error
        except (JoseError, ValueError, TypeError) as error:
            reason = str(error)[:200] if isinstance(error, JoseError) else "not a signed JSON web token"
            raise RequestError(
                f"令牌无效 the token is not valid: {reason}", code="wrong_token", remedy=_REMEDY
            ) from error
        department = found.claims.get(self._department_claim)
        return Bearer(found.claims["sub"], department if isinstance(department, str) else "", found.claims)

    def _key_of(self, signed: Any) -> Key:
        key_id = signed.headers().get("kid")
        key = self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise JoseError("the issuer publishes no key under its kid")
        return key


def open_bearer_tokens(settings: Settings) -> BearerTokens | None:
    """As the settings ask for; None where no identity provider is set.

    Raises:
        RequestError: `plain_issuer`, `bad_issuer`.
    """
    if not settings.oidc_issuer:
        return None
    keys = PublishedKeys(settings.oidc_issuer, settings.oidc_jwks_url)
    return BearerTokens(
        settings.oidc_issuer, settings.oidc_audience, keys, department_claim=settings.oidc_department_claim
    )


_REMEDY = "get a new token from the identity provider, for this issuer and audience"


def fetch_json(url: str) -> Mapping[str, Any]:
    """A JSON object from an issuer, without following redirects.

    Raises:
        RetryLaterError: `issuer_unavailable`.
    """
    raw = bytearray()
    try:
        with httpx2.stream("GET", url, timeout=_REQUEST_SECONDS, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                raw += chunk
                if len(raw) > _DOCUMENT_BYTES:
                    raise _unavailable(url, f"more than {_DOCUMENT_BYTES} bytes")
        found = json.loads(raw)
    except (httpx2.HTTPError, ValueError) as error:
        raise _unavailable(url, str(error)) from error
    if not isinstance(found, dict):
        raise _unavailable(url, "not a JSON object")
    return found


def _check_url(url: str) -> None:
    """Keys that come over plain HTTP could be anybody's; this machine itself is trusted."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise RequestError(f"{url!r} is no URL: {error}", code="bad_issuer", remedy="give the issuer's URL") from error
    if parsed.scheme != "https" and not (parsed.scheme == "http" and parsed.host in _LOCAL):
        raise RequestError(f"{url} is not https", code="plain_issuer", remedy="give the issuer's https URL")


def _unavailable(url: str, why: str) -> RetryLaterError:
    remedy = "see that the identity provider runs and that CREDITBUS_OIDC_ISSUER and CREDITBUS_OIDC_JWKS_URL are right"
    return RetryLaterError(
        f"the identity provider {url} does not serve: {why}", code="issuer_unavailable", remedy=remedy
    )
