"""Runs the portal: serves it, in one process or several, and ends it cleanly."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable

import uvloop
from fastapi import APIRouter

from consumers.portal.access.build import build_door, build_drainer
from consumers.portal.app import build_app
from consumers.portal.parts import Parts
from exchange.http.certificate import portal_certificate
from exchange.http.serving import HttpServer, bind, url_of
from exchange.settings import Settings

_END_SECONDS = 5
"""Answers under way have so long when the server ends."""
log = logging.getLogger("creditbus.portal")


def bind_portal(settings: Settings) -> socket.socket:
    """The socket that the portal is served on.

    Raises:
        RequestError: `port_taken`; `bad_certificate`, before any worker is there.
    """
    portal_certificate(settings)
    return bind(settings.portal_host, settings.portal_port, settings="CREDITBUS_PORTAL_HOST and CREDITBUS_PORTAL_PORT")


class Portal:
    """The portal of one bus.

    Args:
        settings: of the bus.
        parts: what its routes share.
        rooms: see `build_app`.
        bound: see `bind_portal`.
        on_end: told when the end begins, to end answers that do not end by themselves.
    """

    def __init__(
        self, settings: Settings, parts: Parts, bound: socket.socket, rooms: Iterable[APIRouter] = (),
        on_end: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._drainer = build_drainer(settings, parts.codec)
        self._socket = bound
        self._redis = parts.redis
        self._door = build_door(settings, parts.codec, parts.catalogue, parts.keys)
        self._certificate = portal_certificate(settings)
        self._server = HttpServer(
            build_app(parts, self._door, rooms),
            end_seconds=_END_SECONDS,
            on_end=on_end,
            proxies=settings.portal_proxies,
            certificate=self._certificate,
        )

    @property
    def url(self) -> str:
        """Where it is served."""
        return url_of(self._socket, tls=self._certificate is not None)

    def run(self) -> None:
        """Serve until SIGTERM, Ctrl-C or `stop`."""
        log.info("serving url=%s", self.url)
        draining = threading.Thread(target=self._drainer.run, name="access-log", daemon=True)
        draining.start()
        try:
            uvloop.run(self._serve())
        finally:
            self._socket.close()
            self._drainer.stop()
            draining.join(_END_SECONDS)

    async def _serve(self) -> None:
        """Serve, and let nothing be open when the loop ends: uvloop would wait for it."""
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            await self._redis.aclose()
            await self._door.close()

    def stop(self) -> None:
        """End it, from another thread."""
        self._server.end()


def serve_in(workers: int, serve: Callable[[], None], watch: Callable[[], None] = lambda: None) -> bool:
    """Serve in so many processes that share what is open now; whether all ended well. When one ends, all end.

    Args:
        workers: processes; one serves in this one.
        serve: serves until SIGTERM; opens its own clients and threads, which no fork survives.
        watch: called in this process once the others are there, to show metrics of all of them.
    """
    if workers == 1:
        watch()
        serve()
        return True
    alive, held = os.pipe()
    running = {_fork(serve, alive, held) for _ in range(workers)}
    watch()

    def end(*_: object) -> None:
        for pid in running:
            os.kill(pid, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    failed = 0
    while running:
        pid, status = os.wait()
        running.discard(pid)
        failed |= status
        end()
    return not failed


def _fork(serve: Callable[[], None], alive: int, held: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.close(held)
        threading.Thread(target=_end_with_parent, args=(alive,), name="parent", daemon=True).start()
        serve()
    except BaseException:
        log.exception("worker failed")
        os._exit(1)
    os._exit(0)


def _end_with_parent(alive: int) -> None:
    """End when the parent is gone: only it holds the other end of the pipe."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
