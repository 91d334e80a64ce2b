"""Publishes a body's records once: claim the idempotency key (1), publish (2), keep the answer (3).

If the process dies after (1), the claim runs out and a repeat publishes for the first time. If it dies after (2), a repeat publishes
the same records again: the bus knows them by document and revision. After (3) a repeat gets the answer that is kept.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exchange.errors import RetryLaterError
from exchange.http.problems import MEDIA_TYPE, RETRY_SECONDS, problem_content
from exchange.http.sending import Outbound, Result, send
from exchange.metrics import GatewayMetrics
from exchange.rate_limit import RateLimit
from producers.gateway.bodies import Body
from producers.gateway.idempotency import Answer, IdempotencyKeys
from producers.gateway.rows import RowReader

log = logging.getLogger("creditbus.gateway")

OnStep = Callable[[str], None]
"""Told of each step; fault tests die there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The answer to a request, and what its headers say."""

    answer: Answer
    headers: dict[str, str]

    @property
    def media_type(self) -> str:
        """Of the answer."""
        return "application/json" if self.answer.status in (200, 207) else MEDIA_TYPE


class Posting:
    """Publishes bodies; blocks, so call it off the event loop.

    Args:
        reader: of bodies.
        outbound: to the bus.
        keys: of idempotency.
        limit: records of each department.
        metrics: to count in.
        on_step: told of `claimed`, `published` and `kept`, once each is so.
    """

    def __init__(
        self, reader: RowReader, outbound: Outbound, keys: IdempotencyKeys, limit: RateLimit, metrics: GatewayMetrics,
        *, on_step: OnStep = lambda _: None,
    ) -> None:  # fmt: skip
        self._reader = reader
        self._outbound = outbound
        self._keys = keys
        self._limit = limit
        self._metrics = metrics
        self._on_step = on_step

    def post(self, department: str, body: Body, media_type: str, key: str) -> Posted:
        """Publish the records of a body in a department's name.

        Args:
            department: the caller's.
            body: as it came.
            media_type: of the body.
            key: of idempotency; empty where there is none.

        Raises:
            RefusedError: see `RowReader.read` and `IdempotencyKeys.claim`.
            RetryLaterError: Redis is away; nothing was published.
        """
        counted = self._reader.read(body, media_type)
        claim = self._keys.claim(department, key, f"{media_type} {body.digest}") if key else None
        if isinstance(claim, Answer):
            self._metrics.repeated.labels(department).inc()
            return Posted(answer=claim, headers={"Idempotent-Replayed": "true"})
        self._on_step("claimed")
        started = time.monotonic()
        results = list(send(self._outbound, department, counted.rows))
        self._metrics.publish_seconds.observe(time.monotonic() - started)
        self._on_step("published")
        self._count(department, results)
        answer, is_final = answer_of(results)
        try:
            if claim is not None:
                self._keys.settle(claim, answer if is_final else None)
            allowance = self._limit.charge(department, counted.records - 1)
        except RetryLaterError as error:  # the receipts are worth more than the key: a repeat does no harm
            log.warning("answer not kept department=%s error=%s", department, error)
            return Posted(answer=answer, headers={})
        self._on_step("kept")
        again = {} if is_final else {"Retry-After": str(RETRY_SECONDS)}
        return Posted(answer=answer, headers=self._limit.headers(allowance) | again)

    def _count(self, department: str, results: list[Result]) -> None:
        for result in results:
            self._metrics.records.labels(department, result["type"] or "unknown", result["status"]).inc()
            for reason in result.get("reasons", ()):
                self._metrics.refused.labels(department, reason["code"]).inc()


def answer_of(results: list[Result]) -> tuple[Answer, bool]:
    """The answer that says what became of each row, and whether it is the last word: not while a row is unconfirmed.

    200: all are on the bus. 422: all are refused. 503: none is confirmed. 207: the rows differ.
    """
    counts = Counter(result["status"] for result in results)
    sums = {status: counts[status] for status in ("accepted", "refused", "unconfirmed")}
    content: dict[str, Any] = {**sums, "results": results}
    status = 207
    if counts["accepted"] == len(results):
        status = 200
    elif counts["refused"] == len(results):
        status = 422
        detail = "数据不合格 the data breaks rules; every reason is in results"
        content = problem_content(
            422, detail, code="rejected", remedy="mend the records and send them again", **content
        )
    elif counts["unconfirmed"] == len(results):
        status = 503
        first = results[0]
        content = problem_content(503, first["detail"], code=first["code"], remedy=first["remedy"], **content)
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).encode()
    return Answer(status=status, content=raw), not counts["unconfirmed"]
