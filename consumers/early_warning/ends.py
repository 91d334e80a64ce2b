"""Where topics end and up to where the workers have committed, asked of the broker beside Faust.

Faust's own figures are those of its last fetch, and stand still when it does. These say how far it is, whatever it says itself.
"""

from collections.abc import Callable, Container, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.early_warning.closing import Ends, Place
from exchange.brokers import Brokers
from exchange.errors import CreditbusError
from exchange.kafka import open_admin, reading, translate
from exchange.kafka_places import ends

ASK_SECONDS = 5.0


class AskEnds:
    """Asks.

    Args:
        kafka: where it is, and how it is spoken to.
        group: of the workers.
        places: every partition of departments' topics.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, kafka: Brokers, group: str, places: Sequence[Place], now: Callable[[], int]) -> None:
        self._kafka = kafka
        self._admin: AdminClient = open_admin(kafka)
        self._member = Consumer(reading(kafka, group))  # joins nothing: it only asks what the group has committed
        self._places = [TopicPartition(*place) for place in places]
        self._now = now

    def ask(self) -> Ends:
        """As of now.

        Raises:
            RetryLaterError: Kafka is away.
        """
        asked_at = self._now()
        try:
            committed = self._member.committed(self._places, timeout=ASK_SECONDS)
            ended = ends(self._admin, [(one.topic, one.partition) for one in self._places], within_seconds=ASK_SECONDS)
        except KafkaException as error:
            raise translate(error, "asking how far early warning is") from error
        except CreditbusError:
            self._admin = open_admin(self._kafka)
            raise
        return Ends(asked_at, ended, {(one.topic, one.partition): max(0, one.offset) for one in committed})

    def close(self) -> None:
        """Let go of the broker."""
        self._member.close()


def lag(ends: Ends, partitions: Container[int] | None = None) -> int:
    """Records that are not committed; of some partitions, or of all."""
    return sum(
        max(0, end - ends.committed.get(place, 0))
        for place, end in ends.ends.items()
        if partitions is None or place[1] in partitions
    )
