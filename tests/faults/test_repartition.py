"""A bus moved to another number of partitions: copied while it runs, killed in between, sealed; nothing is lost or told again."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from consumers.repartition import copying
from consumers.standing.reading import read_places
from deploy.repartition import Repartition, begin_copy
from exchange.errors import RequestError
from exchange.kafka import reading
from exchange.kafka_places import watermarks
from exchange.partitioner import partition_of
from exchange.settings import Settings
from tests.conftest import BusFactory, environment_of
from tests.faults.bus import BusUnderFault
from tests.faults.records import province

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
MANY = 7
COPIER = Path(__file__).with_name("repartition_main.py")


@pytest.fixture
def old(new_bus: BusFactory) -> Iterator[BusUnderFault]:
    with BusUnderFault(new_bus()) as bus:
        yield bus


@pytest.fixture
def new_settings(new_bus: BusFactory) -> Settings:
    return new_bus().model_copy(update={"partitions": MANY})


def begin(old: BusUnderFault, new: Settings) -> Repartition:
    return begin_copy(old.settings, new.partitions, new.topic_prefix)


def told(bus: BusUnderFault) -> Counter[tuple[str, bytes, bytes]]:
    """Every notice on the bus: topic without its prefix, subject, bytes; each in the partition of its subject."""
    count = bus.settings.partitions
    places = [(bus.topics.out_of(one), number) for one in bus.departments for number in range(count)]
    found: Counter[tuple[str, bytes, bytes]] = Counter()
    with closing(Consumer(reading(bus.settings.kafka, "looking"))) as reader:
        for message in read_places(reader, watermarks(reader, places)):
            key = message.key() or b""
            assert message.partition() == partition_of(key.decode(), count)
            found[message.topic().removeprefix(bus.settings.topic_prefix), key, message.value() or b""] += 1
    return found


def feed_astray(bus: BusUnderFault) -> None:
    """A good record of gd.tax in another partition than its key's, which is refused."""
    _, _, value = next(one for one in province(seed=12, count=300) if one[:2] == ("gd.tax", "listing"))
    key, count = value["subject"].encode(), bus.settings.partitions
    producer = Producer(bus.settings.kafka.config())
    elsewhere = (partition_of(value["subject"], count) + 1) % count
    producer.produce(
        bus.topics.into("gd.tax"), bus.codec.encode("listing", value | {"document": "astray"}), key, elsewhere
    )
    assert producer.flush(60) == 0
    bus.fed += 1


def kill_at(step: str, count: int, old: BusUnderFault, new: Settings) -> None:
    """Copy in a process that kills itself."""
    command = [sys.executable, str(COPIER), step, str(count), str(new.partitions), new.topic_prefix]
    root = Path(__file__).parents[2]
    assert (
        subprocess.run(command, env=environment_of(old.settings), cwd=root, check=False).returncode == -signal.SIGKILL
    )


def test_nothing_is_lost_or_told_again(
    old: BusUnderFault, new_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = province(seed=11, count=1800)
    monkeypatch.setattr(copying, "BATCH", 400)
    old.start("one")
    old.feed(records[:800])
    old.wait_quiet()
    for step in ("copy", "copied"):
        kill_at(step, 1, old, new_settings)
    old.feed(records[800:1400])  # the old bus goes on meanwhile
    begin(old, new_settings).copier.copy()
    with pytest.raises(RequestError) as refused:
        begin(old, new_settings).sealer.seal()
    assert refused.value.code == "bus_runs"
    old.feed(records[1400:1500])
    old.wait_quiet()
    old.stop_all()
    kill_at("copied", 1, old, new_settings)
    last = begin(old, new_settings)
    last.copier.copy()
    assert last.copier.copy().messages == 0, "everything is there"
    last.sealer.seal()
    before = told(old)
    with BusUnderFault(new_settings) as new:
        assert told(new) == before
        new.fed = 1500
        new.start("two")
        new.wait_quiet()
        assert told(new) == before, "nobody is told anything again"
        new.feed(records[1500:])
        new.wait_quiet()
        new.stop_all()
        assert new.verify().notices > 100
        after = told(new)
        assert after > before, "and what is new is told"
        with pytest.raises(RequestError) as in_use:
            begin(old, new_settings)
        assert in_use.value.code == "bus_in_use"


def test_who_processes_the_copy_before_the_seal_tells_nobody(old: BusUnderFault, new_settings: Settings) -> None:
    old.start("one")
    old.feed_raw("gd.tax", b"org:x", b"no record")
    old.feed(province(seed=12, count=300))
    feed_astray(old)
    old.wait_quiet()
    old.stop_all()
    assert old.verify().rejected == 2
    copy = begin(old, new_settings)
    assert copy.copier.copy().left_behind == {old.topics.into("gd.tax"): 1}
    before = told(old)
    with BusUnderFault(new_settings) as new:
        new.start("early")
        new.fed = 301
        new.wait_taken_in()
        new.stop_all()
        assert told(new) == before
        copy.sealer.seal()
        new.start("in time")
        new.wait_quiet()
        new.stop_all()
        assert told(new) == before
        assert new.verify().rejected == 1, "what was no record; the rejection of the other came without it"
