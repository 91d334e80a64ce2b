"""Composition root of early warning: settings in, running process out."""

import fcntl
import logging
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from consumers.early_warning.adding import Adding
from consumers.early_warning.agents import Handlers, serve
from consumers.early_warning.app import open_application
from consumers.early_warning.closing import Closing
from consumers.early_warning.ends import AskEnds
from consumers.early_warning.findings import Finding, SubjectFinding, Warnings
from consumers.early_warning.intake import Intake
from consumers.early_warning.process import EarlyWarningProcess
from consumers.early_warning.recounting import Recounting
from consumers.early_warning.report import EarlyWarningReport
from consumers.early_warning.season import Seasons
from consumers.early_warning.sightings import Looker
from consumers.early_warning.signals import SubjectSignals
from consumers.early_warning.tables import NAMES
from consumers.early_warning.topics import OwnTopics, make_own_topics
from consumers.early_warning.watching import Watchers
from consumers.early_warning.work import WARNING, Work
from consumers.standing.acceptance import open_acceptance
from consumers.standing.liveness import Liveness
from exchange.brokers import Brokers
from exchange.clock import now_ms
from exchange.errors import RequestError
from exchange.http.sending import Outbound
from exchange.kafka import open_admin
from exchange.metrics import EarlyWarningMetrics
from exchange.records import to_avro
from exchange.settings import Settings
from exchange.topics import check_topics
from exchange.working_days import load_working_days


def folder_of(settings: Settings) -> Path:
    """Where a worker's tables lie."""
    given = settings.early_warning_folder
    name = settings.instance_id or "worker"
    return Path(given) if given else settings.home / "data" / "early-warning" / settings.topic_prefix / name


def claim(folder: Path) -> IO[str]:
    """Take a folder for this process alone, until the file that is returned is closed.

    Raises:
        RequestError: `folder_taken`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise RequestError(
            f"another worker has its tables in {folder}",
            code="folder_taken",
            remedy="give each worker a CREDITBUS_INSTANCE_ID of its own",
        ) from error
    return lock


def build(
    settings: Settings,
    kafka: Brokers,
    outbound: Outbound,
    *,
    metrics: EarlyWarningMetrics,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[EarlyWarningProcess, Liveness]:
    """The process, ready to run.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        outbound: publishes warnings in the name of the department that runs the bus.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    rules, own = open_acceptance(settings), OwnTopics(settings.topic_prefix)
    catalogue, codec, policy, departments = rules.catalogue, rules.codec, rules.policy, rules.departments
    looker = Looker(policy, codec.symbols("social_report", "origin"))
    seasons, warnings = Seasons(load_working_days()), Warnings(catalogue, policy)
    report, liveness = EarlyWarningReport(metrics, departments), Liveness(settings.stuck_after_seconds)
    folder = folder_of(settings)

    def encode_finding(finding: Finding | SubjectFinding) -> bytes:
        return codec.encode(WARNING, to_avro(warnings.of(finding)))

    def prepare() -> None:
        admin = open_admin(kafka)
        check_topics(admin, departments)
        make_own_topics(admin, NAMES, settings)

    def make(failed: Callable[[BaseException], None]) -> tuple[Any, Work]:
        application = open_application(settings, kafka, folder, codec)
        tables = application.tables
        work = Work(
            application,
            intake=Intake(rules.decoder, looker, tables, departments, now),
            closing=Closing(
                tables, settings.partitions, departments, round(settings.early_warning_grace_seconds * 1000)
            ),
            adding=Adding(tables, settings.partitions, seasons, encode_finding),
            watchers=Watchers(tables, SubjectSignals(policy), encode_finding),
            partitions=settings.partitions,
            now=now,
            outbound=outbound,
            codec=codec,
            report=report,
            on_step=on_step,
        )
        handlers = Handlers(count=work.count, add=work.add, share=work.share, failed=failed)
        serve(application, departments, settings.early_warning_batch_records, handlers)
        return application.faust, work

    places = [(topic, number) for topic in departments for number in range(settings.partitions)]
    given = kafka.environment() | {"CREDITBUS_TOPIC_PREFIX": settings.topic_prefix}
    recounting = Recounting(given, report) if settings.early_warning_recount else None
    process = EarlyWarningProcess(
        prepare=prepare,
        make=make,
        ends=AskEnds(kafka, own.app_id, places, now),
        recounting=recounting,
        report=report,
        liveness=liveness,
    )
    return process, liveness


def quiet_faust() -> None:
    """Faust tells each partition's every step at INFO, in tables of several lines; what it warns about stays."""
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("faust.transport.producer").setLevel(
        logging.ERROR
    )  # warns each time that a batch has written something
