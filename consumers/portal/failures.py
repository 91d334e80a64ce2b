"""Errors as people see them: a page that says what happened and what to do; programs get problem details (RFC 9457)."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.portal.pages import Pages
from exchange.errors import CreditbusError, RejectedError, RequestError, RetryLaterError
from exchange.http.problems import RETRY_SECONDS, TITLES, RefusedError, answer_problem

log = logging.getLogger("creditbus.portal")


class AnswerUnexpected:
    """Answers what nobody expected, within the headers of every other answer: the framework's own handler stands outside them.

    Args:
        app: the application.
        answer: makes the answer of an error.
    """

    def __init__(self, app: ASGIApp, *, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if begun:
                raise  # the server ends the connection
            log.exception("unexpected path=%s", scope["path"])
            response = await self._answer(Request(scope, receive), error)
            await response(scope, receive, send)


def add_failures(app: FastAPI, pages: Pages) -> None:
    """Let an application answer errors by a page, and under `/v1/` by a problem. Add what answers without the application later."""

    async def failed(request: Request, error: Exception) -> Response:
        if request.url.path.startswith("/v1/"):
            return await answer_problem(request, error)
        status, code, message, remedy = _describe(error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("page failed path=%s code=%s error=%s", request.url.path, code, error)
        page = pages.page(
            request, "failure.html", status=status, title=TITLES.get(status, "错误 error"), message=message, code=code,
            remedy=remedy,
        )  # fmt: skip
        if isinstance(error, RefusedError):
            page.headers.update(error.headers)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            page.headers["Retry-After"] = str(RETRY_SECONDS)
        return page

    for kind in (CreditbusError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, failed)
    app.add_middleware(AnswerUnexpected, answer=failed)


def _describe(error: Exception) -> tuple[int, str, str, str]:
    """Status, code, what happened and what to do."""
    match error:
        case RefusedError():
            return error.status, error.code, str(error), error.remedy
        case RejectedError():
            return 422, error.code, "；".join(reason.rule for reason in error.reasons), error.remedy
        case RetryLaterError():
            return 503, error.code, str(error), error.remedy
        case RequestError():
            return 400, error.code, str(error), error.remedy
        case HTTPException():
            return error.status_code, "http", str(error.detail), ""
        case RequestValidationError():
            wrong = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
            return (
                400,
                "bad_parameter",
                wrong,
                "请改正地址或表单中所列的值 correct the values named, in the address or the form",
            )
        case CreditbusError():
            return 500, error.code, str(error), error.remedy
    return 500, "internal", type(error).__name__, "请告知平台运营单位 tell the operator of the bus; its log says more"
