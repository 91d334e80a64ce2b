"""Composition root of the archive: settings in, running process out; its oracle, and its upkeep by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer

from consumers.archive.feed import BATCH, ArchiveFeed
from consumers.archive.folder import ARCHIVE, read_bus, translating
from consumers.archive.intake import ArchiveIntake
from consumers.archive.keeper import ArchiveKeeper
from consumers.archive.report import ArchiveReport
from consumers.archive.upkeep import Upkeep
from consumers.archive.verify import ArchiveVerifier
from consumers.feeding.process import FeedingProcess, feeding_consumer
from consumers.feeding.report import FeedingReport
from consumers.standing.acceptance import open_acceptance
from consumers.standing.liveness import Liveness
from exchange.archive_rows import RowMaker
from exchange.archive_tables import INTAKE, archive_folder, archive_tables, open_archive
from exchange.brokers import Brokers
from exchange.clock import now_ms
from exchange.codec import open_codec
from exchange.fed_folder import Bus
from exchange.kafka import Config
from exchange.metrics import ArchiveMetrics
from exchange.paths import SCHEMAS
from exchange.settings import Settings

COMPACTION_SECONDS = 300.0
"""So long a compaction may hold up the next commit without the process being stuck: one that is ended in it would begin it anew."""


class Parts:
    """What process and oracle have in common, made from the settings."""

    def __init__(self, settings: Settings, kafka: Brokers, now: Callable[[], int]) -> None:
        self.settings = settings
        self._kafka = kafka
        rules = open_acceptance(settings)
        self.codec, self.contracts = rules.codec, rules.codec.contracts
        self.tables = archive_tables(self.contracts)
        makers = {
            name: RowMaker(table, self.contracts.latest[name].schema)
            for name, table in self.tables.items()
            if name != INTAKE
        }
        departments = sorted(rules.catalogue.departments)
        self.intake = ArchiveIntake(rules.decoder, rules.codec, rules.topics, departments, makers, now)

    def consumer(self) -> Consumer:
        """In no group that matters; an offset that is gone is an error, not a new beginning. Nobody waits for the archive."""
        more: Config = {
            "auto.offset.reset": "error", "fetch.wait.max.ms": 200, "queued.min.messages": 20 * BATCH,
            "queued.max.messages.kbytes": 131_072,
        }  # fmt: skip
        return feeding_consumer(self.settings, self._kafka, ARCHIVE.name, more)


def build(
    settings: Settings,
    kafka: Brokers,
    *,
    metrics: ArchiveMetrics | None = None,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[FeedingProcess, Liveness]:
    """The process that feeds an archive, ready to run.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    parts, metrics = Parts(settings, kafka, now), metrics or ArchiveMetrics()
    liveness = Liveness(max(settings.stuck_after_seconds, COMPACTION_SECONDS))
    report = ArchiveReport(metrics)

    def open_feed(bus: Bus) -> ArchiveFeed:
        return ArchiveFeed(
            ArchiveKeeper(archive_folder(settings), bus, parts.tables, on_step),
            parts.intake,
            report,
            progress=liveness.progress,
            commit_records=settings.archive_commit_records,
            commit_seconds=settings.archive_commit_seconds,
            small_files=settings.archive_small_files,
            on_step=on_step,
        )

    process = FeedingProcess(
        name=ARCHIVE.name,
        new_consumer=parts.consumer,
        open_feed=open_feed,
        sources={topic: topic for topic in parts.intake.sources},
        bus=Bus(settings.topic_prefix, settings.partitions),
        report=FeedingReport(ARCHIVE.name, metrics.retries),
        liveness=liveness,
        batch=BATCH,
        on_step=on_step,
    )
    return process, liveness


def build_verifier(
    settings: Settings, kafka: Brokers, *, progress: Callable[[int], None] = lambda _: None
) -> ArchiveVerifier:
    """The oracle over an archive, as it is at this moment.

    Args:
        settings: of the bus.
        kafka: where it is, and how it is spoken to.
        progress: told how many messages were read.

    Raises:
        RequestError: `archive_absent`.
        FatalError: `archive_corrupt`.
    """
    parts = Parts(settings, kafka, now_ms)
    return ArchiveVerifier(
        new_reader=parts.consumer,
        archive=open_archive(settings, contracts=parts.contracts),
        intake=parts.intake,
        tables=parts.tables,
        contracts=parts.contracts,
        progress=progress,
    )


@contextmanager
def looking_after(settings: Settings) -> Iterator[tuple[Upkeep, tuple[str, ...]]]:
    """Upkeep of an archive by hand, and its tables' names; its process must not run meanwhile.

    Raises:
        RequestError: `archive_absent`, `archive_in_use`.
    """
    folder = archive_folder(settings)
    tables = archive_tables(open_codec(settings, SCHEMAS).contracts)
    keeper = ArchiveKeeper(folder, read_bus(folder), tables)
    try:
        with translating(folder):
            yield Upkeep(keeper, many=2), tuple(tables)
    finally:
        keeper.close()
