"""What the deadlines' process tells operators: metrics by department and resource, never a subject."""

import time
from collections.abc import Callable

from consumers.deadlines.book import DeadlineBook
from consumers.deadlines.intake import Taken
from exchange.domain.timeliness import Timing
from exchange.metrics import DeadlineMetrics

COUNT_EVERY = 10.0
"""Seconds between counts of the disclosures, which walk through the tallies."""


class DeadlineReport:
    """Metrics.

    Args:
        metrics: where to count.
        open_book: opens the file to read, once it is there.
        today: days since 1970-01-01 in China.
    """

    def __init__(
        self, metrics: DeadlineMetrics, open_book: Callable[[], DeadlineBook], today: Callable[[], int]
    ) -> None:
        self._metrics = metrics
        self._open_book = open_book
        self._today = today
        self._shown: set[tuple[str, str]] = set()
        self._counted_at = -COUNT_EVERY

    def kept(self, taken: Taken, seconds: float) -> None:
        """A batch was kept."""
        self._metrics.batch_seconds.observe(seconds)
        for (_, record_type, _), counts in taken.counts.items():
            self._metrics.records.labels(record_type).inc(counts["accepted"])

    def state(self, lag: int, size: int) -> None:
        """Records not yet kept, and bytes on disk; now and then the disclosures too."""
        self._metrics.lag.set(lag)
        self._metrics.size.set(size)
        if time.monotonic() >= self._counted_at + COUNT_EVERY:
            self._counted_at = time.monotonic()
            self._count()

    def _count(self) -> None:
        found = {(one.department, one.record_type): one.counts for one in self._open_book().disclosures(self._today())}
        self._shown |= found.keys()
        for key in self._shown:
            for timing in Timing:
                self._metrics.disclosures.labels(*key, timing.value).set(found.get(key, {}).get(timing, 0))
