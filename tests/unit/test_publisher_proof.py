"""A delivery without an offset is no proof: librdkafka reports so what it only assumes the broker to have."""

from concurrent.futures import Future

import pytest
from confluent_kafka import Message

from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.errors import RequestError, RetryLaterError
from exchange.kafka import LOSSLESS
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from producers.publisher import Delivery, Publisher, UnconfirmedError


@pytest.fixture
def publisher() -> Publisher:
    settings = Settings(kafka="127.0.0.1:1", delivery_timeout_seconds=2.0)
    return Publisher(settings, "gd.tax", Codec.from_files(SCHEMAS), load_catalogue(SCHEMAS))


def test_an_acknowledgement_without_an_offset_is_not_taken_for_one(publisher: Publisher) -> None:
    receipt: Future[Delivery] = Future()
    publisher._open[1] = ("listing 1号", receipt)
    message = Message(topic="credit.in.gd.tax", partition=3)
    assert message.offset() is None
    publisher._confirm(1, 0.0, None, message)
    with pytest.raises(RetryLaterError):
        receipt.result(timeout=0)
    with pytest.raises(UnconfirmedError) as failure:
        publisher.close()
    assert failure.value.records == ("listing 1号",)


def test_one_request_in_flight() -> None:
    assert LOSSLESS["max.in.flight"] == 1
    assert LOSSLESS["enable.idempotence"] is True


def test_without_servers_there_is_no_publisher() -> None:
    with pytest.raises(RequestError) as failure:
        Publisher(Settings(), "gd.tax", Codec.from_files(SCHEMAS), load_catalogue(SCHEMAS))
    assert failure.value.code == "no_kafka"
    assert "start the program with CREDITBUS_KAFKA=" in failure.value.remedy, (
        "servers that run alone do not help a program"
    )
    assert failure.value.__notes__ == [failure.value.remedy], "a traceback shows it too"
