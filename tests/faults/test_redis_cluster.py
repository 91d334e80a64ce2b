"""The bus on a Redis Cluster: a partition lives in one slot, wherever the slot is, while it moves, and when its master dies."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.crc import key_slot

from tests.cluster import Cluster, running_cluster
from tests.conftest import BusFactory
from tests.faults.bus import BusUnderFault
from tests.faults.records import province

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path) as made:
        yield made


@pytest.fixture
def bus(cluster: Cluster, new_bus: BusFactory) -> Iterator[BusUnderFault]:
    with BusUnderFault(new_bus().model_copy(update={"redis": cluster.url})) as made:
        yield made


def test_a_partition_is_in_one_slot_and_the_partitions_are_on_several_masters(
    bus: BusUnderFault, cluster: Cluster
) -> None:
    bus.start("one")
    bus.feed(province(seed=5, count=1500))
    bus.wait_quiet()
    bus.stop_all()
    assert bus.verify().notices > 50
    places: dict[str, set[tuple[int, int]]] = {}
    for master, key in cluster.stored():
        found = re.match(r"w?\{(\d+)\}:", key)
        assert found, f"{key} is of no partition"
        places.setdefault(found[1], set()).add((master, key_slot(key.encode())))
    assert sorted(places) == [str(number) for number in range(bus.settings.partitions)]
    assert all(len(found) == 1 for found in places.values())
    assert len({master for found in places.values() for master, _ in found}) > 1


def test_slots_move_and_a_master_dies_under_load(bus: BusUnderFault, cluster: Cluster) -> None:
    records = province(seed=6, count=3000)
    bus.start("one")
    bus.feed(records[:600])
    feeding = threading.Thread(target=bus.feed, args=(records[600:2400],))
    feeding.start()
    for number in range(bus.settings.partitions):
        slot, source = cluster.owner(f"{{{number}}}")
        target = cluster.masters[(cluster.masters.index(source) + 1) % 3]
        cluster.move(slot, source, target)
    cluster.masters[0].kill()
    cluster.masters[0].start()
    cluster.wait_ok()
    feeding.join()
    bus.feed(records[2400:])
    bus.wait_quiet()
    bus.stop_all()
    assert bus.verify().notices > 100
    assert {key_slot(key.encode()) for _, key in cluster.stored()} == {
        key_slot(f"{{{number}}}".encode()) for number in range(bus.settings.partitions)
    }
