"""What the dispatcher tells operators: metrics and log lines, fields and never a subject."""

import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from consumers.dispatcher.post import Answer
from consumers.dispatcher.schedule import Outcome
from exchange.endpoints import State
from exchange.errors import CreditbusError
from exchange.metrics import DispatcherMetrics

if TYPE_CHECKING:
    from consumers.dispatcher.lane import Lane

log = logging.getLogger("creditbus.dispatcher")


class DispatcherReport:
    """Metrics and log of a dispatcher.

    Args:
        metrics: where to count.
    """

    def __init__(self, metrics: DispatcherMetrics) -> None:
        self._metrics = metrics
        self._collapsed: dict[str, int] = {}

    def attempt(self, department: str, answer: Answer) -> None:
        """An attempt has ended."""
        self._metrics.attempts.labels(department, answer.outcome.value).inc()
        if answer.outcome is Outcome.REFUSED:
            self._metrics.refused.labels(department).inc()
        if answer.certificate_expires:
            self._metrics.certificate_expires.labels(department).set(answer.certificate_expires)

    def delivered(self, department: str, milliseconds: int) -> None:
        """A notice was delivered, so long after its issue."""
        self._metrics.delivered.labels(department).inc()
        self._metrics.latency.labels(department).observe(max(0, milliseconds) / 1000)

    def exhausted(self, department: str) -> None:
        """A notice's schedule has ended; it is tried on at the last delay."""
        self._metrics.exhausted.labels(department).inc()
        log.error("exhausted department=%s", department)

    def stale(self) -> None:
        """A notice was read that was not newer than what is known."""
        self._metrics.stale.inc()

    def compacted(self) -> None:
        """A notice was no longer on its topic."""
        self._metrics.compacted.inc()

    def fenced(self, partitions: list[int]) -> None:
        """Commits were refused."""
        self._metrics.fenced.inc(len(partitions))
        log.warning("fenced partitions=%s", partitions)

    def rejoining(self) -> None:
        """The group refused this member for good; it joins anew."""
        self._metrics.rejoins.inc()
        log.warning("rejoining")

    def waiting(self, error: CreditbusError) -> None:
        """A server is away."""
        self._metrics.retries.labels(error.code).inc()
        log.warning("waiting code=%s detail=%s", error.code, error)

    def attempt_broke(self, error: BaseException) -> None:
        """An attempt could not be made."""
        if isinstance(error, CreditbusError):
            self.waiting(error)
        else:
            log.error("attempt broke", exc_info=error)

    def paused(self, department: str, reason: str) -> None:
        """An endpoint was paused."""
        self._metrics.paused.labels(department).inc()
        log.error("paused department=%s reason=%s", department, reason)

    def became(self, department: str, state: State, reason: str) -> None:
        """An endpoint's state changed."""
        log.warning("endpoint department=%s state=%s reason=%s", department, state.value, reason)

    def attached(self, partitions: list[int], owned: int) -> None:
        """Partitions were taken over."""
        self._metrics.assigned.set(owned)
        log.info("attached partitions=%s", partitions)

    def given_up(self, partitions: list[int], owned: int) -> None:
        """Partitions were given away."""
        self._metrics.assigned.set(owned)
        log.info("given up partitions=%s", partitions)

    def lane(self, lane: "Lane", now: int) -> None:
        """Gauges of one endpoint."""
        queue, name, m = lane.queue, lane.department, self._metrics
        m.pending.labels(name).set(len(queue.waiting) + len(queue.under_way))
        m.oldest.labels(name).set(max(0, now - (queue.oldest() or now)) / 1000)
        m.circuit.labels(name).set(lane.breaker.circuit)
        m.inactive.labels(name).set(float(lane.endpoint.state is not State.ACTIVE))
        m.collapsed.inc(queue.collapsed - self._collapsed.get(name, 0))
        self._collapsed[name] = queue.collapsed

    def closed(self, department: str) -> None:
        """An endpoint is gone from the list."""
        self._collapsed.pop(department, None)
        m = self._metrics
        for gauge in (m.pending, m.oldest, m.circuit, m.inactive, m.certificate_expires):
            gauge.remove(department)

    def behind(self, lag: int, standstill: Mapping[int, float], gone: AbstractSet[int]) -> None:
        """How many messages are not taken in, and for how many seconds each partition stands still; which are no longer ours."""
        self._metrics.lag.set(lag)
        for number in gone:
            self._metrics.standstill.remove(str(number))
        for number, seconds in standstill.items():
            self._metrics.standstill.labels(str(number)).set(seconds)

    def receipts(self, waiting: int) -> None:
        """How many receipts are still to be published."""
        self._metrics.receipts_waiting.set(waiting)
