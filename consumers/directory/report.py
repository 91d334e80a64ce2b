"""What the directory's process tells operators: metrics, never a subject."""

from consumers.directory.intake import Taken
from exchange.metrics import DirectoryMetrics


class DirectoryReport:
    """Metrics."""

    def __init__(self, metrics: DirectoryMetrics) -> None:
        self._metrics = metrics

    def kept(self, taken: Taken, seconds: float) -> None:
        """A batch was kept."""
        self._metrics.batch_seconds.observe(seconds)
        for record_type, count in taken.kept.items():
            self._metrics.records.labels(record_type).inc(count)
        for (department, reason), count in taken.rejected.items():
            self._metrics.rejected.labels(department, reason).inc(count)

    def state(self, lag: int, size: int) -> None:
        """Records not yet kept, and bytes on disk."""
        self._metrics.lag.set(lag)
        self._metrics.size.set(size)
