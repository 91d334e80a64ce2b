"""Composition root of the deadlines: settings in, running process out; and where readers find them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from consumers.deadlines.book import DEADLINES, DeadlineBook
from consumers.deadlines.intake import IntakeReader, Taken
from consumers.deadlines.keeper import DeadlineKeeper
from consumers.deadlines.report import DeadlineReport
from consumers.feeding.file import FileFeed
from consumers.feeding.process import FeedingProcess, feeding_consumer
from consumers.feeding.report import FeedingReport
from consumers.standing.acceptance import open_acceptance
from consumers.standing.liveness import Liveness
from exchange.brokers import Brokers
from exchange.catalogue import load_catalogue
from exchange.clock import now_ms
from exchange.domain.calendar import day_of
from exchange.domain.timeliness import Timeliness
from exchange.fed_folder import Bus
from exchange.metrics import DeadlineMetrics
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.settings import Settings
from exchange.working_days import load_working_days


def folder_of(settings: Settings) -> Path:
    """Where the deadlines of a bus lie."""
    given = settings.deadlines_folder
    return Path(given) if given else settings.home / "data" / DEADLINES.name / settings.topic_prefix


def open_book(settings: Settings) -> DeadlineBook:
    """The deadlines of a bus, to read.

    Raises:
        RequestError: `deadlines_absent`.
    """
    catalogue = load_catalogue(SCHEMAS)
    timeliness = Timeliness(load_policy(SCHEMAS, catalogue), load_working_days().deadlines())
    return DeadlineBook(folder_of(settings), timeliness, catalogue)


def build(
    settings: Settings,
    kafka: Brokers,
    *,
    metrics: DeadlineMetrics | None = None,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[FeedingProcess, Liveness]:
    """The process that feeds the deadlines, ready to run.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    rules, metrics, calendar = open_acceptance(settings), metrics or DeadlineMetrics(), load_working_days()
    timeliness, judged_by = (
        Timeliness(rules.policy, calendar.deadlines()),
        f"{rules.policy.version} {calendar.last_year}",
    )
    folder, liveness = folder_of(settings), Liveness(settings.stuck_after_seconds)
    reader = IntakeReader(rules.decoder, rules.codec, rules.departments, rules.catalogue.recommended, timeliness, now)
    report = DeadlineReport(metrics, lambda: DeadlineBook(folder, timeliness, rules.catalogue), lambda: day_of(now()))

    def open_feed(bus: Bus) -> FileFeed[Taken]:
        return FileFeed(reader, DeadlineKeeper(folder, bus, timeliness, judged_by, on_step), report)

    process = FeedingProcess(
        name=DEADLINES.name,
        new_consumer=partial(feeding_consumer, settings, kafka, DEADLINES.name),
        open_feed=open_feed,
        sources=rules.departments,
        bus=Bus(settings.topic_prefix, settings.partitions),
        report=FeedingReport(DEADLINES.name, metrics.retries),
        liveness=liveness,
        batch=settings.directory_batch_records,
        on_step=on_step,
    )
    return process, liveness
