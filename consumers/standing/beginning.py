"""How a lane begins: its transactional producer, made again and again under the same name.

librdkafka goes on asking a coordinator that has left the cluster, without end (#5511). A producer that has lost a broker may know such
a one, so it is used for no further transaction; one that knows no coordinator yet is not concerned (decisions 31, 111).
"""

import itertools
import threading
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Producer

from exchange.errors import RequestError
from exchange.kafka import OnError, translate

PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds before a producer is made again while Kafka takes no transactions; the last one is repeated."""

NewProducer = Callable[[OnError], Producer]
"""Makes a transactional producer that is ready to begin; it tells the given function of its errors while it is polled."""


class Beginning:
    """Makes a lane's producers, one after the other.

    Args:
        new_producer: of the lane's name, so that the one before is fenced.
        is_over: waits for so many seconds, and says whether nothing is to be published any more.
    """

    def __init__(self, new_producer: NewProducer, is_over: Callable[[float], bool]) -> None:
        self._new_producer = new_producer
        self._is_over = is_over
        self._ready = threading.Event()
        self._lost = False

    @property
    def is_ready(self) -> bool:
        """Whether the producer is there: from then on no predecessor of it can commit anything."""
        return self._ready.is_set()

    def begin(self) -> Producer | None:
        """A new producer, however long Kafka takes no transactions; None when nothing is to be published any more.

        Raises:
            RequestError: `not_allowed`.
        """
        self._ready.clear()
        for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
            try:
                producer = self._new_producer(self._note)
            except KafkaException as error:
                failure = translate(error, "beginning transactions")
                if isinstance(failure, RequestError):
                    raise failure from error
                if self._is_over(pause):
                    break
            else:
                producer.poll(0)
                self._lost = False  # what it met before it was ready is behind it
                self._ready.set()
                return producer
        return None

    def has_lost_a_broker(self, producer: Producer) -> bool:
        """Whether a producer, which has nothing under way, has lost a broker since it began."""
        producer.poll(0)
        return self._lost

    def _note(self, _error: KafkaError) -> None:
        self._lost = True
