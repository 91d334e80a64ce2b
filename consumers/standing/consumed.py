"""A consumed message as the hot path sees it: errors sorted out, so topic, partition and offset are there."""

from collections.abc import Iterable
from typing import Protocol, cast

from confluent_kafka import KafkaError, Message

MOVED_FROM = "moved-from"
"""Header of a copied message: topic, partition and offset that it was at before, as in `credit.in.gd.tax/3/1042`."""


class Consumed(Protocol):
    """The methods of confluent-kafka's Message that are used, without the None of messages that are errors."""

    def topic(self) -> str: ...  # noqa: D102 # as in confluent-kafka
    def partition(self) -> int: ...  # noqa: D102
    def offset(self) -> int: ...  # noqa: D102
    def key(self) -> bytes | None: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102
    def headers(self) -> list[tuple[str, bytes]] | None: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102


def sort_out(messages: Iterable[Message]) -> tuple[list[Consumed], list[KafkaError]]:
    """Messages, and the errors that came among them."""
    good, errors = [], []
    for message in messages:
        error = message.error()
        if error is None:
            good.append(cast("Consumed", message))
        else:
            errors.append(error)
    return good, errors


def is_final(error: KafkaError) -> bool:
    """Whether the consumer will do nothing more after this error."""
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001 # librdkafka's own codes are named so
