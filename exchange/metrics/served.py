"""What every process that shows metrics shows beside its own: its memory and handles, its version, its certificates."""

import importlib.metadata

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from exchange.metrics.declaring import Metrics


class ServedMetrics(Metrics):
    """What every process shows.

    Args:
        registry: of the process's own metrics.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__()
        self.registry = registry or self.registry
        ProcessCollector(registry=self.registry)
        self.build: Gauge = self._gauge("build_info", "1; the version that runs.", "version")
        self.build.labels(importlib.metadata.version("creditbus")).set(1)
        self.certificate_expires: Gauge = self._gauge(
            "certificate_expires_timestamp_seconds",
            "When a certificate that this process uses ends, seconds since 1970; 0 when the file cannot be read or its key does not serve it.",
            "certificate",
        )
