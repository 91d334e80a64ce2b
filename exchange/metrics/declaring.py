"""What all metrics have in common: a registry for each process, names that begin with `creditbus_`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"creditbus_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"creditbus_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
        return Histogram(f"creditbus_{name}", text, labels, registry=self.registry, buckets=buckets)


class ProcessMetrics(Metrics):
    """The metrics of a process that works through what waits for it, and says when it does not get on."""

    stuck: Gauge
