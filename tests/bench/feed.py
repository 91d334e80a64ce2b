"""Publishes a synthetic province at an even pace until it is ended, for benches that measure beside it.

python -m tests.bench.feed RATE
"""

import sys
import time
from datetime import UTC, datetime

from confluent_kafka import Producer

from exchange.codec import open_codec
from exchange.kafka import LOSSLESS
from exchange.paths import SCHEMAS
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings, read_settings
from exchange.topics import Topics
from producers.simulator.simulate import simulate


def publish(rate: int) -> None:
    """Publish at so many records a second."""
    settings = read_settings()
    codec, topics = open_codec(settings, SCHEMAS), Topics(settings.topic_prefix)
    producer = Producer({**settings.kafka.config(), "linger.ms": 20} | LOSSLESS)
    keys, begin = load_person_keys(Settings(), embedded=True), time.perf_counter()
    stream = simulate(7, 20_000, today=datetime.now(UTC).date(), keys=keys)
    for number, (department, record_type, value) in enumerate(stream):
        wait = begin + number / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        plain = codec.plain(record_type, value)
        wire = codec.encode_plain(record_type, plain | {"published_at": time.time_ns() // 1_000_000})
        producer.produce(topics.into(department), wire, str(plain["subject"]).encode())
        producer.poll(0)


if __name__ == "__main__":
    publish(int(sys.argv[1]))
