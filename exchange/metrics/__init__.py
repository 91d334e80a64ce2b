"""Every metric of every process, declared once: kind, name with unit, help, labels. No label ever names a subject."""

from exchange.metrics.beside import ArchiveMetrics, DeadlineMetrics, DirectoryMetrics, EarlyWarningMetrics, RiskMetrics
from exchange.metrics.declaring import Metrics, ProcessMetrics
from exchange.metrics.doors import GatewayMetrics, InboxHttpMetrics, PortalMetrics
from exchange.metrics.served import ServedMetrics
from exchange.metrics.spine import DispatcherMetrics, LedgerMetrics, PublisherMetrics, StandingMetrics

__all__ = [
    "ArchiveMetrics",
    "DeadlineMetrics",
    "DirectoryMetrics",
    "DispatcherMetrics",
    "EarlyWarningMetrics",
    "GatewayMetrics",
    "InboxHttpMetrics",
    "LedgerMetrics",
    "Metrics",
    "PortalMetrics",
    "ProcessMetrics",
    "PublisherMetrics",
    "RiskMetrics",
    "ServedMetrics",
    "StandingMetrics",
]
