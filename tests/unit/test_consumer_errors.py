"""What a consumer tells of itself in the log: topics that are not there are one line that says what to do."""

import logging

import pytest
from confluent_kafka import KafkaError

from exchange.kafka import MISSING_EVERY_SECONDS, ConsumerErrors


def test_missing_topics_are_one_line_with_its_remedy(caplog: pytest.LogCaptureFixture) -> None:
    absent = [
        KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"Subscribed topic not available: credit.in.{number}")
        for number in range(40)
    ]
    away = KafkaError(KafkaError._ALL_BROKERS_DOWN, "2/2 brokers are down")  # librdkafka's own code
    now = 0.0
    told = ConsumerErrors(logging.getLogger("creditbus.test"), clock=lambda: now)
    with caplog.at_level(logging.WARNING):
        told.tell(absent[:1])  # librdkafka hands them out in several batches
        told.tell([*absent[1:], away, away])
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) == 2
        assert lines[0].startswith("topics missing first='Subscribed topic not available: credit.in.0")
        assert "creditbus topics apply" in lines[0]
        assert lines[1].startswith("consumer error=")
        assert lines[1].endswith("count=2")
        now = MISSING_EVERY_SECONDS
        told.tell(absent)
    assert len(caplog.records) == 3, "who looks later sees it too"
