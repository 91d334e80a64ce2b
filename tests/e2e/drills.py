"""Faults that a department can bring about, for the drills of the runbooks and the e2e test of the alerts alike.

python -m tests.e2e.drills hang --department gd.tax --seconds 180
python -m tests.e2e.drills bad --department gd.tax --count 4000
python -m tests.e2e.drills classified --department gd.tax
python -m tests.e2e.drills undisclosed --department gd.eco

They run on the bus of the environment's settings: the demonstration's, or any other that is not in production.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer

from deploy.cli.servers import with_servers
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.kafka import LOSSLESS
from exchange.paths import SCHEMAS
from exchange.settings import Settings, read_settings
from exchange.topics import Topics

CODEC = Codec.from_files(SCHEMAS)
FIRM = f"org:{synthetic_uscc(77)}"
LATE_DAYS = 40
"""A decision so old is overdue whatever holidays lie between."""


def _producer(settings: Settings) -> Producer:
    return Producer(settings.kafka.config() | LOSSLESS)


@contextmanager
def hanging_transaction(settings: Settings, department: str) -> Iterator[None]:
    """A transaction that is open in every partition of the department's topic: what comes after it cannot be read until it ends."""
    topic = Topics(settings.topic_prefix).into(department)
    producer = Producer({**settings.kafka.config(), "transactional.id": uuid4().hex, "transaction.timeout.ms": 600_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(settings.partitions):
        producer.produce(topic, b"aborted in the end", FIRM.encode(), number)
    assert producer.flush(30) == 0
    try:
        yield
    finally:
        producer.abort_transaction(30)


def send_bad(settings: Settings, department: str, count: int) -> None:
    """Records that nobody can decode, as many in each partition."""
    producer, topic = _producer(settings), Topics(settings.topic_prefix).into(department)
    for number in range(count):
        producer.produce(topic, b"\x00not a record", FIRM.encode(), number % settings.partitions)
        producer.poll(0)
    assert producer.flush(60) == 0


def send_classified(settings: Settings, department: str) -> None:
    """A record that is marked as classified."""
    producer, topic = _producer(settings), Topics(settings.topic_prefix).into(department)
    producer.produce(topic, b"\x00secret", FIRM.encode(), headers=[("classification", b"CLASSIFIED")])
    assert producer.flush(60) == 0


def send_penalty(settings: Settings, department: str, division: str) -> None:
    """A penalty decided long ago: refused with a division that there is not (`12`), accepted with one that there is."""
    producer, topic = _producer(settings), Topics(settings.topic_prefix).into(department)
    value: dict[str, Any] = {
        "subject": FIRM, "subject_name": "合成公司", "department": department, "document": "演练罚〔2026〕1号", "revision": 1,
        "decided_on": date.fromordinal(datetime.now(UTC).date().toordinal() - LATE_DAYS),
        "published_at": datetime.now(UTC) - timedelta(seconds=1), "division": division,
    }  # fmt: skip
    producer.produce(topic, CODEC.encode("penalty", value), FIRM.encode())
    assert producer.flush(60) == 0


def main() -> None:
    """A drill, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drill", choices=["hang", "bad", "classified", "undisclosed"])
    parser.add_argument("--department", required=True)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--count", type=int, default=60)
    given = parser.parse_args()
    settings = with_servers(read_settings())
    match given.drill:
        case "hang":
            with hanging_transaction(settings, given.department):
                send_penalty(settings, given.department, "440300")
                time.sleep(given.seconds)
        case "bad":
            send_bad(settings, given.department, given.count)
        case "classified":
            send_classified(settings, given.department)
        case "undisclosed":
            send_penalty(settings, given.department, "12")


if __name__ == "__main__":
    main()
