"""Headers of every answer of the portal: what browsers must not do with it, its request id, and cookies that the request has set."""

import secrets
from http.cookies import SimpleCookie
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIXED = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; img-src 'self' data:"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_REQUEST_ID_BYTES = 8


class SecureHeaders:
    """Puts the headers on.

    Args:
        app: the application.
        plain_http: whether the portal is served by http on this machine, where browsers must not be told to insist on https.
    """

    def __init__(self, app: ASGIApp, *, plain_http: bool) -> None:
        self._app = app
        self._fixed = dict(_FIXED)
        if not plain_http:
            self._fixed["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; `request.state` has its `request_id` and the `cookies` to set."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = secrets.token_hex(_REQUEST_ID_BYTES)
        state["cookies"] = []

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._fixed.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = state["request_id"]
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
                for cookie in state["cookies"]:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, adding)


class Cookies:
    """Names and flags of the portal's cookies.

    Args:
        plain_http: on this machine, where browsers take no `Secure` cookie by http, and so no `__Host-` prefix either.
    """

    def __init__(self, *, plain_http: bool) -> None:
        self._plain = plain_http

    def read(self, request: Request, name: str) -> str:
        """A cookie of a request; empty when it has none."""
        return request.cookies.get(self._full(name), "")

    def set(self, request: Request, name: str, value: str, *, max_age: int | None = None) -> None:
        """Let the answer set a cookie, for the browser's session by default.

        SameSite=Lax, not Strict: the provider of OpenID Connect sends people back from its own site.
        """
        cookie = SimpleCookie()
        full = self._full(name)
        cookie[full] = value
        flags: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "Lax", "secure": not self._plain}
        cookie[full].update(flags)
        if max_age is not None:
            cookie[full]["max-age"] = max_age
        request.state.cookies.append(cookie[full].OutputString())

    def drop(self, request: Request, name: str) -> None:
        """Let the answer remove a cookie."""
        self.set(request, name, "", max_age=0)

    def _full(self, name: str) -> str:
        return name if self._plain else f"__Host-{name}"
