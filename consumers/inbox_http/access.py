"""Who calls: the key says which department, and nothing else does."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from consumers.inbox_http.problems import RefusedError
from exchange.api_keys import ApiKey, KeyStore, recognise
from exchange.catalogue import Catalogue
from exchange.domain.calendar import day_of

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Caller(NamedTuple):
    """A department that has shown a good key."""

    department: str
    secret: str


class Door:
    """Lets departments in. A key is looked up at every request, so a revoked one is worth nothing at once.

    Args:
        keys: where they are kept.
        catalogue: of the departments.
        now_ms: milliseconds since 1970-01-01 UTC.
    """

    def __init__(
        self, keys: KeyStore, catalogue: Catalogue, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._keys = keys
        self._catalogue = catalogue
        self._now_ms = now_ms

    async def admit(self, authorization: str) -> Caller:
        """The department of a request.

        Args:
            authorization: its header of that name.

        Raises:
            RefusedError: 401 `no_key`, `wrong_key`; 403 `department_ended`.
            RetryLaterError: the keys cannot be read.
        """
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise RefusedError(
                401, "请求未带密钥 no key is given", code="no_key",
                remedy="send the header Authorization: Bearer cbk_...", headers=_CHALLENGE,
            )  # fmt: skip
        key = await self._recognise(secret.strip())
        if key is None:
            raise RefusedError(
                401, "密钥无效或已吊销 the key is unknown or revoked", code="wrong_key",
                remedy="ask the operator of the bus for a new one (creditbus keys issue)", headers=_CHALLENGE,
            )  # fmt: skip
        department = self._catalogue.departments.get(key.department)
        if department is None or not day_of(self._now_ms()) < department.existed_to:
            raise RefusedError(
                403, f"部门已撤销 {key.department} is no longer on the bus", code="department_ended",
                remedy="its successor uses a key of its own",
            )  # fmt: skip
        return Caller(key.department, secret.strip())

    async def still(self, caller: Caller) -> bool:
        """Whether the key that somebody came in with is still good; for those who stay long."""
        return await self._recognise(caller.secret) is not None

    async def _recognise(self, secret: str) -> ApiKey | None:
        return await asyncio.to_thread(recognise, self._keys, secret)
