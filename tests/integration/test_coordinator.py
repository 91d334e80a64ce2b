"""Whether a group has a coordinator that answers, asked of a real broker and where there is none."""

import socket

import pytest
from confluent_kafka import KafkaException

from exchange.brokers import Brokers
from exchange.kafka import demand_coordinator
from exchange.settings import Settings


def test_a_group_that_nobody_has_joined_has_a_coordinator(bus_settings: Settings) -> None:
    demand_coordinator(bus_settings.kafka, f"{bus_settings.topic_prefix}.nobody")


def test_where_nobody_listens_there_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = Brokers(f"127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(KafkaException):
        demand_coordinator(nobody, "credit.standing")
