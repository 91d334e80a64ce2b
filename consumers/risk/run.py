"""Composition root of the risk classes: settings in, running process out."""

from collections.abc import Callable

from confluent_kafka import Consumer

from consumers.risk.classing import Classer
from consumers.risk.monthly import MonthlyRound
from consumers.risk.process import RiskProcess
from consumers.risk.report import RiskReport
from consumers.standing.liveness import Liveness
from exchange.catalogue import load_catalogue
from exchange.clock import now_ms
from exchange.http.sending import Outbound
from exchange.kafka import membership, reading
from exchange.metrics import RiskMetrics
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from exchange.risk_files import load_risk
from exchange.risk_rounds import RedisRounds
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics


def build(
    settings: Settings,
    outbound: Outbound,
    *,
    metrics: RiskMetrics | None = None,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[RiskProcess, Liveness]:
    """The process, ready to run.

    Args:
        settings: of this process, with the servers in them.
        outbound: publishes in the name of the department whose classes they are.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    catalogue, topics = load_catalogue(SCHEMAS), Topics(settings.topic_prefix)
    store = Store(connect(settings.redis))
    liveness = Liveness(settings.stuck_after_seconds)

    def consumer() -> Consumer:
        return Consumer(
            reading(settings.kafka, f"{settings.topic_prefix}.risk-classes")
            | membership(settings.session_timeout_seconds, settings.instance_id)
            | {"queued.max.messages.kbytes": 65_536}
        )

    process = RiskProcess(
        new_consumer=consumer,
        topics=[*sorted(map(topics.into, catalogue.departments)), topics.internal],
        store=store,
        classer=Classer(
            store, load_policy(SCHEMAS, catalogue), load_risk(SCHEMAS, catalogue), catalogue, settings.partitions
        ),
        monthly=MonthlyRound(store, RedisRounds(connect(settings.redis)), settings.risk_round_hours),
        outbound=outbound,
        report=RiskReport(metrics or RiskMetrics()),
        liveness=liveness,
        now=now,
        batch=settings.risk_batch_subjects,
        on_step=on_step,
    )
    return process, liveness
