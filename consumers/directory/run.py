"""Composition root of the directory: settings in, running process out; and where readers find it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from consumers.directory.intake import IntakeReader, Taken
from consumers.directory.patience import PatientKeeper
from consumers.directory.report import DirectoryReport
from consumers.feeding.file import FileFeed
from consumers.feeding.process import FeedingProcess, feeding_consumer
from consumers.feeding.report import FeedingReport
from consumers.standing.acceptance import open_acceptance
from consumers.standing.liveness import Liveness
from exchange.brokers import Brokers
from exchange.clock import now_ms
from exchange.directory import Directory
from exchange.directory_files import DIRECTORY
from exchange.directory_keeper import SqliteKeeper
from exchange.directory_postgres import PostgresDirectory
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.directory_sqlite import SqliteDirectory
from exchange.fed_folder import Bus
from exchange.metrics import DirectoryMetrics
from exchange.postgres import described
from exchange.settings import Settings


def folder_of(settings: Settings) -> Path:
    """Where the directory of a bus lies, when it is a file."""
    given = settings.directory_folder
    return Path(given) if given else settings.home / "data" / DIRECTORY.name / settings.topic_prefix


def place_of(settings: Settings) -> str:
    """The directory's database or folder, as operators are told it."""
    url = settings.directory_url.get_secret_value()
    return described(url) if url else str(folder_of(settings))


def open_directory(settings: Settings) -> Directory:
    """The directory of a bus, to read.

    Raises:
        RequestError: `directory_absent`.
        RetryLaterError: `directory_unavailable`.
        FatalError: `directory_corrupt`, `directory_unusable`.
    """
    url = settings.directory_url.get_secret_value()
    return PostgresDirectory(url) if url else SqliteDirectory(folder_of(settings))


def build(
    settings: Settings,
    kafka: Brokers,
    *,
    metrics: DirectoryMetrics | None = None,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[FeedingProcess, Liveness]:
    """The process that feeds a directory, ready to run.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    rules, metrics = open_acceptance(settings), metrics or DirectoryMetrics()
    liveness = Liveness(settings.stuck_after_seconds)
    reader = IntakeReader(rules.decoder, rules.departments, now, rules.policy)
    report = DirectoryReport(metrics)

    url, feeding_report = settings.directory_url.get_secret_value(), FeedingReport(DIRECTORY.name, metrics.retries)

    def open_keeper(bus: Bus) -> SqliteKeeper | PatientKeeper:
        if not url:
            return SqliteKeeper(folder_of(settings), bus, on_step)
        return PatientKeeper(lambda: PostgresKeeper(url, bus, on_step), feeding_report.waiting, process.is_stopping)

    def open_feed(bus: Bus) -> FileFeed[Taken]:
        return FileFeed(reader, open_keeper(bus), report)

    process = FeedingProcess(
        name=DIRECTORY.name,
        new_consumer=partial(feeding_consumer, settings, kafka, DIRECTORY.name),
        open_feed=open_feed,
        sources=rules.departments,
        bus=Bus(settings.topic_prefix, settings.partitions),
        report=feeding_report,
        liveness=liveness,
        batch=settings.directory_batch_records,
        on_step=on_step,
    )
    return process, liveness
