"""Reads the `/metrics` of every process once, all at the same time; one that does not answer holds nobody up."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import aiohttp

from consumers.portal.operations.samples import Samples
from exchange.errors import RequestError


class Scrape(NamedTuple):
    """One reading of all targets.

    at: seconds of the monotonic clock. read: target to what it showed. down: target to why it did not answer.
    """

    at: float
    read: Mapping[str, Samples]
    down: Mapping[str, str]


def read_targets(text: str) -> tuple[str, ...]:
    """The targets of the setting, `host:port` with commas between.

    Raises:
        RequestError: `bad_setting`.

    >>> read_targets("127.0.0.1:9101, 127.0.0.1:9102")
    ('127.0.0.1:9101', '127.0.0.1:9102')
    """
    targets = tuple(one for one in (part.strip() for part in text.split(",")) if one)
    for one in targets:
        host, _, port = one.rpartition(":")
        if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise RequestError(
                f"CREDITBUS_OPERATIONS_TARGETS: {one!r} is not host:port", code="bad_setting",
                remedy="name each process's metrics address, such as 127.0.0.1:9101,127.0.0.1:9102",
            )  # fmt: skip
    return targets


async def scrape(targets: Sequence[str], *, timeout_seconds: float) -> Scrape:
    """Read all targets.

    Args:
        targets: see `read_targets`.
        timeout_seconds: a target that has not answered by then counts as down.
    """
    at = time.monotonic()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_seconds)) as session:
        answers = await asyncio.gather(*(_one(session, target) for target in targets))
    found = dict(zip(targets, answers, strict=True))
    return Scrape(
        at,
        {target: one for target, one in found.items() if isinstance(one, Samples)},
        {target: one for target, one in found.items() if isinstance(one, str)},
    )


async def _one(session: aiohttp.ClientSession, target: str) -> Samples | str:
    """What a target shows, or in a word why it shows nothing."""
    try:
        async with session.get(f"http://{target}/metrics") as answer:
            if answer.status != 200:
                return f"HTTP {answer.status}"
            return await asyncio.to_thread(Samples.parse, await answer.text())
    except TimeoutError:
        return "timeout"
    except (aiohttp.ClientError, OSError):
        return "refused"
    except ValueError:
        return "no metrics"
