"""Puts rows of a request on the bus and says what became of each; the port is given by who composes the process."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol

from exchange.errors import CreditbusError, Reason, RejectedError, RetryLaterError
from exchange.http.problems import reasons_of

CONFIRM_SECONDS = 60.0
WINDOW = 1000
"""Rows that wait for the bus's answer at a time, at most."""
REASONS = 30
"""Of one row that are listed; the last says how many more there are, so that a broken batch has an answer of bounded size."""
Result = dict[str, Any]
"""What became of a row: `status` is accepted (with where it lies), refused (with the reasons) or unconfirmed (send it again)."""


class Outbound(Protocol):
    """Puts records on the bus in the name of a department; a publisher for each."""

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Any]:
        """Check a record and hand it over.

        Returns:
            The receipt: its result is where the record lies, or it raises `RetryLaterError`.

        Raises:
            RejectedError: the record breaks a rule; all reasons are in it.
            RetryLaterError: there is no room now.
        """


class Row(NamedTuple):
    """One record of a request, or what is wrong with it before it is one."""

    record_type: str
    record: Mapping[str, Any]
    reasons: tuple[Reason, ...] = ()


def send(outbound: Outbound, department: str, rows: Iterable[Row]) -> Iterator[Result]:
    """Put rows on the bus; the result of each, in order, once the bus has it.

    As soon as the bus does not take or confirm a row, the rest is not tried: it is unconfirmed for the same reason, and nothing of
    it was sent.
    """
    waiting: deque[tuple[Result, Future[Any] | CreditbusError]] = deque()
    away: CreditbusError | None = None
    for index, row in enumerate(rows):
        known = {
            "index": index, "type": row.record_type,
            "document": row.record.get("document"), "revision": row.record.get("revision"),
        }  # fmt: skip
        sent: Future[Any] | CreditbusError
        if row.reasons:
            sent = RejectedError(row.reasons)
        elif away is not None:
            sent = away
        else:
            try:
                sent = outbound.publish(department, row.record, row.record_type)
            except CreditbusError as error:
                sent = error
                away = error if isinstance(error, RetryLaterError) else None
        waiting.append((known, sent))
        if len(waiting) > WINDOW:
            known, sent = waiting.popleft()
            result, failure = _result(sent)
            away = away or failure
            yield known | result
    for known, sent in waiting:
        yield known | _result(sent)[0]


def _result(sent: Future[Any] | CreditbusError) -> tuple[Result, RetryLaterError | None]:
    """What became of a row, and the error if the bus is away."""
    error: CreditbusError
    if isinstance(sent, Future):
        try:
            return {"status": "accepted", **sent.result(timeout=CONFIRM_SECONDS)._asdict()}, None
        except CreditbusError as failure:
            error = failure
        except TimeoutError:
            error = RetryLaterError(
                f"not confirmed in {CONFIRM_SECONDS:g} s", code="unconfirmed", remedy="send it again; it counts once"
            )
    else:
        error = sent
    if isinstance(error, RejectedError):
        return {"status": "refused", "reasons": reasons_of(RejectedError(_listed(error.reasons)))}, None
    away = error if isinstance(error, RetryLaterError) else None
    return {"status": "unconfirmed", "code": error.code, "detail": str(error), "remedy": error.remedy}, away


def _listed(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    if len(reasons) <= REASONS:
        return reasons
    more = Reason(code="more_reasons", value=str(len(reasons) - REASONS + 1), rule="mend these first")
    return (*reasons[: REASONS - 1], more)
