"""What early warning tells operators: metrics and log lines."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from consumers.early_warning.adding import Found
from consumers.early_warning.closing import Ends
from consumers.early_warning.ends import lag
from consumers.early_warning.intake import Taken
from consumers.early_warning.recount import Difference
from exchange.clock import now_ms
from exchange.domain.calendar import DAY_MS
from exchange.errors import CreditbusError, RejectedError
from exchange.metrics import EarlyWarningMetrics

log = logging.getLogger("creditbus.early_warning")


class EarlyWarningReport:
    """Counts and logs.

    Args:
        metrics: of the worker.
        departments: by topic.
    """

    def __init__(self, metrics: EarlyWarningMetrics, departments: Mapping[str, str]) -> None:
        self._metrics = metrics
        self._departments = departments

    def counted(self, taken: Taken, messages: Counter[str], seconds: float) -> None:
        """A batch was counted."""
        for topic, number in messages.items():
            self._metrics.records.labels(self._departments[topic]).inc(number)
        for signal, number in taken.counted.items():
            self._metrics.counted.labels(signal).inc(number)
        for signal, number in taken.known.items():
            self._metrics.known.labels(signal).inc(number)
        for (department, reason), number in taken.rejected.items():
            self._metrics.rejected.labels(department, reason).inc(number)
        self._metrics.again.inc(taken.again)
        self._metrics.batch_seconds.observe(seconds)

    def late(self, counts: int) -> None:
        """Counts came for windows that are forgotten."""
        self._metrics.late.inc(counts)

    def looked(self, found: Found) -> None:
        """A series was looked at."""
        for one in found.counts:
            self._metrics.windows.labels(str(one["width"] // DAY_MS)).inc()
        for level in found.levels:
            self._metrics.findings.labels(level).inc()

    def state(self, closed_until: Iterable[int]) -> None:
        """Up to when windows are over."""
        oldest = min(closed_until, default=0)
        self._metrics.behind.set((now_ms() - oldest) / 1000 if oldest else 0)

    def published(self, warnings: int) -> None:
        """Warnings are on the bus."""
        self._metrics.warnings.inc(warnings)
        log.info("published warnings=%d", warnings)

    def refused(self, document: str, error: RejectedError) -> None:
        """A warning of ours breaks a rule of the bus."""
        for reason in error.reasons:
            self._metrics.refused.labels(reason.code).inc()
        log.error("warning refused document=%s reasons=%s", document, ",".join(one.code for one in error.reasons))

    def recounted(self, found: Difference) -> None:
        """Everything was counted anew."""
        for how, windows in found.by_kind().items():
            self._metrics.difference.labels(how).set(windows)
        self._metrics.recounted_at.set(now_ms() / 1000)
        level = logging.ERROR if found.total else logging.INFO
        log.log(
            level, "recounted from=%s windows=%d differ=%d examples=%r", found.source, found.windows, found.total, found.examples[:5]
        )  # fmt: skip

    def rebalanced(self, partitions: int) -> None:
        """Partitions were given anew."""
        self._metrics.rebalances.inc()
        self._metrics.assigned.set(partitions)
        log.info("assigned partitions=%d", partitions)

    def fetched_again(self, places: int) -> None:
        """Something fetched never came, and is fetched again."""
        if places:
            self._metrics.fetched_again.inc(places)
            log.warning("fetching again places=%d", places)

    def waits(self, ends: Ends, partitions: Sequence[int], *, ready: bool) -> int:
        """What no worker has committed, of our partitions for the metric and of all as the answer; whether tables are whole."""
        self._metrics.lag.set(lag(ends, partitions))
        self._metrics.recovering.set(not ready)
        return lag(ends)

    def waiting(self, error: CreditbusError) -> None:
        """A server is away."""
        self._metrics.retries.labels(error.code).inc()
        log.warning("waiting code=%s detail=%s", error.code, error)

    def restarting(self, error: BaseException, pause: float) -> None:
        """Faust has failed and is begun anew."""
        name = type(error).__name__
        self._metrics.restarts.labels(name).inc()
        log.warning("faust failed error=%s detail=%r again_in_seconds=%g", name, str(error)[:200], pause)
