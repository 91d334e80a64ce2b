"""A department that publishes in transactions: the markers behind its records are no records that wait."""

import time
from pathlib import Path

import pytest
from confluent_kafka import Producer

from exchange.domain.synthetic import synthetic_uscc
from exchange.settings import Settings
from tests.e2e.bus import LiveBus, live_bus
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]
FIRM = f"org:{synthetic_uscc(1)}"


def publish_in_transactions(bus: LiveBus, *endings: str) -> None:
    """One penalty a transaction, each committed or aborted."""
    topic = bus.topics.into("gd.tax")
    producer = Producer(bus.settings.kafka.config() | {"transactional.id": f"{topic}.test"})
    producer.init_transactions(30)
    for number, ending in enumerate(endings):
        record = bus.record(FIRM, f"粤税罚〔2026〕{number}号", severity="GENERAL", department="gd.tax")
        producer.begin_transaction()
        producer.produce(topic, bus.codec.encode("penalty", record), FIRM.encode())
        if ending == "commit":
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)


def test_nothing_waits_behind_the_last_record(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-05-20") as bus:
        publish_in_transactions(bus, "commit", "abort", "commit", "abort")
        bus.fed = 2
        bus.settle()
        assert bus.verify().waiting == 0
        assert bus.picture(FIRM)[1].counts["penalty"] == 2
        wait_until(lambda: bus.metrics.registry.get_sample_value("creditbus_lag_records") == 0, "no lag")
        time.sleep(2.5)
        assert bus.metrics.registry.get_sample_value("creditbus_lag_records") == 0, "nor later, when it looks again"
