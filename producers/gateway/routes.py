"""POST /v1/records: lets a department in, holds it to its limits, takes in its records and has them published."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from exchange.http.door import Caller, Door
from exchange.http.problems import RefusedError
from exchange.metrics import GatewayMetrics
from exchange.rate_limit import RateLimit
from exchange.settings import Settings
from producers.gateway import words
from producers.gateway.bodies import take_in
from producers.gateway.idempotency import parse_key
from producers.gateway.posting import Posting

Authorization = Annotated[str, Header(include_in_schema=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """How a caller comes in: by a good key or token, and at most so often.

    Attributes:
        door: lets departments in.
        limit: records of each department.
        metrics: to count in.
    """

    door: Door
    limit: RateLimit
    metrics: GatewayMetrics

    async def admit(self, authorization: str) -> Caller:
        """The caller of a request, whose department has room for one record at least.

        Raises:
            RefusedError: see `Door.admit`; 429 `too_many_records`.
            RetryLaterError: Redis is away.
        """
        caller = await self.door.admit(authorization)
        allowance = await asyncio.to_thread(self.limit.take, caller.department)
        if not allowance.taken:
            self.metrics.turned_away.labels(caller.department, "rate").inc()
            raise RefusedError(
                429, f"报送过快 {caller.department} has used up its records for now", code="too_many_records",
                remedy="send the same again after Retry-After",
                headers=self.limit.headers(allowance) | {"Retry-After": str(ceil(allowance.wait_seconds))},
            )  # fmt: skip
        return caller


class Seats:
    """Requests that are published at a time.

    Args:
        settings: of the gateway.
        metrics: to count in.
    """

    def __init__(self, settings: Settings, metrics: GatewayMetrics) -> None:
        self._all = settings.gateway_requests
        self._each = settings.gateway_department_requests
        self._metrics = metrics
        self._taken: Counter[str] = Counter()

    @contextmanager
    def seat(self, department: str) -> Iterator[None]:
        """A seat during the block.

        Raises:
            RefusedError: 429 `too_many_requests` of the department, 503 `busy`.
        """
        if self._taken[department] >= self._each:
            raise self._full(429, department, "too_many_requests", f"{department} has {self._each} requests under way")
        if self._taken.total() >= self._all:
            raise self._full(503, department, "busy", f"{self._all} requests are under way")
        self._taken[department] += 1
        try:
            with self._metrics.under_way.track_inprogress():
                yield
        finally:
            self._taken[department] -= 1

    def _full(self, status: int, department: str, code: str, what: str) -> RefusedError:
        self._metrics.turned_away.labels(department, "busy").inc()
        remedy, headers = "send the same again after Retry-After", {"Retry-After": "1"}
        return RefusedError(status, f"同时请求过多 {what}", code=code, remedy=remedy, headers=headers)


def record_routes(
    entrance: Entrance, posting: Posting, threads: ThreadPoolExecutor, settings: Settings, openapi: dict[str, object]
) -> APIRouter:
    """POST /v1/records.

    Args:
        entrance: for callers.
        posting: publishes.
        threads: one for each seat, so that a slow broker does not hold up keys and health.
        settings: limits.
        openapi: of the body.
    """
    router = APIRouter(tags=[words.RECORDS])
    seats = Seats(settings, entrance.metrics)

    @router.post(
        "/v1/records", summary=words.POST, description=words.POST_HELP, responses=words.post_answers(), openapi_extra=openapi
    )  # fmt: skip
    async def post_records(
        request: Request,
        authorization: Authorization = "",
        idempotency_key: Annotated[str, Header(description=words.KEY)] = "",
    ) -> Response:
        caller = await entrance.admit(authorization)
        key = parse_key(idempotency_key) if "idempotency-key" in request.headers else ""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        with seats.seat(caller.department):
            body = await take_in(
                request, limit=settings.gateway_body_bytes, within_seconds=settings.gateway_body_seconds
            )
            with closing(body):
                posted = await asyncio.get_running_loop().run_in_executor(
                    threads, copy_context().run, posting.post, caller.department, body, media_type, key
                )
        return Response(posted.answer.content, posted.answer.status, posted.headers, posted.media_type)

    return router
