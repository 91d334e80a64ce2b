"""A lean HTTP/1.1 client for benches: requests made beforehand, kept connections, about 50 µs of CPU each, so that it measures the server.

`paced` asks at an even pace, whether or not the last was answered, and counts from the moment that a request should have left: a
server that stalls is not let off the requests that would have come meanwhile. How late the client itself was is kept beside it.
"""

import asyncio
import gc
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from statistics import quantiles
from typing import Any, NamedTuple, Self, TypeVar, cast
from urllib.parse import urlsplit

import uvloop

T = TypeVar("T")
_AHEAD = -5
"""The client stands for machines of others: it goes before what is measured, where it may."""


class Answer(NamedTuple):
    """Status and body of an answer."""

    status: int
    body: bytes


class _Connection(asyncio.Protocol):
    """A kept connection with one request under way at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._raw = bytearray()
        self._ends_at = 0
        self._body_at = 0
        self._done: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # what uvloop gives is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server closed"))

    def ask(self, request: bytes) -> "asyncio.Future[Answer]":
        assert self._transport is not None
        self._done = asyncio.get_running_loop().create_future()
        self._raw.clear()
        self._ends_at = 0
        self._transport.write(request)
        return self._done

    def data_received(self, data: bytes) -> None:
        raw = self._raw
        raw += data
        if not self._ends_at:
            end = raw.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(raw[:end]).lower()
            length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            self._body_at = end + 4
            self._ends_at = self._body_at + int(length or 0)
        if len(raw) >= self._ends_at and self._done is not None and not self._done.done():
            self._done.set_result(Answer(int(raw[9:12]), bytes(raw[self._body_at : self._ends_at])))

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Asker:
    """Asks a server; open it with `async with`.

    Args:
        url: of the server.
        headers: of every request.
    """

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        place = urlsplit(url)
        self._host, self._port = str(place.hostname), int(place.port or 80)
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in {"Host": place.netloc, **headers}.items())
        self._idle: deque[_Connection] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._idle:
            one.close()

    def get(self, path: str) -> bytes:
        """A request for a page."""
        return f"GET {path} HTTP/1.1\r\n{self._fixed}\r\n".encode()

    def post(self, path: str, body: bytes) -> bytes:
        """A request with a JSON body."""
        head = f"POST {path} HTTP/1.1\r\n{self._fixed}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    async def ask(self, request: bytes, *, expect: int = 200) -> Answer:
        """The answer to a request."""
        while self._idle and self._idle[-1].is_closed:  # the server closes what is idle for seconds
            self._idle.pop()
        if self._idle:
            connection = self._idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        try:
            answer = await connection.ask(request)
        except ConnectionResetError:  # it was closed just now
            return await self.ask(request, expect=expect)
        self._idle.append(connection)
        assert answer.status == expect, (answer.status, answer.body[:500])
        return answer


class Times(NamedTuple):
    """Seconds from when a request should have left to its answer, and by how much it left late."""

    took: list[float]
    late: list[float]


async def paced(ask: Callable[[], Awaitable[object]], rate: float, seconds: float) -> Times:
    """Ask at an even pace, whether or not the last was answered."""
    took, late, tasks = [], [], []
    await ask()
    began = time.perf_counter() + 0.1

    async def one(due: float) -> None:
        late.append(time.perf_counter() - due)
        await ask()
        took.append(time.perf_counter() - due)

    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    return Times(took, late)


async def at_full_speed(ask: Callable[[], Awaitable[object]], clients: int, seconds: float) -> list[float]:
    """Seconds of each request of so many clients, each of which asks again as soon as it is answered."""
    took: list[float] = []
    ends_at = time.perf_counter() + seconds

    async def go_on() -> None:
        while (began := time.perf_counter()) < ends_at:
            await ask()
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(go_on() for _ in range(clients)))
    return took


def measured(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop, ahead of what is measured where that is allowed, without pauses by the collector."""
    with _undisturbed(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@contextmanager
def _undisturbed() -> Iterator[None]:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _AHEAD)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        os.setpriority(os.PRIO_PROCESS, 0, own)


def milliseconds(samples: list[float], thousandth: int) -> float:
    """A quantile in milliseconds."""
    return round(quantiles(samples, n=1000)[thousandth - 1] * 1000, 2)
