"""A standing processor that Kafka gives no transactions can still be ended."""

import threading
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from consumers.standing.run import Parts, build
from exchange.catalogue import load_catalogue
from exchange.kafka import OnError, open_admin
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import apply_topics
from tests.waiting import wait_until

pytestmark = pytest.mark.servers


def test_it_ends_while_it_waits_for_transactions(bus_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_parts: Parts, _lane: int, _on_error: OnError) -> Producer:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(Parts, "producer", refuse)
    apply_topics(open_admin(bus_settings.kafka), load_catalogue(SCHEMAS).departments, bus_settings)
    assigned = threading.Event()
    processor, _ = build(bus_settings, bus_settings.kafka, bus_settings.redis, on_step=telling(assigned, "assign"))
    running = threading.Thread(target=processor.run, daemon=True)
    running.start()
    assert assigned.wait(30)
    processor.stop()
    wait_until(lambda: not running.is_alive(), "it ends", within_seconds=20)


def telling(event: threading.Event, step: str) -> Callable[[str], None]:
    def on_step(begun: str) -> None:
        if begun == step:
            event.set()

    return on_step
