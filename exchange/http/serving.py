"""Serves an application of the bus over HTTP and ends it in good order; counts its requests."""

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.errors import RequestError
from exchange.http.certificate import DoorCertificate
from exchange.settings import Settings
from exchange.tracing import open_tracing

TICKS_OF_RENEWAL = 50
"""Ticks, ten a second, after which files of certificates are looked at again."""


class HttpServer(uvicorn.Server):
    """The HTTP server; at its end it takes no more requests and finishes those under way.

    Args:
        app: the application.
        end_seconds: answers under way have so long when the server ends.
        on_end: told when the end begins, to wake whoever waits.
        proxies: networks (CIDRs, with commas) whose X-Forwarded-For is believed; without any nobody's.
        certificate: by which it speaks TLS; without one it speaks plain HTTP.
    """

    def __init__(
        self, app: ASGIApp, *, end_seconds: float, on_end: Callable[[], None] = lambda: None, proxies: str = "",
        certificate: DoorCertificate | None = None,
    ) -> None:  # fmt: skip
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=int(end_seconds), proxy_headers=bool(proxies), forwarded_allow_ips=proxies,
            ssl_context_factory=(lambda *_: certificate.context) if certificate else None,
        )  # fmt: skip
        super().__init__(config)
        self._on_end = on_end
        self._certificate = certificate

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to end."""
        if self._certificate is not None and counter % TICKS_OF_RENEWAL == 0:
            self._certificate.renew()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or Ctrl-C."""
        self.end()
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """Take no more requests, wake who waits, finish."""
        self._on_end()
        self.should_exit = True


class Counting:
    """Counts requests by route and status.

    Args:
        app: the application.
        requests: with the labels route and status.
    """

    def __init__(self, app: ASGIApp, requests: Counter) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._requests.labels(route, str(status)).inc()


def trace_requests(app: FastAPI, settings: Settings) -> None:
    """Have the application's requests traced, where traces are on."""
    tracing = open_tracing(settings)
    if tracing is not None:
        from exchange.spans import TracedRequests

        app.add_middleware(TracedRequests, tracing=tracing)


def bind(host: str, port: int, *, settings: str) -> socket.socket:
    """The socket to serve on.

    Args:
        host: address.
        port: 0 finds a free one.
        settings: the variables that name both, for whoever must change them.

    Raises:
        RequestError: `port_taken`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise RequestError(
            f"{host}:{port} cannot be had: {error.strerror}",
            code="port_taken", remedy=f"set {settings} to what is free; port 0 finds one",
        ) from error  # fmt: skip


def url_of(bound: socket.socket, *, tls: bool = False) -> str:
    """Where it is served."""
    host, port = bound.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
