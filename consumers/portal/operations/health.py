"""The health of the bus, worked out of two scrapes and a look at Redis; and what of it deserves attention. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from consumers.portal.operations.facts import Facts
from consumers.portal.operations.samples import Pair, Samples, by_label, increase, increase_by, quantile, value_of
from consumers.portal.operations.scrape import Scrape
from exchange.endpoints import State

PROCESSES = (
    "standing", "dispatcher", "inbox", "gateway", "portal", "ledger", "directory", "deadlines", "archive", "risk",
    "early-warning",
)  # fmt: skip
STUCK = (
    "creditbus_stuck", "creditbus_delivery_stuck", "creditbus_ledger_stuck", "creditbus_directory_stuck",
    "creditbus_risk_stuck", "creditbus_deadlines_stuck", "creditbus_archive_stuck", "creditbus_early_warning_stuck",
)  # fmt: skip


class Mark(IntEnum):
    """How good a value is; pages say it in words."""

    GOOD = 0
    WATCH = 1
    ALARM = 2


class Limit(NamedTuple):
    """From where on a value deserves attention, and from where on it is an alarm."""

    watch: float
    alarm: float


LIMITS: Mapping[str, Limit] = {
    "lag": Limit(10_000, 100_000),
    "outbox": Limit(10_000, 50_000),
    "latency": Limit(1.0, 5.0),
    "pending_age": Limit(60.0, 3600.0),
    "receipts": Limit(1000, 10_000),
    "checkpoint_age": Limit(180.0, 600.0),
    "circuit": Limit(1, 2),
    "rejected": Limit(0.001, 10.0),
    "publish": Limit(5.0, 30.0),
    "difference": Limit(1, 1),
}
"""Records, messages, seconds, records a second; what alerts in Prometheus would say (docs/operations.md)."""


def mark_of(kind: str, value: float | None) -> Mark:
    """What a value means; one that is unknown is no alarm, since whoever does not show it is marked himself.

    >>> mark_of("lag", 20_000)
    <Mark.WATCH: 1>
    """
    limit = LIMITS[kind]
    if value is None or value < limit.watch:
        return Mark.GOOD
    return Mark.ALARM if value >= limit.alarm else Mark.WATCH


class Figure(NamedTuple):
    """One value. unit: `/s`, `s`, or empty for a number of things."""

    key: str
    value: float | None
    unit: str
    mark: Mark = Mark.GOOD


class Target(NamedTuple):
    """A process that is watched. process: empty as long as it has never answered. down: why it does not answer."""

    address: str
    process: str
    down: str
    mark: Mark


class Stage(NamedTuple):
    """Latency until the end of a stage, seconds."""

    key: str
    half: float | None
    most: float | None
    mark: Mark


class Intake(NamedTuple):
    """A department as one that publishes: records and rejections a second, rejections since its processes began, responses overdue."""

    department: str
    records: float | None
    rejected: float | None
    rejected_ever: float
    overdue: int
    mark: Mark


class Lane(NamedTuple):
    """A department as one that is pushed to. circuit: 0 closed, 1 probing, 2 open; None where no dispatcher shows it."""

    department: str
    state: str
    pending: float | None
    oldest: float | None
    circuit: float | None
    delivered: float | None
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The bus at a moment.

    Attributes:
        at: seconds since 1970-01-01 UTC.
        seconds: between the scrapes that rates are of; None at the first.
    """

    at: float
    seconds: float | None
    targets: Sequence[Target]
    figures: Mapping[str, Figure]
    stages: Sequence[Stage]
    intake: Sequence[Intake]
    lanes: Sequence[Lane]
    facts: Facts

    @property
    def worst(self) -> Mark:
        """The worst mark of all."""
        marks = [
            row.mark
            for rows in (self.targets, self.figures.values(), self.stages, self.intake, self.lanes)
            for row in rows
        ]
        return max([*marks, Mark.ALARM if self.facts.away or self.facts.held else Mark.GOOD])


def health_of(
    at: float, before: Scrape | None, after: Scrape, facts: Facts, *, known: Mapping[str, str], partitions: int
) -> Health:
    """Work it out.

    Args:
        at: seconds since 1970-01-01 UTC.
        before: an earlier scrape that rates are measured from.
        after: the newest.
        facts: from Redis.
        known: target to the process that it last said it was.
        partitions: of the bus.
    """
    seconds = after.at - before.at if before is not None else None
    pairs = [Pair(before.read[one], read) for one, read in after.read.items() if one in before.read] if before else []
    readings = list(after.read.values())
    bus = _Bus(readings, pairs, seconds if pairs else None)
    return Health(
        at=at, seconds=seconds, targets=_targets(after, known), figures=_figures(bus, partitions), stages=_stages(bus),
        intake=_intake(bus, facts), lanes=_lanes(bus, facts), facts=facts,
    )  # fmt: skip


class _Bus(NamedTuple):
    """All processes; `seconds` is None where there are no two readings of any."""

    readings: Sequence[Samples]
    pairs: Sequence[Pair]
    seconds: float | None

    def rate(self, name: str) -> float | None:
        return increase(self.pairs, name) / self.seconds if self.seconds else None

    def rates(self, name: str) -> dict[str, float]:
        return (
            {one: grown / self.seconds for one, grown in increase_by(self.pairs, name, "department").items()}
            if self.seconds
            else {}
        )


