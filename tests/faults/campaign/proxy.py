"""The network of the campaign: a TCP proxy for each link, whose links can be cut, held still or slowed.

    python -m tests.faults.campaign.proxy

It is told what to do by lines of JSON on its standard input, answers each with a line, and ends when the input closes. A process of
its own, so that neither the load nor the receivers slow the network down.

A link is *open*, *cut* (connections are reset, new ones too), *held* (connections stay and nothing moves, as with a cable that is out; when
it opens again what was sent arrives), or slow (every piece is late by so many milliseconds).
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop

HOST = "127.0.0.1"
OPEN, CUT, HELD = "open", "cut", "held"


@dataclass(slots=True, eq=False)
class Link:
    """One way from a source to a destination, and the connections on it."""

    port: int
    target: int
    state: str = OPEN
    delay: float = 0.0
    ends: set["End"] = field(default_factory=set)

    def change(self, state: str, delay: float) -> None:
        """Cut, hold, slow or open; what was held back moves on when it opens."""
        self.state, self.delay = state, delay
        for end in list(self.ends):
            if state == CUT:
                end.transport.abort()
            else:
                end.flow()

    def aim(self, target: int) -> None:
        """Lead elsewhere from now on; connections to the old place are reset."""
        self.target = target
        for end in list(self.ends):
            end.transport.abort()


class End(asyncio.Protocol):
    """One end of a connection; what comes in goes out at its peer.

    Args:
        link: that it is on.
        on_made: told when it is there.
    """

    def __init__(self, link: Link, on_made: Callable[["End"], None] = lambda _: None) -> None:
        self.link = link
        self._on_made = on_made
        self.peer: End | None = None
        self.transport: asyncio.Transport
        self._waiting: list[tuple[float, bytes]] = []
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class does not say so
        self.link.ends.add(self)
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        link = self.link
        if self.peer is not None and self.peer.transport.is_closing():
            return
        if self.peer is not None and not self._waiting and link.state == OPEN and not link.delay:
            self.peer.transport.write(data)
            return
        self._waiting.append((asyncio.get_running_loop().time() + link.delay, data))
        self.flow()

    def eof_received(self) -> bool:
        self._is_over = True
        self.flow()
        return True  # the other direction may still be in use

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_over = True
        self.flow()

    def pause_writing(self) -> None:
        if self.peer is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None:
            self.peer.transport.resume_reading()

    def flow(self) -> None:
        """Send on what may go now; look again when the next piece is due."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self.peer is None:  # not connected yet, or never
            if self._is_over:
                self.link.ends.discard(self)
            return
        if self.link.state == HELD:
            return
        if self.link.state == CUT or self.peer.transport.is_closing():
            self._waiting.clear()
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time():
            self.peer.transport.write(self._waiting.pop(0)[1])
        if self._waiting:
            self._timer = loop.call_at(self._waiting[0][0], self.flow)
        elif self._is_over:
            self.link.ends.discard(self)
            self.peer.transport.close()


class Proxy:
    """All links, by (source, destination, kind)."""

    def __init__(self) -> None:
        self.links: dict[tuple[str, str, str], Link] = {}
        self._connecting: set[asyncio.Task[None]] = set()

    async def open(self, source: str, destination: str, kind: str, port: int, target: int) -> None:
        """A new link, listening."""
        link = self.links[source, destination, kind] = Link(port, target)
        await asyncio.get_running_loop().create_server(lambda: End(link, self._accepted), HOST, port)

    def _accepted(self, near: End) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(near.link, near))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, link: Link, near: End) -> None:
        if link.state == CUT:
            near.transport.abort()
            return
        try:
            _, far = await asyncio.get_running_loop().create_connection(lambda: End(link), HOST, link.target)
        except OSError:
            near.transport.abort()
            return
        near.peer, far.peer = far, near
        if near.transport.is_closing() or far.transport.is_closing() or self._is_cut(link):
            near.transport.abort()
            far.transport.abort()
        else:
            near.flow()

    @staticmethod
    def _is_cut(link: Link) -> bool:
        """Asked anew: it may have been cut while the connection was made."""
        return link.state == CUT

    def between(self, one: str, other: str) -> Iterable[Link]:
        """Links between two places, either way; `*` is every place."""
        for (source, destination, _), link in self.links.items():
            for a, b in ((one, other), (other, one)):
                if a in ("*", source) and b in ("*", destination):
                    yield link
                    break

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do one thing."""
        match order:
            case {"do": "open", "links": links}:
                for link in links:
                    await self.open(**link)
            case {"do": "change", "one": one, "other": other, "state": state, "delay": delay}:
                for found in self.between(one, other):
                    found.change(state, delay)
            case {"do": "aim", "destination": destination, "target": target}:
                for (_, to, _), found in self.links.items():
                    if to == destination:
                        found.aim(target)
            case _:
                return {"error": f"unknown order {order}"}
        return {"links": len(self.links), "connections": sum(len(link.ends) for link in self.links.values()) // 2}


async def serve() -> None:
    """Obey until the input closes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    proxy = Proxy()
    while line := await reader.readline():
        try:
            answer = await proxy.obey(json.loads(line))
        except OSError as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(serve())
