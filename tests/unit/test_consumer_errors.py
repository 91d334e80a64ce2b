"""What a consumer tells of itself in the log: topics that are not there are one line that says what to do."""

import logging

import pytest
from confluent_kafka import KafkaError

from exchange.kafka import log_consumer_errors


def test_missing_topics_are_one_line_with_its_remedy(caplog: pytest.LogCaptureFixture) -> None:
    absent = [
        KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"Subscribed topic not available: credit.in.{number}")
        for number in range(40)
    ]
    away = KafkaError(KafkaError._ALL_BROKERS_DOWN, "2/2 brokers are down")  # librdkafka's own code
    with caplog.at_level(logging.WARNING):
        log_consumer_errors(logging.getLogger("creditbus.test"), [*absent, away, away])
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("consumer error=")
    assert lines[0].endswith("count=2")
    assert lines[1].startswith("topics missing count=40 first='Subscribed topic not available: credit.in.0")
    assert "creditbus topics apply" in lines[1]
