"""One request to an endpoint, and what came of it. Redirects are not followed, little is read, time is limited."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from consumers.dispatcher.guard import Guard, GuardedResolver, RefusedAddressError
from consumers.dispatcher.schedule import THROTTLED_STATUSES, Outcome, outcome_of, retry_after
from exchange.certificates import expires_at_of_peer

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""


class Answer(NamedTuple):
    """What came of one request: status 0 where there is no answer, and then the error.

    certificate_expires: when the other end's certificate ends, seconds since 1970; 0 where there is none.
    """

    outcome: Outcome
    status: int
    error: str
    milliseconds: int
    digest: str
    retry_after: int
    body: bytes = b""
    certificate_expires: float = 0.0


class WithheldError(Exception):
    """What had to hold for sending a request holds no longer; nothing of it was sent."""


class _Message(aiohttp.BytesPayload):
    """A body that is asked about in the instant before it is written; aiohttp writes the headers in the same breath."""

    def __init__(self, body: bytes, may_send: Callable[[], bool]) -> None:
        super().__init__(body)
        self._may_send = may_send
        self.is_withheld = False
        self.certificate_expires = 0.0

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if not self._may_send():
            self.is_withheld = True
            raise WithheldError
        self.certificate_expires = _certificate_of(writer)
        await super().write_with_length(writer, content_length)


def open_session(guard: Guard, *, connections: int, timeout_seconds: float) -> aiohttp.ClientSession:
    """An HTTP client for one endpoint: pooled connections, addresses checked, no proxy, no cookies, no credentials."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(guard), limit=connections, keepalive_timeout=30, ttl_dns_cache=10
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        skip_auto_headers=("Accept-Encoding",),
    )


async def post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    now: int,
    may_send: Callable[[], bool] = lambda: True,
) -> Answer:
    """Send one message.

    Args:
        session: of the endpoint.
        url: checked by the guard.
        body: of the message.
        headers: signatures among them.
        now: milliseconds, for a Retry-After that names a date.
        may_send: asked last, when the connection is there, which may have taken long.

    Raises:
        WithheldError: it may not be sent any more.
    """
    began, message = time.perf_counter(), _Message(body, may_send)
    try:
        async with session.post(url, data=message, headers=headers, allow_redirects=False) as response:
            found = await _read(response)
            asked = (
                retry_after(response.headers.get("Retry-After", ""), now)
                if response.status in THROTTLED_STATUSES
                else 0
            )
            return Answer(
                outcome_of(response.status),
                response.status,
                "",
                _since(began),
                hashlib.sha256(found).hexdigest() if found else "",
                asked,
                found,
                message.certificate_expires,
            )
    except TimeoutError:
        return Answer(Outcome.FAILED, 0, "timeout", _since(began), "", 0)
    except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
        if message.is_withheld:
            raise WithheldError from error
        refused = isinstance(error, RefusedAddressError) or isinstance(error.__cause__, RefusedAddressError)
        outcome = Outcome.REFUSED if refused else Outcome.FAILED
        return Answer(outcome, 0, f"{type(error).__name__}: {error}"[:200], _since(began), "", 0)


def _certificate_of(writer: AbstractStreamWriter) -> float:
    """When the certificate of the other end of this connection ends; here, because an answer without a body keeps no connection."""
    transport: asyncio.Transport | None = getattr(writer, "transport", None)
    secured = transport.get_extra_info("ssl_object") if transport is not None else None
    return (secured and expires_at_of_peer(secured.getpeercert())) or 0.0


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if response.content_length == 0 or response.status == 204:  # No Content
        return b""
    found = b""
    while len(found) < MAX_ANSWER:
        chunk = await response.content.read(MAX_ANSWER - len(found))
        if not chunk:
            return found
        found += chunk
    response.close()  # the rest is not wanted, and so neither is the connection
    return found


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
