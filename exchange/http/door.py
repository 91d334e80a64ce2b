"""Who calls: the API key or the bearer token says which department, and nothing else does."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from exchange.api_keys import PREFIX, ApiKey, KeyStore, recognise
from exchange.bearer_tokens import Bearer, BearerTokens
from exchange.catalogue import Catalogue
from exchange.clock import now_ms
from exchange.domain.calendar import day_of
from exchange.errors import RequestError
from exchange.http.problems import RefusedError

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Caller(NamedTuple):
    """A department that has shown a good key or token.

    secret: what it has shown. account: the key's id, or the token's `sub`.
    """

    department: str
    secret: str
    account: str


class Door:
    """Lets departments in. A key is looked up at every request, so a revoked one is worth nothing at once.

    Args:
        keys: where they are kept.
        catalogue: of the departments.
        tokens: of an identity provider; None takes API keys alone.
        now_ms: milliseconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        keys: KeyStore,
        catalogue: Catalogue,
        tokens: BearerTokens | None = None,
        *,
        now_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._keys = keys
        self._catalogue = catalogue
        self._tokens = tokens
        self._now_ms = now_ms

    async def admit(self, authorization: str) -> Caller:
        """The department of a request.

        Args:
            authorization: its header of that name.

        Raises:
            RefusedError: 401 `no_key`, `wrong_key`, `wrong_token`, `expired_token`; 403 `no_department`, `department_ended`.
            RetryLaterError: the keys cannot be read.
        """
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            raise RefusedError(
                401, "请求未带密钥 no key is given", code="no_key",
                remedy="send the header Authorization: Bearer cbk_...", headers=_CHALLENGE,
            )  # fmt: skip
        found = await asyncio.to_thread(self._recognise, secret)
        if found is None:
            raise RefusedError(
                401, "密钥无效或已吊销 the key is unknown or revoked", code="wrong_key",
                remedy="ask the operator of the bus for a new one (creditbus keys issue)", headers=_CHALLENGE,
            )  # fmt: skip
        if not found.department:
            raise RefusedError(
                403, "令牌未写明部门 the token names no department", code="no_department",
                remedy="the identity provider puts it into the claim that CREDITBUS_OIDC_DEPARTMENT_CLAIM names",
            )  # fmt: skip
        department = self._catalogue.departments.get(found.department)
        if department is None or not day_of(self._now_ms()) < department.existed_to:
            raise RefusedError(
                403, f"部门已撤销 {found.department[:64]} is no longer on the bus", code="department_ended",
                remedy="its successor uses a key of its own",
            )  # fmt: skip
        return Caller(found.department, secret, found.id if isinstance(found, ApiKey) else found.account)

    async def still(self, caller: Caller) -> bool:
        """Whether what somebody came in with is still good; for those who stay long."""
        try:
            return await asyncio.to_thread(self._recognise, caller.secret) is not None
        except RefusedError:
            return False

    def _recognise(self, secret: str) -> ApiKey | Bearer | None:
        if secret.startswith(PREFIX) or self._tokens is None:
            return recognise(self._keys, secret)
        try:
            return self._tokens.recognise(secret)
        except RequestError as error:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise RefusedError(401, str(error), code=error.code, remedy=error.remedy, headers=headers) from error
