"""Composition root of the ledger: settings in, running process out; and the readers of its chains."""

import uuid
from collections.abc import Callable
from functools import partial

from confluent_kafka import Consumer, Producer

from consumers.ledger.appending import Appender
from consumers.ledger.attach import Ledger
from consumers.ledger.drafts import Describer
from consumers.ledger.process import LedgerProcess
from consumers.ledger.report import LedgerReport
from consumers.standing.liveness import Liveness
from exchange.brokers import Brokers
from exchange.bus_keys import LedgerKeys
from exchange.catalogue import load_catalogue
from exchange.clock import now_ms
from exchange.codec import open_codec
from exchange.kafka import LOSSLESS, OnError, membership, open_admin, reading
from exchange.ledger_entries import entry_reader, entry_writer
from exchange.metrics import LedgerMetrics
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics


class LedgerParts:
    """What the process and the readers of chains have in common, made from the settings."""

    def __init__(self, settings: Settings, kafka: Brokers) -> None:
        self.settings = settings
        self.bus = settings.topic_prefix
        self.topics = Topics(settings.topic_prefix)
        self.departments = sorted(load_catalogue(SCHEMAS).departments)
        self.codec = open_codec(settings, SCHEMAS)
        self.read = entry_reader(self.codec)
        self.instance = settings.instance_id or uuid.uuid4().hex
        self.group = f"{settings.topic_prefix}.ledger"
        self.kafka = kafka

    def consumer(self) -> Consumer:
        """A member of the ledger's group."""
        settings = self.settings
        return Consumer(
            reading(self.kafka, self.group)
            | membership(settings.session_timeout_seconds, settings.instance_id)
            | {
                # The ledger is in no hurry: let fetches over all topics gather instead of answering once a record.
                "fetch.min.bytes": 1_000_000,
                "fetch.wait.max.ms": 50,
                "queued.min.messages": 2 * settings.ledger_batch_records,
                "queued.max.messages.kbytes": 65_536,
            }
        )

    def reader(self) -> Consumer:
        """A consumer for reading chains and payloads, in no group that matters."""
        return Consumer(reading(self.kafka, f"{self.group}.read-back.{self.instance}"))

    def producer(self, on_error: OnError) -> Producer:
        """A transactional producer of this instance's name, not yet initialised."""
        return Producer(
            {
                **self.kafka.config(),
                "transactional.id": f"{self.group}.{self.instance}",
                "transaction.timeout.ms": 10_000,
                "compression.type": "lz4",
                "linger.ms": 5,
                "retry.backoff.ms": 1,  # as in decision 8: else each transaction waits for the markers of the last
                "queue.buffering.max.messages": 500_000,
                "error_cb": on_error,
            }
            | LOSSLESS
        )


def build(
    settings: Settings,
    kafka: Brokers,
    keys: LedgerKeys,
    *,
    metrics: LedgerMetrics | None = None,
    now: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[LedgerProcess, Liveness]:
    """A ledger process, ready to run.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        keys: that checkpoints are signed with.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """
    parts = LedgerParts(settings, kafka)
    liveness = Liveness(settings.stuck_after_seconds)
    process = LedgerProcess(
        new_consumer=parts.consumer,
        ledger=Ledger(parts.bus, parts.topics.ledger, partial(open_admin, kafka), parts.reader, parts.read),
        appender=Appender(
            new_producer=parts.producer, topic=parts.topics.ledger, write=entry_writer(parts.codec), on_step=on_step
        ),
        describer=Describer(parts.codec, parts.topics, parts.departments),
        idle_topic=parts.topics.standing,
        sign=keys.signer(),
        key_id=keys.key_id,
        report=LedgerReport(metrics or LedgerMetrics()),
        liveness=liveness,
        now=now,
        batch=settings.ledger_batch_records,
        checkpoint_entries=settings.ledger_checkpoint_entries,
        checkpoint_ms=int(settings.ledger_checkpoint_seconds * 1000),
        on_step=on_step,
    )
    return process, liveness
