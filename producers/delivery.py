"""What a publisher asks of librdkafka when it delivers, and what librdkafka's errors mean to whoever publishes."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException

from exchange.errors import CreditbusError, Reason, RejectedError, RequestError
from exchange.kafka import LOSSLESS, translate
from exchange.settings import Settings


def producer_settings(settings: Settings) -> dict[str, Any]:
    """How librdkafka keeps the promises: no loss, no duplicate, no re-ordering, an answer in bounded time."""
    return {
        **LOSSLESS,
        **settings.kafka.config(),
        "compression.type": "lz4",
        "linger.ms": 5,
        "queue.buffering.max.messages": 100_000,
        "queue.buffering.max.kbytes": 65_536,
        "delivery.timeout.ms": int(settings.delivery_timeout_seconds * 1000),
        "log_level": 2,  # what matters comes as an error of the receipt
        "topic.metadata.propagation.max.ms": 5_000,
    }


_NO_TOPIC = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 # librdkafka's own codes are named so
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)


def translate_delivery(error: KafkaError, topic: str) -> CreditbusError:
    """What a publisher can say better than `exchange.kafka.translate`."""
    if error.code() in _NO_TOPIC:
        return RequestError(f"there is no topic {topic}", code="unknown_topic", remedy="run creditbus topics apply")
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return RejectedError((Reason(code="record_too_large", rule="a record fits in one message of the broker"),))
    return translate(KafkaException(error), f"publishing to {topic}")
