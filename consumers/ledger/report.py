"""What the ledger tells operators: metrics and one log line an event, fields and never a subject."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumers.ledger.attach import Attached
from consumers.standing.reading import behind
from exchange.domain.ledger import Entry
from exchange.errors import CreditbusError
from exchange.kafka import ConsumerErrors
from exchange.metrics import LedgerMetrics

log = logging.getLogger("creditbus.ledger")


class LedgerReport:
    """Metrics and log of a ledger process."""

    def __init__(self, metrics: LedgerMetrics) -> None:
        self._metrics = metrics
        self._consumer_errors = ConsumerErrors(log)

    def attached(self, owned: Iterable[Attached]) -> None:
        """Chains were taken over."""
        for one in owned:
            if one.recovered:
                self._metrics.recoveries.inc()
                log.warning("offsets read back from the ledger sequence=%d", one.chain.head.sequence)

    def appended(self, entries: Sequence[Entry], seconds: float) -> None:
        """A transaction went through."""
        self._metrics.transactions.inc()
        self._metrics.batch_seconds.observe(seconds)
        for kind, count in Counter(entry.kind for entry in entries).items():
            self._metrics.appended.labels(kind.value).inc(count)

    def fenced(self) -> None:
        """A transaction was refused."""
        self._metrics.fenced.inc()
        log.warning("fenced")

    def rejoining(self) -> None:
        """The group refused this member for good; it joins anew."""
        self._metrics.rejoins.inc()
        log.warning("rejoining")

    def waiting(self, error: CreditbusError) -> None:
        """A server is away."""
        self._metrics.retries.labels(error.code).inc()
        log.warning("waiting code=%s detail=%s", error.code, error)

    def state(
        self, consumer: Consumer, places: Sequence[TopicPartition], owned: Mapping[int, Attached], *, now: int
    ) -> int:
        """Gauges; the number of messages not yet entered."""
        mine = [place for place in places if place.partition in owned]
        lag = sum(behind(consumer, mine, lambda place: owned[place.partition].offsets.get(place.topic, 0)))
        self._metrics.lag.set(lag)
        self._metrics.assigned.set(len(owned))
        self._metrics.checkpoint_age.set(max((one.chain.unsigned_for(now=now) for one in owned.values()), default=0.0))
        return lag

    def consumer_errors(self, errors: list[KafkaError]) -> None:
        """The client told of errors; it goes on by itself."""
        self._consumer_errors.tell(errors)
