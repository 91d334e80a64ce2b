"""Early-warning workers killed, given new partitions, and robbed of their tables: windows and warnings end as if nothing had happened."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import Producer

from consumers.early_warning.tables import NAMES
from consumers.early_warning.topics import OwnTopics, make_own_topics
from exchange.clock import now_ms
from exchange.domain.calendar import DAY_MS
from exchange.errors import RetryLaterError
from exchange.kafka import open_admin
from exchange.partitioner import partition_of
from tests.conftest import BusFactory, RunningStack
from tests.early_warning import Happening, penalty, registration
from tests.early_warning_bus import WarnedBus, past
from tests.waiting import wait_until


@pytest.fixture
def warned(new_bus: BusFactory, tmp_path: Path) -> Iterator[WarnedBus]:
    with WarnedBus(new_bus(), tmp_path) as made:
        yield made


def history() -> list[Happening]:
    """Thirty-four days of penalties, fewer than windows are kept, of two departments with a burst, some published twice, registrations in between."""

    def happening(number: int, at: int) -> Happening:
        if number % 9 == 0:
            return registration(number % 97 + 1, at)
        return penalty(number % 97 + 1, f"罚{number - number % 7 // 6}", at, ("gd.amr", "gd.tax")[number % 2])

    return past(happening, days=34, usual=9, burst=120)


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_killed_between_counting_telling_and_publishing(warned: WarnedBus) -> None:
    records = history()
    warned.feed(records[:300])
    assert warned.start("one", "subjects", 1).wait(120) == -signal.SIGKILL
    assert warned.start("one", "counted", 2).wait(120) == -signal.SIGKILL
    warned.feed(records[300:])
    assert warned.start("one", "told", 2).wait(120) == -signal.SIGKILL
    assert warned.start("one", "published", 1).wait(120) == -signal.SIGKILL
    worker = warned.start("one")
    found = warned.wait_right(120)
    assert found.windows > 100
    assert any("YJ-penalty.region.440100-86400" in document for document, _ in warned.warnings())
    warned.stop(worker)


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_one_of_two_killed_and_tables_lost(warned: WarnedBus) -> None:
    records = history()
    warned.feed(records)
    doomed, other = warned.start("one", "documents", 1), warned.start("two")
    assert doomed.wait(120) == -signal.SIGKILL
    warned.wait_right(120)
    warned.stop(other)
    shutil.rmtree(warned.folder("two"))
    late = [one._replace(at=one.at - DAY_MS) for one in records[-40:]]
    warned.feed(penalty(number, f"迟{number}", one.at) for number, one in enumerate(late, 1))
    again = warned.start("two")
    warned.wait_counted(120)
    warned.stop(again)


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_the_broker_dies_and_comes_back(warned: WarnedBus, stack: RunningStack) -> None:
    records = history()
    warned.feed(records[:300])
    worker = warned.start("one")

    def has_committed() -> bool:
        with suppress(RetryLaterError):  # a broker that is busy does not answer at once
            return warned.committed() > 0
        return False

    wait_until(has_committed, "something is committed", within_seconds=90)
    warned.feed(records[300:400])
    stack.kafka.kill()
    time.sleep(2)
    assert worker.poll() is None, "it waits"
    stack.kafka.start()
    warned.feed(records[400:])
    warned.wait_right(120)
    warned.feed(penalty(number, f"后{number}", now_ms() - DAY_MS) for number in range(1, 400))  # it is at work
    stack.kafka.kill()
    worker.send_signal(signal.SIGTERM)
    try:
        assert worker.wait(60) == 0, "it ends while Kafka is away"
    finally:
        stack.kafka.start()


@pytest.mark.servers
@pytest.mark.timeout(180)
def test_a_value_that_cannot_be_read_ends_the_worker_and_nothing_is_committed(warned: WarnedBus) -> None:
    record = penalty(1, "罚1", now_ms() - DAY_MS)
    partition = partition_of(record.value["subject"], warned.settings.partitions)
    own = OwnTopics(warned.settings.topic_prefix)
    make_own_topics(open_admin(warned.settings.kafka), NAMES, warned.settings)
    producer = Producer({**warned.settings.kafka.config()})
    key = json.dumps(f"{partition} {record.value['subject']} penalty/gd.amr/罚1")  # as Faust writes keys
    producer.produce(own.changelog("documents"), b"\xc1", key.encode(), partition=partition)
    assert producer.flush(30) == 0
    warned.feed([record])
    assert warned.start("one").wait(90) == 1
    assert "error[state_corrupt]" in warned.said()
    assert warned.committed() == 0
