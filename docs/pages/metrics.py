"""docs/metrics.md: every metric of every process."""

from prometheus_client.metrics import MetricWrapperBase

from exchange.metrics import (
    ArchiveMetrics,
    DeadlineMetrics,
    DirectoryMetrics,
    DispatcherMetrics,
    EarlyWarningMetrics,
    GatewayMetrics,
    InboxHttpMetrics,
    LedgerMetrics,
    Metrics,
    PortalMetrics,
    PublisherMetrics,
    RiskMetrics,
    ServedMetrics,
    StandingMetrics,
)

INTRODUCTION = """\
# Metrics 指标

Generated from `exchange/metrics/` by `docs/generate.py`. Do not edit.

Every process shows its metrics on `CREDITBUS_METRICS_PORT` under `/metrics`. Names of counters end in `_total` there, histograms have
`_bucket`, `_sum` and `_count`. No label ever names a subject. `process_*` (memory, processor time, open files) come from the Python
client on Linux. Rules, alerts and dashboards that are made of these: [observability.md](observability.md).
"""
PROCESSES: tuple[tuple[str, Metrics], ...] = (
    ("Standing processor 信用状态处理器", StandingMetrics()),
    ("Publisher 报送方", PublisherMetrics()),
    ("Inbox over HTTP 通知收件箱", InboxHttpMetrics()),
    ("Gateway 报送网关", GatewayMetrics()),
    ("Dispatcher 推送器", DispatcherMetrics()),
    ("Ledger 存证账本", LedgerMetrics()),
    ("Risk classes 信用风险分类", RiskMetrics()),
    ("Directory 主体目录", DirectoryMetrics()),
    ("Portal 信用门户", PortalMetrics()),
    ("Early warning 监测预警", EarlyWarningMetrics()),
    ("Archive 归档", ArchiveMetrics()),
    ("Deadlines 公示时限", DeadlineMetrics()),
    ("Every process 每个进程", ServedMetrics()),
)


def page() -> str:
    """The page's text."""
    return INTRODUCTION + "".join(f"\n## {title}\n\n{_table(metrics)}" for title, metrics in PROCESSES)


def _table(metrics: Metrics) -> str:
    rows = ["| metric | kind | labels | |\n|---|---|---|---|\n"]
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 # nothing public tells them
            rows.append(f"| `{family.name}` | {family.type} | {labels} | {family.documentation} |\n")
    return "".join(rows)
