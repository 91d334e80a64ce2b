"""One request to an endpoint, and what came of it. Redirects are not followed, little is read, time is limited."""

import asyncio
import hashlib
import time
from typing import NamedTuple

import aiohttp

from consumers.dispatcher.guard import Guard, GuardedResolver, RefusedAddressError
from consumers.dispatcher.schedule import THROTTLED_STATUSES, Outcome, outcome_of, retry_after

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""


class Answer(NamedTuple):
    """What came of one request: status 0 where there is no answer, and then the error."""

    outcome: Outcome
    status: int
    error: str
    milliseconds: int
    digest: str
    retry_after: int
    body: bytes = b""


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


async def post(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str], *, now: int) -> Answer:
    """Send one message.

    Args:
        session: of the endpoint.
        url: checked by the guard.
        body: of the message.
        headers: signatures among them.
        now: milliseconds, for a Retry-After that names a date.
    """
    began = time.perf_counter()
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
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
            )
    except TimeoutError:
        return Answer(Outcome.FAILED, 0, "timeout", _since(began), "", 0)
    except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
        refused = isinstance(error, RefusedAddressError) or isinstance(error.__cause__, RefusedAddressError)
        outcome = Outcome.REFUSED if refused else Outcome.FAILED
        return Answer(outcome, 0, f"{type(error).__name__}: {error}"[:200], _since(began), "", 0)


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
