"""What a process's `/metrics` says, and what follows from two readings of it: increases, rates, quantiles. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Buckets = Sequence[tuple[float, float]]
"""Upper bound (seconds; the last is infinite) and how many observations were at most so large, ascending."""

MARKERS: Mapping[str, str] = {
    "creditbus_assigned_partitions": "standing",
    "creditbus_delivery_partitions": "dispatcher",
    "creditbus_inbox_poll_wait_seconds_count": "inbox",
    "creditbus_gateway_under_way": "gateway",
    "creditbus_ledger_lag_records": "ledger",
    "creditbus_directory_lag_records": "directory",
    "creditbus_risk_lag_records": "risk",
    "creditbus_deadlines_lag_records": "deadlines",
    "creditbus_archive_lag_records": "archive",
    "creditbus_access_log_waiting_entries": "portal",
    "creditbus_early_warning_lag_records": "early-warning",
}
"""A metric that only one process has, and has from its start: by it a target is known for what it is."""


class Samples:
    """One reading of one process.

    Args:
        values: name of a sample (`..._total`, `..._bucket`) to its labels and value.
    """

    def __init__(self, values: Mapping[str, Mapping[Labels, float]]) -> None:
        self._values = values

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the Prometheus text format.

        Raises:
            ValueError: it is something else.
        """
        values: dict[str, dict[Labels, float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if not math.isnan(sample.value):
                    values.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
        return cls(values)

    @property
    def process(self) -> str:
        """Which process shows this; empty for one that the bus does not know."""
        return next((process for marker, process in MARKERS.items() if marker in self._values), "")

    def series(self, name: str, **labels: str) -> Mapping[Labels, float]:
        """The series of a sample that have these labels."""
        wanted = set(labels.items())
        return {have: value for have, value in self._values.get(name, {}).items() if wanted <= have}

    def since(self, before: "Samples", name: str, **labels: str) -> dict[Labels, float]:
        """By how much each series of a counter grew. One that shrank belongs to a process that began anew: all of it is new."""
        old = before.series(name, **labels)
        return {
            have: value - old.get(have, 0.0) if value >= old.get(have, 0.0) else value
            for have, value in self.series(name, **labels).items()
        }


class Pair(NamedTuple):
    """One process read twice."""

    before: Samples
    after: Samples


def value_of(readings: Iterable[Samples], name: str, **labels: str) -> float | None:
    """The sum of a gauge over processes; None when none shows it."""
    found = [value for one in readings for value in one.series(name, **labels).values()]
    return sum(found) if found else None


def by_label(readings: Iterable[Samples], name: str, label: str, **labels: str) -> dict[str, float]:
    """A gauge or counter summed by one of its labels."""
    return _summed(((one.series(name, **labels)) for one in readings), label)


def increase(pairs: Iterable[Pair], name: str, **labels: str) -> float:
    """By how much a counter grew in all processes."""
    return sum(sum(pair.after.since(pair.before, name, **labels).values()) for pair in pairs)


def increase_by(pairs: Iterable[Pair], name: str, label: str, **labels: str) -> dict[str, float]:
    """The same by one of its labels."""
    return _summed((pair.after.since(pair.before, name, **labels) for pair in pairs), label)


def quantile(pairs: Iterable[Pair], name: str, q: float, **labels: str) -> float | None:
    """A quantile of what a histogram observed between two readings, in all processes together; None when it observed nothing.

    Args:
        pairs: the processes.
        name: of the histogram, without `_bucket`.
        q: between 0 and 1.
        labels: of the series wanted.
    """
    counts: dict[float, float] = {}
    for pair in pairs:
        for have, count in pair.after.since(pair.before, f"{name}_bucket", **labels).items():
            bound = float(dict(have)["le"])
            counts[bound] = counts.get(bound, 0.0) + count
    return quantile_of(sorted(counts.items()), q)


def quantile_of(buckets: Buckets, q: float) -> float | None:
    """A quantile as Prometheus' `histogram_quantile` has it: linear within its bucket; beyond the last bound, that bound.

    >>> quantile_of([(0.1, 50), (0.2, 100), (float("inf"), 100)], 0.75)
    0.15000000000000002
    """
    if not buckets or buckets[-1][1] <= 0:
        return None
    rank = q * buckets[-1][1]
    lower = below = 0.0
    for bound, count in buckets:
        if count >= rank and count > below:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = (lower if math.isinf(bound) else bound), count
    return lower


def _summed(readings: Iterable[Mapping[Labels, float]], label: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for reading in readings:
        for have, value in reading.items():
            key = dict(have).get(label, "")
            sums[key] = sums.get(key, 0.0) + value
    return sums
