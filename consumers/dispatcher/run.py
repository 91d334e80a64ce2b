"""Composition root of the dispatcher: settings in, running process out."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Producer

from consumers.dispatcher.commits import Commits
from consumers.dispatcher.dispatcher import Dispatcher
from consumers.dispatcher.endpoints_watch import EndpointsWatch
from consumers.dispatcher.guard import Guard
from consumers.dispatcher.intake import Intake
from consumers.dispatcher.lag import Lag
from consumers.dispatcher.message import Envelope
from consumers.dispatcher.payloads import Rereader
from consumers.dispatcher.places import Places
from consumers.dispatcher.receipts import Receipts
from consumers.dispatcher.report import DispatcherReport
from consumers.dispatcher.surroundings import Surroundings
from consumers.standing.liveness import Liveness
from exchange.brokers import Brokers
from exchange.catalogue import load_catalogue
from exchange.clock import now_ms
from exchange.codec import open_codec
from exchange.delivery_store import DeliveryStore
from exchange.domain.policy import Policy
from exchange.endpoint_store import EndpointStore
from exchange.kafka import LOSSLESS, Config, membership, open_admin, reading
from exchange.metrics import DispatcherMetrics
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import SigningKeys
from exchange.topics import Topics
from exchange.tracing import open_tracing

if TYPE_CHECKING:
    from consumers.dispatcher.traces import DeliveryTraces

BATCH = 500
DAY_MS = 86_400_000


def open_guard(settings: Settings) -> Guard:
    """The guard as the settings have it."""
    allowed = [one.strip() for one in settings.webhook_networks.split(",") if one.strip()]
    return Guard(allowed, plain_http=settings.webhook_plain_http)


def open_delivery_store(settings: Settings, redis: str) -> DeliveryStore:
    """The state of deliveries, in Redis."""
    return DeliveryStore(
        connect(redis), log_entries=settings.delivery_log_entries, log_ms=settings.delivery_log_days * DAY_MS
    )


def urgent_measures(policy: Policy) -> frozenset[str]:
    """Measures that are urgent by some rule of the policy."""
    return frozenset(rule.measure for rules in policy.rules_by_list.values() for rule in rules if rule.urgent)


def _open_traces(settings: Settings) -> "DeliveryTraces | None":
    tracing = open_tracing(settings)
    if tracing is None:
        return None
    from consumers.dispatcher.traces import DeliveryTraces

    return DeliveryTraces(tracing)


class DispatcherProcess:
    """A dispatcher that can be run and told to stop.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        redis: URL.
        keys: master keys to sign with.
        metrics: where to count.
        now: the clock, milliseconds since 1970-01-01 UTC.
        on_step: told each step's name as it begins; fault tests end the process there.
    """

    def __init__(
        self,
        settings: Settings,
        kafka: Brokers,
        redis: str,
        keys: SigningKeys,
        *,
        metrics: DispatcherMetrics | None = None,
        now: Callable[[], int] = now_ms,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._kafka = kafka
        self._redis = redis
        self._keys = keys
        self._now = now
        self._on_step = on_step
        self._topics = Topics(settings.topic_prefix)
        self._codec = open_codec(settings, SCHEMAS)
        self._catalogue = load_catalogue(SCHEMAS)
        self._urgent = urgent_measures(load_policy(SCHEMAS, self._catalogue))
        self._guard = open_guard(settings)
        self._report = DispatcherReport(metrics or DispatcherMetrics())
        self.liveness = Liveness(settings.stuck_after_seconds)
        self._dispatcher: Dispatcher | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        """Until told to stop."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """End in good order; from any thread or a signal's handler."""
        self._stopped.set()
        if self._dispatcher is not None:
            self._dispatcher.stop()

    async def _run(self) -> None:
        with (
            ThreadPoolExecutor(1, "kafka") as intake_thread,
            ThreadPoolExecutor(1, "redis") as redis_thread,
            ThreadPoolExecutor(1, "reread") as reread_thread,
        ):
            reader = Rereader(Consumer(self._reading("dispatcher.reread")))
            try:
                self._dispatcher = self._build(reader, intake_thread, redis_thread, reread_thread)
                if self._stopped.is_set():
                    return
                await self._dispatcher.run()
            finally:
                self._dispatcher = None
                reader.close()

    def _build(self, reader: Rereader, intake: Executor, redis: Executor, reread: Executor) -> Dispatcher:
        settings, loop = self._settings, asyncio.get_running_loop()
        store = open_delivery_store(settings, self._redis)
        traces = _open_traces(settings)

        async def read_again(topic: str, number: int, offsets: list[int]) -> dict[int, bytes]:
            return await loop.run_in_executor(reread, reader.read, topic, number, offsets)

        def on_fenced(partitions: list[int]) -> None:
            places.fenced(partitions)

        def on_published(number: int, count: int) -> None:
            change = commits.change(number)
            if change is not None:
                change.trim += count

        commits = Commits(
            store, redis, on_fenced=on_fenced, on_wait=self._report.waiting, on_step=self._on_step,
            lease_seconds=settings.session_timeout_seconds / 2,
        )  # fmt: skip
        receipts = Receipts(
            self._producer(),
            self._topics.into(settings.operator_department),
            lambda raw: str(self._codec.decode_plain(raw)[1]["subject"]),
            on_published,
        )
        around = Surroundings(
            codec=self._codec,
            envelope=Envelope(self._codec, f"/creditbus/{settings.topic_prefix}"),
            keys=self._keys,
            guard=self._guard,
            commits=commits,
            receipts=receipts,
            report=self._report,
            reread=read_again,
            topic_of=self._topics.out_of,
            now=self._now,
            on_step=self._on_step,
            thin_only=self._catalogue.thin_only(),
            operator=settings.operator_department,
            timeout_seconds=settings.webhook_timeout_seconds,
            payload_bytes=settings.webhook_payload_bytes,
            traces=traces,
        )
        watch = EndpointsWatch(
            EndpointStore(connect(self._redis)), redis, around, pause_after=int(settings.webhook_pause_days * DAY_MS)
        )
        group = self._reading("dispatcher") | membership(settings.session_timeout_seconds, settings.instance_id)
        places = Places(
            new_intake=partial(
                Intake, partial(Consumer, group), self._topics, sorted(self._catalogue.departments), self._codec,
                self._urgent, batch=BATCH, traces=traces,
            ),
            intake_thread=intake,
            store=store,
            redis_thread=redis,
            commits=commits,
            watch=watch,
            receipts=receipts,
            report=self._report,
        )  # fmt: skip
        return Dispatcher(
            places=places,
            store=store,
            redis_thread=redis,
            commits=commits,
            watch=watch,
            receipts=receipts,
            lag=Lag(partial(open_admin, self._kafka), self._topics.out_of, self._report),
            report=self._report,
            liveness=self.liveness,
        )

    def _producer(self) -> Producer:
        return Producer({**self._kafka.config(), "compression.type": "lz4", "linger.ms": 20} | LOSSLESS)

    def _reading(self, group: str) -> Config:
        return reading(self._kafka, f"{self._settings.topic_prefix}.{group}") | {
            "enable.partition.eof": True,
            "socket.nagle.disable": True,
            "queued.max.messages.kbytes": 16_384,
        }
