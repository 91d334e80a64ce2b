"""What the archive's process tells operators: metrics and one log line an event, fields and never a subject."""

import logging
from pathlib import Path

from confluent_kafka import Consumer

from consumers.archive.intake import Gathered
from consumers.archive.verdict import read_verified
from consumers.feeding.process import Places
from consumers.standing.reading import behind
from exchange.metrics import ArchiveMetrics

log = logging.getLogger("creditbus.archive")


class ArchiveReport:
    """Metrics and log."""

    def __init__(self, metrics: ArchiveMetrics) -> None:
        self._metrics = metrics

    def committed(self, gathered: Gathered, seconds: float) -> None:
        """What was gathered is in the tables."""
        self._metrics.commit_seconds.observe(seconds)
        for table, pieces in gathered.pieces.items():
            self._metrics.rows.labels(table).inc(sum(piece.num_rows for piece in pieces))
        for (department, reason), count in gathered.reasons.items():
            self._metrics.refused.labels(department, reason).inc(count)
        log.info("committed rows=%d refused=%d seconds=%.2f", gathered.rows, gathered.refused.total(), seconds)

    def compacted(self, files: int) -> None:
        """So many files fewer."""
        if files:
            self._metrics.compacted.inc(files)
            log.info("compacted files=%d", files)

    def state(self, consumer: Consumer, places: Places, gathered: Gathered, folder: Path) -> int:
        """Gauges; the number of messages not read yet."""
        unread = sum(behind(consumer, list(places.values()), lambda begin: begin.offset))
        self._metrics.lag.set(unread + gathered.messages)
        verified = read_verified(folder)
        if verified is not None:
            self._metrics.differences.set(verified.differences)
            self._metrics.verified_at.set(verified.verified_at)
        return unread
