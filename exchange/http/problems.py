"""Errors as people and programs get them over HTTP: RFC 9457 problem details, with the bus's codes, reasons and remedies."""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from exchange.errors import CreditbusError, Reason, RejectedError, RequestError, RetryLaterError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
TITLES: Mapping[int, str] = {
    400: "请求有误 bad request",
    401: "未认证 not authenticated",
    403: "无权访问 forbidden",
    404: "未找到 not found",
    405: "方法不允许 method not allowed",
    408: "请求超时 request timeout",
    409: "请求冲突 conflict",
    413: "内容过大 content too large",
    415: "不支持的格式 unsupported media type",
    422: "数据不合格 refused",
    429: "请求过多 too many requests",
    500: "总线内部错误 internal error",
    503: "暂不可用 temporarily unavailable",
}
log = logging.getLogger("creditbus.http")


class RefusedError(RequestError):
    """A request that is answered with a status of its own.

    Args:
        status: of HTTP.
        message: what happened.
        code: stable name.
        remedy: what the caller can do.
        headers: of the answer.
    """

    def __init__(
        self, status: int, message: str, *, code: str, remedy: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.status = status
        self.headers = headers or {}


def reasons_of(error: RejectedError) -> list[dict[str, str]]:
    """Every reason of a refusal, in JSON."""
    return [dataclasses.asdict(reason) for reason in error.reasons]


def problem_content(status: int, detail: str, *, code: str, remedy: str = "", **more: Any) -> dict[str, Any]:
    """The members of a problem."""
    return {
        "type": f"urn:creditbus:error:{code}", "title": TITLES.get(status, "错误 error"), "status": status,
        "detail": detail, "code": code, "remedy": remedy, **more,
    }  # fmt: skip


def problem(
    status: int, detail: str, *, code: str, remedy: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """The answer of an error."""
    return JSONResponse(problem_content(status, detail, code=code, remedy=remedy, **more), status, headers, MEDIA_TYPE)


def add_problems(app: FastAPI) -> None:
    """Let an application answer errors as problems."""
    for kind in (CreditbusError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer_problem)


async def answer_problem(_request: Request, error: Exception) -> JSONResponse:
    """The problem that an error is answered with; Starlette raises a fault of ours again, so that the log has all of it."""
    match error:
        case CreditbusError():
            return _of_bus(error)
        case RequestValidationError():
            return _of_values(error)
        case HTTPException():
            return problem(error.status_code, str(error.detail), code="http", remedy="see /docs", headers=error.headers)
    return problem(
        500,
        f"总线内部错误 {type(error).__name__}",
        code="internal",
        remedy="tell the operator of the bus; its log says more",
    )


def _of_bus(error: CreditbusError) -> JSONResponse:
    match error:
        case RefusedError():
            return problem(error.status, str(error), code=error.code, remedy=error.remedy, headers=error.headers)
        case RejectedError():
            return problem(422, "数据不合格 the data breaks rules", code=error.code, reasons=reasons_of(error))
        case RetryLaterError():
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return problem(503, str(error), code=error.code, remedy=error.remedy, headers=headers)
        case RequestError():
            return problem(400, str(error), code=error.code, remedy=error.remedy)
    log.error("request failed code=%s error=%s", error.code, error)
    return problem(500, str(error), code=error.code, remedy=error.remedy)


def _of_values(error: RequestValidationError) -> JSONResponse:
    reasons = [
        Reason(code=one["type"], field=".".join(map(str, one["loc"][1:])), value=str(one.get("input"))[:200], rule=one["msg"])
        for one in error.errors()
    ]  # fmt: skip
    return problem(
        400, "参数有误 a parameter is wrong", code="bad_parameter", remedy="correct what each of `reasons` names in `field`; /docs has every parameter",
        reasons=reasons_of(RejectedError(tuple(reasons))),
    )  # fmt: skip
