"""A broker that is killed in the middle of many transactions: each has its end when it is back (decision 47)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event

import pytest
from confluent_kafka import IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import OffsetSpec

from exchange.catalogue import load_catalogue
from exchange.kafka import LOSSLESS, open_admin
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import RunningStack
from tests.extent import sized
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]
PRODUCERS = 12
TRANSACTION_SECONDS = 10
KILLS = sized(1, 3)


def test_no_transaction_is_left_without_an_end(bus_settings: Settings, stack: RunningStack) -> None:
    # All departments: the more partitions a broker has, the longer it takes to lead them again.
    apply_topics(open_admin(bus_settings.kafka), load_catalogue(SCHEMAS).departments, bus_settings)
    topic = Topics(bus_settings.topic_prefix).ledger
    for kill in range(KILLS):
        kill_in_the_middle(bus_settings, stack, topic, f"kill {kill}")
        stack.kafka.start()
        wait_until(partial(all_ended, bus_settings, topic), "every transaction has its end", within_seconds=60)


def kill_in_the_middle(settings: Settings, stack: RunningStack, topic: str, name: str) -> None:
    with committing(settings, topic, name) as committed:
        wait_until(lambda: len(committed) > 20 * PRODUCERS, "transactions are committed")
        stack.kafka.kill()


@contextmanager
def committing(settings: Settings, topic: str, name: str) -> Iterator[list[str]]:
    """Producers that commit one transaction after the other until the broker dies; gives the names of those committed."""
    committed: list[str] = []
    over = Event()

    def commit(number: int) -> None:
        while not over.is_set():  # a slow machine's producer that ran out of time begins anew
            commit_until_it_fails(f"{topic} {name} {number}")

    def commit_until_it_fails(transactional_id: str) -> None:
        producer = Producer(
            {
                **settings.kafka.config(),
                "transactional.id": transactional_id,
                "transaction.timeout.ms": 1000 * TRANSACTION_SECONDS,
                "retry.backoff.ms": 1,  # as in decision 8: most are then between the decision to commit and its markers
            }
            | LOSSLESS
        )
        try:
            producer.init_transactions(30)
            while not over.is_set():
                producer.begin_transaction()
                for place in range(settings.partitions):
                    producer.produce(topic, b"", partition=place)
                producer.commit_transaction(TRANSACTION_SECONDS)
                committed.append(transactional_id)
        except KafkaException:
            producer.purge()  # what it has not sent is not sent any more

    with ThreadPoolExecutor(PRODUCERS) as pool:
        try:
            pool.map(commit, range(PRODUCERS))
            yield committed
        finally:
            over.set()


def all_ended(settings: Settings, topic: str) -> bool:
    """Whether readers of what is committed get to the end of each partition."""
    admin = open_admin(settings.kafka)
    newest = OffsetSpec.latest()  # type: ignore[no-untyped-call] # confluent-kafka leaves it untyped
    asked = {TopicPartition(topic, number): newest for number in range(settings.partitions)}
    levels = (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
    try:
        stable, all_of_it = (
            [answer.result().offset for answer in admin.list_offsets(asked, isolation_level=level).values()]
            for level in levels
        )
    except KafkaException:
        return False
    return stable == all_of_it