def _targets(after: Scrape, known: Mapping[str, str]) -> list[Target]:
    up = [
        Target(one, read.process, "", Mark.ALARM if any(value_of([read], name) for name in STUCK) else Mark.GOOD)
        for one, read in after.read.items()
    ]
    down = [Target(one, known.get(one, ""), why, Mark.ALARM) for one, why in after.down.items()]
    return sorted(
        up + down,
        key=lambda one: (PROCESSES.index(one.process) if one.process in PROCESSES else len(PROCESSES), one.address),
    )


def _figures(bus: _Bus, partitions: int) -> dict[str, Figure]:
    def rate(key: str, name: str) -> Figure:
        return Figure(key, bus.rate(f"creditbus_{name}_total"), "/s")

    def gauge(key: str, name: str, limit: str = "", unit: str = "") -> Figure:
        value = value_of(bus.readings, f"creditbus_{name}")
        return Figure(key, value, unit, mark_of(limit, value) if limit else Mark.GOOD)

    assigned = value_of(bus.readings, "creditbus_assigned_partitions")
    publish = quantile(bus.pairs, "creditbus_gateway_publish_seconds", 0.99)
    rejected = bus.rate("creditbus_rejections_total")
    figures = [
        rate("records", "records"), rate("notices", "notices"),
        Figure("rejected", rejected, "/s", min(Mark.WATCH, mark_of("rejected", rejected))),
        gauge("lag", "lag_records", "lag"), gauge("outbox", "outbox_messages", "outbox"),
        Figure("assigned", assigned, "", Mark.GOOD if assigned in (None, partitions) else Mark.WATCH),
        rate("delivered", "delivered"), gauge("pending", "delivery_pending"), gauge("receipts", "receipts_waiting", "receipts"),
        gauge("ledger_lag", "ledger_lag_records", "lag"),
        gauge("checkpoint_age", "ledger_checkpoint_age_seconds", "checkpoint_age", "s"),
        gauge("directory_lag", "directory_lag_records", "lag"), gauge("risk_lag", "risk_lag_records", "lag"),
        gauge("deadlines_lag", "deadlines_lag_records", "lag"), gauge("archive_lag", "archive_lag_records", "lag"),
        gauge("archive_differences", "archive_differences", "difference"),
        gauge("access_log_waiting", "access_log_waiting_entries"),
        gauge("warning_lag", "early_warning_lag_records", "lag"),
        gauge("warning_difference", "early_warning_difference", "difference"),
        rate("inbox_notices", "inbox_notices"), gauge("inbox_streams", "inbox_open_streams"),
        rate("gateway_records", "gateway_records"), gauge("gateway_under_way", "gateway_under_way"),
        Figure("gateway_publish", publish, "s", mark_of("publish", publish)),
        rate("gateway_turned_away", "gateway_turned_away"), rate("retries", "retries"),
    ]  # fmt: skip
    return {one.key: one for one in figures}


def _stages(bus: _Bus) -> list[Stage]:
    """From publication to the end of a stage; from the issue of a notice to its delivery."""
    found = []
    for key, name, labels in (
        ("commit", "creditbus_latency_seconds", {"stage": "commit"}),
        ("publish", "creditbus_latency_seconds", {"stage": "publish"}),
        ("delivery", "creditbus_delivery_latency_seconds", {}),
    ):
        half, most = (quantile(bus.pairs, name, q, **labels) for q in (0.5, 0.99))
        found.append(Stage(key, half, most, mark_of("latency", most)))
    return found


def _intake(bus: _Bus, facts: Facts) -> list[Intake]:
    records, rejected = bus.rates("creditbus_records_total"), bus.rates("creditbus_rejections_total")
    ever = by_label(bus.readings, "creditbus_rejections_total", "department")
    overdue = dict(facts.overdue)
    rows = []
    for one in sorted(records.keys() | rejected.keys() | ever.keys() | overdue.keys()):
        late = Mark.WATCH if overdue.get(one) else Mark.GOOD
        rows.append(
            Intake(
                one, records.get(one), rejected.get(one), ever.get(one, 0), overdue.get(one, 0),
                max(late, mark_of("rejected", rejected.get(one))),
            )
        )  # fmt: skip
    return rows


def _lanes(bus: _Bus, facts: Facts) -> list[Lane]:
    pending, oldest, circuit = (
        by_label(bus.readings, f"creditbus_delivery_{name}", "department")
        for name in ("pending", "oldest_pending_seconds", "circuit")
    )
    delivered = bus.rates("creditbus_delivered_total")
    states = {one.department: one.state for one in facts.endpoints}
    rows = []
    for one in sorted(pending.keys() | states.keys()):
        state = states.get(one)
        at_rest = Mark.WATCH if state in (State.PAUSED, State.GONE, State.UNVERIFIED) else Mark.GOOD
        mark = max(at_rest, mark_of("pending_age", oldest.get(one)), mark_of("circuit", circuit.get(one)))
        rows.append(
            Lane(
                one, state.value if state else "", pending.get(one), oldest.get(one), circuit.get(one), delivered.get(one), mark
            )
        )  # fmt: skip
    return rows
