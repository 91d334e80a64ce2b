"""Composition root of the standing processor: settings in, running process out."""

import gc
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Producer, TopicPartition

from consumers.standing.decode import Decoder
from consumers.standing.join import Join
from consumers.standing.lanes import PublishingLanes
from consumers.standing.liveness import Liveness
from consumers.standing.partition import Committed
from consumers.standing.processor import StandingProcessor
from consumers.standing.reconcile import Reconciler
from consumers.standing.report import Report
from consumers.standing.verify import Verifier
from exchange.brokers import Brokers
from exchange.catalogue import load_catalogue
from exchange.clock import now_ms
from exchange.codec import open_codec
from exchange.domain.calendar import day_of
from exchange.domain.judge import RuleBook
from exchange.domain.response import ResponseRules
from exchange.kafka import LOSSLESS, OnError, demand_coordinator, membership, reading
from exchange.metrics import StandingMetrics
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics
from exchange.tracing import open_tracing
from exchange.working_days import load_working_days

if TYPE_CHECKING:
    from consumers.standing.traces import BatchTraces

INIT_SECONDS = 5.0
"""A producer that cannot begin within so long is made anew: it may ask a coordinator that is gone."""


def calm_collector() -> None:
    """Let the garbage collector look less often, for a process that keeps hundreds of thousands of standings.

    Nothing on the hot path makes reference cycles; by default the collector walks the whole cache again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)


class Parts:
    """What processor and verifier have in common, made from the settings."""

    def __init__(self, settings: Settings, kafka: Brokers, redis: str) -> None:
        self.settings = settings
        self.topics = Topics(settings.topic_prefix)
        self.catalogue = load_catalogue(SCHEMAS)
        self.departments = sorted(self.catalogue.departments)
        self.policy = load_policy(SCHEMAS, self.catalogue)
        self.codec = open_codec(settings, SCHEMAS)
        self.store = Store(connect(redis))
        self.instance = settings.instance_id or uuid.uuid4().hex
        self.group = f"{settings.topic_prefix}.{settings.group}"
        self._kafka = kafka

    def consumer(self) -> Consumer:
        """A member of the processors' group."""
        settings = self.settings
        return Consumer(
            reading(self._kafka, self.group)
            | membership(settings.session_timeout_seconds, settings.instance_id)
            | {
                # librdkafka names all its partitions in every fetch, hundreds here, which costs the broker more than records
                # do: let it gather for a moment instead of answering once a record.
                "fetch.min.bytes": 1_000_000,
                "fetch.wait.max.ms": 4,
                "socket.nagle.disable": True,
                # It fetches on until so many wait: two batches, since polling all partitions' ends is not for nothing either.
                "queued.min.messages": 2 * settings.batch_records,
                "queued.max.messages.kbytes": 65_536,
            }
        )

    def reader(self) -> Consumer:
        """A consumer for reading back, in no group that matters."""
        return Consumer(reading(self._kafka, f"{self.group}.read-back.{self.instance}"))

    def producer(self, lane: int, on_error: OnError) -> Producer:
        """A lane's transactional producer, ready to begin; fences this instance's predecessor.

        It is not made before the group's coordinator answers, lest it hear of one that is dead and has not been missed yet.
        """
        demand_coordinator(self._kafka, self.group)
        producer = Producer(
            {
                **self._kafka.config(),
                "transactional.id": f"{self.group}.{self.instance}.{lane}",
                "transaction.timeout.ms": 10_000,
                "compression.type": "lz4",
                "linger.ms": 0,
                "socket.nagle.disable": True,
                # Until the markers of the last transaction are written, the next is answered CONCURRENT_TRANSACTIONS; with
                # the default of 100 ms every transaction would take so long.
                "retry.backoff.ms": 1,
                "message.max.bytes": 4_000_000,
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 1_048_576,
                "error_cb": on_error,
            }
            | LOSSLESS
            | {"max.in.flight": 5}  # the publisher asks for proof before it commits
        )
        producer.init_transactions(INIT_SECONDS)
        return producer

    def decoder(self, limit: int) -> Decoder:
        """Decodes and validates; holds a topic after so many rejected records in a row."""
        return Decoder(
            self.codec, self.catalogue, self.topics, self.policy, partitions=self.settings.partitions, limit=limit
        )


def build(
    settings: Settings,
    kafka: Brokers,
    redis: str,
    *,
    metrics: StandingMetrics | None = None,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[StandingProcessor, Liveness]:
    """A standing processor, ready to run.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        redis: URL.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    parts = Parts(settings, kafka, redis)
    metrics = metrics or StandingMetrics()
    metrics.partitions.set(settings.partitions)
    for department in parts.departments:  # there from the start, so that the first one is an increase
        metrics.quarantined.labels(department)
        metrics.classified.labels(department)
    report = Report(metrics)
    rules = ResponseRules(
        deadline=load_working_days().deadlines(),
        supervisors=parts.catalogue.supervisors(),
        escalate_after=settings.escalate_after_working_days,
    )

    def new_join(today: int, new_token: Callable[[], str]) -> Join:
        book = RuleBook(parts.policy, today)
        return Join(parts.store, parts.topics, parts.codec, book, rules, new_token)

    publisher = PublishingLanes(
        new_producer=parts.producer,
        on_published=report.published,
        on_step=on_step,
    )
    reconciler = Reconciler(
        new_reader=parts.reader,
        store=parts.store,
        topics=parts.topics,
        departments=parts.departments,
        partitions=settings.partitions,
        decode=parts.codec.decode_plain,
        report=report,
        on_step=on_step,
    )
    liveness = Liveness(settings.stuck_after_seconds)
    processor = StandingProcessor(
        new_consumer=parts.consumer,
        store=parts.store,
        decoder=parts.decoder(settings.quarantine_run),
        new_join=new_join,
        reconciler=reconciler,
        publisher=publisher,
        topics=parts.topics,
        departments=parts.departments,
        policy=parts.policy.version,
        report=report,
        liveness=liveness,
        now=now,
        today=day_of,
        batch=settings.batch_records,
        backlog=settings.backlog_messages,
        cache=settings.cached_standings,
        on_step=on_step,
        traces=_open_traces(settings),
    )
    return processor, liveness


def _open_traces(settings: Settings) -> "BatchTraces | None":
    tracing = open_tracing(settings)
    if tracing is None:
        return None
    from consumers.standing.traces import BatchTraces

    return BatchTraces(tracing)


def build_verifier(
    settings: Settings,
    kafka: Brokers,
    redis: str,
    *,
    now: Callable[[], int] = now_ms,
    progress: Callable[[int], None] = lambda _: None,
) -> Verifier:
    """The oracle over a bus; arguments as for `build`, `progress` is told how many messages were read."""
    parts = Parts(settings, kafka, redis)

    def committed_tokens() -> list[str]:
        with closing(Consumer({**kafka.config(), "group.id": parts.group})) as group:
            places = [TopicPartition(parts.topics.internal, number) for number in range(settings.partitions)]
            return [Committed.parse({}, place.metadata or "").token for place in group.committed(places, 30)]

    return Verifier(
        store=parts.store,
        decoder=parts.decoder(1 << 40),
        decode_plain=parts.codec.decode_plain,
        new_reader=parts.reader,
        committed_tokens=committed_tokens,
        topics=parts.topics,
        departments=parts.departments,
        partitions=settings.partitions,
        policy=parts.policy,
        today=day_of(now()),
        progress=progress,
    )
