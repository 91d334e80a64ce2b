"""Publisher: how a department's program puts records on the bus. Validate, encode, deliver, confirm.

Every call gives a receipt or raises, within bounded time; nothing is dropped without somebody being told. After any doubt the
same record may be published again: the bus takes records as upserts by document and revision.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Any, NamedTuple, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.errors import CreditbusError, FatalError, RejectedError, RequestError, RetryLaterError
from exchange.kafka_entry import refusal
from exchange.metrics import PublisherMetrics
from exchange.records import Record
from exchange.settings import Settings
from exchange.topics import Topics
from exchange.tracing import open_tracing
from producers.delivery import producer_settings, translate_delivery
from producers.prepare import Prepared, Preparer

_quiet = logging.getLogger("creditbus.kafka")
_NAMED = 10  # unconfirmed records that an error names


class Delivery(NamedTuple):
    """Proof that the bus has a record: where it lies."""

    topic: str
    partition: int
    offset: int


class UnconfirmedError(RetryLaterError):
    """Records that may or may not be on the bus; `records` names them all, as `penalty 粤X罚〔2026〕1号`."""

    code = "unconfirmed"
    remedy = "publish them again when the bus is back; a record that did arrive counts once"

    def __init__(self, records: tuple[str, ...]) -> None:
        more = f" and {len(records) - _NAMED} more" if len(records) > _NAMED else ""
        super().__init__(f"{len(records)} records are not confirmed: {', '.join(records[:_NAMED])}{more}")
        self.records = records


class Publisher:
    """One department's way onto the bus; safe to use from several threads.

    As a context manager it confirms everything on exit, and raises `UnconfirmedError` when it cannot.

    Args:
        settings: of the bus; `kafka` must name the servers.
        department: slug such as `gd.tax`; the only one whose records go out here.
        codec: of the contracts.
        catalogue: says what the department may publish.
        metrics: to count in; made anew when absent.
        remember_lost: whether `flush` also names records that failed before it; not where somebody reads every receipt.
    """

    def __init__(
        self,
        settings: Settings,
        department: str,
        codec: Codec,
        catalogue: Catalogue,
        *,
        metrics: PublisherMetrics | None = None,
        remember_lost: bool = True,
    ) -> None:
        if not settings.kafka:
            raise RequestError(
                "CREDITBUS_KAFKA is not set",
                code="no_kafka",
                remedy="start the program with CREDITBUS_KAFKA=<address>: the one that `creditbus up` prints, or your operator's",
            )
        self._settings = settings
        self._department = department
        self._topic = Topics(settings.topic_prefix).into(department)
        self.preparer = Preparer(department, codec, catalogue)
        self.metrics = metrics or PublisherMetrics()
        self._confirmed = self.metrics.confirmed.labels(department)
        self._confirm_seconds = self.metrics.confirm_seconds.labels(department)
        self.deadline_seconds = settings.delivery_timeout_seconds + 5
        self._open: dict[int, tuple[str, Future[Delivery]]] = {}
        self._remember_lost = remember_lost
        self._lost: list[str] = []
        self._count = 0
        self._fatal: FatalError | None = None
        self._refused: RequestError | None = None
        self._closing = False
        self._closed = threading.Event()
        self._tracing = open_tracing(settings)
        self._lock = threading.Lock()
        self._producer = Producer(producer_settings(settings), error_cb=self._on_error, logger=_quiet)
        self._pump = threading.Thread(target=self._serve, name=f"publisher-{department}", daemon=True)
        self._pump.start()

    @property
    def failed(self) -> bool:
        """Whether it can no longer keep its promises: open another."""
        return self._fatal is not None

    def publish(
        self, record: Record | Mapping[str, Any], record_type: str = "", *, wait_seconds: float | None = None
    ) -> Future[Delivery]:
        """Check one record and hand it over.

        Args:
            record: of `exchange.records`, or its fields by name, `department` and `published_at` (now) filled in where absent.
            record_type: slug such as `penalty`, where the record does not say.
            wait_seconds: how long to wait for room while the broker is slow; None takes the setting.

        Returns:
            The receipt: its result is the `Delivery`; it raises `RetryLaterError` when the broker did not confirm in time,
            `RequestError` when it refuses the topic.

        Raises:
            RejectedError: the record breaks a rule, and nothing was sent; all reasons are in it.
            RetryLaterError: there was no room for so long; nothing was sent.
            FatalError: the producer can no longer keep its promises.
        """
        try:
            prepared = self.preparer.prepare(record, record_type)
        except RejectedError as error:
            for code in {reason.code for reason in error.reasons}:
                self.metrics.refused.labels(self._department, code).inc()
            raise
        return self.deliver(prepared, wait_seconds=wait_seconds)

    def deliver(self, prepared: Prepared, *, wait_seconds: float | None = None) -> Future[Delivery]:
        """Hand over a record that `preparer` has checked; otherwise as `publish`."""
        receipt: Future[Delivery] = Future()
        receipt.set_running_or_notify_cancel()  # from here on nobody can take it back
        with self._lock:
            if self._closing:
                raise RequestError("the publisher is closed", code="closed", remedy="open a new one")
            self._count += 1
            number = self._count
            self._open[number] = (f"{prepared.record_type} {prepared.document}", receipt)
        try:
            self._send(prepared, number, wait_seconds)
        except CreditbusError as error:
            self._settle(number).set_exception(error)  # whoever closes meanwhile need not wait for it
            raise
        return receipt

    async def confirm(self, record: Record | Mapping[str, Any], record_type: str = "") -> Delivery:
        """Publish and wait for the proof, without blocking the event loop; a full queue raises at once."""
        return await asyncio.wrap_future(self.publish(record, record_type, wait_seconds=0))

    def flush(self, timeout_seconds: float | None = None) -> None:
        """Wait until every record published so far is confirmed.

        Raises:
            UnconfirmedError: naming those that are not, and those whose delivery failed since the last flush.
        """
        deadline = time.monotonic() + (self.deadline_seconds if timeout_seconds is None else timeout_seconds)
        with self._lock:
            waiting = dict(self._open)
        self._producer.flush(max(0.0, deadline - time.monotonic()))
        wait([receipt for _, receipt in waiting.values()], max(0.0, deadline - time.monotonic()))
        with self._lock:
            unconfirmed = (*self._lost, *(name for number, (name, _) in waiting.items() if number in self._open))
            self._lost.clear()
        if unconfirmed:
            raise UnconfirmedError(unconfirmed)

    def check_topic(self, timeout_seconds: float = 10.0) -> str:
        """Make sure the department's topic is there, before anything is sent.

        Returns:
            The id of the Kafka cluster.

        Raises:
            RequestError: the topic is not there.
            RetryLaterError: no broker answered in time.
        """
        try:
            metadata = self._producer.list_topics(self._topic, timeout_seconds)
        except KafkaException as exc:
            raise self._told(exc.args[0]) from exc
        error = metadata.topics[self._topic].error
        if error is not None:
            raise self._told(error)
        return str(metadata.cluster_id)

    def close(self) -> None:
        """Confirm everything, then let go of the broker.

        Raises:
            UnconfirmedError: see `flush`; the publisher is closed all the same.
        """
        with self._lock:
            if self._closing:
                return
            self._closing = True
        try:
            self.flush()
        finally:
            self._closed.set()
            self._pump.join()
            self._producer.purge()
            self._producer.flush(1.0)  # hands back what was purged, so that no receipt stays open

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except UnconfirmedError as unconfirmed:
            if error is None:
                raise
            error.add_note(unconfirmed.line())

    def _send(self, prepared: Prepared, number: int, wait_seconds: float | None) -> None:
        wait_seconds = self._settings.publish_wait_seconds if wait_seconds is None else wait_seconds
        deadline = time.monotonic() + wait_seconds
        handed_at = time.monotonic()

        span, headers = self._tracing.publishing(prepared.record_type, self._topic) if self._tracing else (None, None)
        more: dict[str, Any] = {} if headers is None else {"headers": headers}

        def on_delivery(error: KafkaError | None, message: Message) -> None:
            if span is not None:
                span.end()
            self._confirm(number, handed_at, error, message)

        while True:
            if self._fatal is not None:
                raise self._fatal
            try:
                self._producer.produce(self._topic, prepared.raw, prepared.key, on_delivery=on_delivery, **more)
            except BufferError as exc:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise RetryLaterError(
                        f"no room for {wait_seconds:g} s: the broker does not keep up or is away",
                        code="queue_full",
                        remedy="wait and publish again; nothing of this record was sent",
                    ) from exc
                self._producer.poll(min(left, 0.1))
            except KafkaException as exc:
                raise self._told(exc.args[0]) from exc
            else:
                return

    def _confirm(self, number: int, handed_at: float, error: KafkaError | None, message: Message) -> None:
        """The broker's answer for one record; called by the pump."""
        offset = message.offset()
        if error is None and offset is None:  # librdkafka assumes that the broker has it: no proof
            error = KafkaError(KafkaError._NO_OFFSET, "acknowledged without an offset")  # noqa: SLF001 # as above
        found = self._settle(number, lost=error is not None)
        if error is not None:
            self.metrics.failed.labels(self._department, error.name()).inc()
            found.set_exception(self._told(error))
            return
        self._refused = None
        self._confirmed.inc()
        self._confirm_seconds.observe(time.monotonic() - handed_at)
        found.set_result(Delivery(self._topic, message.partition() or 0, offset or 0))

    def _settle(self, number: int, *, lost: bool = False) -> Future[Delivery]:
        with self._lock:
            name, receipt = self._open.pop(number)
            if lost and self._remember_lost:
                self._lost.append(name)
        return receipt

    def _serve(self) -> None:
        """The pump: takes the broker's answers as they come."""
        while not self._closed.is_set():
            self._producer.poll(0.1)

    def _told(self, error: KafkaError) -> CreditbusError:
        """What an error means; a broker that does not let this publisher in is not one that is away."""
        told = translate_delivery(error, self._topic)
        return self._refused if self._refused is not None and isinstance(told, RetryLaterError) else told

    def _on_error(self, error: KafkaError) -> None:
        self._refused = refusal(error, self._settings.kafka) or self._refused
        if error.fatal():
            self._fatal = FatalError(str(error), code="producer_fatal", remedy="open a new publisher and publish again")
