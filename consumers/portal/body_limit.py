"""Keeps request bodies within a limit, before any route, form or check of one reads them."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.http.problems import RefusedError


class LimitBody:
    """Refuses bodies that are larger than a limit with 413, announced or not.

    Forms with files are spooled to disk as they come, so those must announce their length (411), as browsers do.

    Args:
        app: the application.
        most_bytes: of a body.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. What is refused is raised where the body is read, so that the page of the error is the application's."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        is_endless = not announced and headers.get("content-type", "").startswith("multipart/")
        read = int(announced) if announced.isdigit() and int(announced) > self._most else 0

        async def counting() -> Message:
            nonlocal read
            if is_endless:
                raise RefusedError(
                    411, "表单未注明长度 the form does not say how long it is", code="length_required",
                    remedy="send it with Content-Length",
                )  # fmt: skip
            if read <= self._most:
                message = await receive()
                read += len(message.get("body", b""))
                if read <= self._most:
                    return message
            raise RefusedError(
                413,
                f"正文超过 {self._most / 1e6:g} MB the body is too large",
                code="too_large",
                remedy="send it in parts",
            )

        await self._app(scope, counting, send)
