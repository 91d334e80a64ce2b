"""What tests of producers share: a bus with topics, a department's publisher, and everything that is on a topic."""

import time
from collections.abc import Iterable
from datetime import date
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from exchange.catalogue import Catalogue, load_catalogue
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.kafka import open_admin
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from producers.publisher import Publisher

PERSON_KEYS = "t1:" + "07" * 32

Message = tuple[str, dict[str, Any], int, int]
"""Key, record with its `type`, partition, offset."""


class Departments:
    """The departments' side of a bus: contracts, catalogue, topics.

    Args:
        settings: of the bus.
        slugs: whose topics are made.
    """

    def __init__(self, settings: Settings, slugs: Iterable[str]) -> None:
        self.settings = settings
        self.codec = Codec.from_files(SCHEMAS)
        self.catalogue: Catalogue = load_catalogue(SCHEMAS)
        apply_topics(open_admin(settings.kafka), slugs, settings)

    def publisher(self, department: str, **changes: float) -> Publisher:
        """A publisher, with other settings where given."""
        settings = self.settings.model_copy(update=changes)
        return Publisher(settings, department, self.codec, self.catalogue)

    def published(self, *departments: str) -> list[Message]:
        """Everything on some departments' topics."""
        topics = Topics(self.settings.topic_prefix)
        places = [
            TopicPartition(topics.into(slug), number)
            for slug in departments
            for number in range(self.settings.partitions)
        ]
        ends = {place: end for place, end in self._ends(places).items() if end}
        reader = Consumer({**self.settings.kafka.config(), "group.id": "unused", "enable.auto.commit": False})
        messages: list[Message] = []
        try:
            reader.assign([TopicPartition(topic, number, 0) for topic, number in ends])
            while len(messages) < sum(ends.values()):
                for message in reader.consume(1000, 0.2):
                    assert message.error() is None
                    record_type, record = self.codec.decode(message.value() or b"")
                    key = (message.key() or b"").decode()
                    messages.append(
                        (key, record | {"type": record_type}, message.partition() or 0, message.offset() or 0)
                    )
        finally:
            reader.close()
        return messages

    def _ends(self, places: list[TopicPartition]) -> dict[tuple[str, int], int]:
        """The offset behind the last message of each partition; a topic just made may not have its leader yet."""
        give_up_at = time.monotonic() + 90
        admin = open_admin(self.settings.kafka)
        while True:
            asked = admin.list_offsets({place: OffsetSpec.latest() for place in places})  # type: ignore[no-untyped-call]
            try:
                return {(place.topic, place.partition): found.result(30).offset for place, found in asked.items()}
            except KafkaException:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)


def listing(number: int, **changes: Any) -> dict[str, Any]:
    """A listing of the TAX list, the n-th."""
    return {
        "subject": f"org:{synthetic_uscc(number % 5000 + 1)}", "subject_name": f"合成第{number:05d}号有限公司", "document": f"粤税失信〔2026〕{number}号",
        "revision": 1, "decided_on": date(2026, 3, 5), "list_code": "TAX", "grounds": "1", "serious": True, **changes,
    }  # fmt: skip
