"""What a dispatcher stands on moves under it: Redis comes back older, an owed notice is compacted away."""

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from consumers.dispatcher.lane import decode_pointer
from consumers.dispatcher.payloads import Rereader
from consumers.dispatcher.queue import Pointer
from consumers.dispatcher.run import open_delivery_store
from exchange.kafka import open_admin
from tests.conftest import RunningStack
from tests.faults.dispatchers import check, put_all, written_down
from tests.faults.older_redis import come_back_from, keep_copy
from tests.receiving import DEPARTMENTS, Pushed, subject
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
FIN = "gd.fin"


def owed(pushed: Pushed, department: str) -> list[Pointer]:
    """What Redis says waits for a department."""
    store = open_delivery_store(pushed.settings, pushed.settings.redis)
    places = range(pushed.settings.partitions)
    return [decode_pointer(raw) for number in places for _, raw in store.pending(number, department)]


@pytest.mark.parametrize("runs_on", [True, False])
def test_redis_comes_back_from_an_older_copy(
    pushed: Pushed,
    stack: RunningStack,
    tmp_path: Path,
    runs_on: bool,  # of a test
) -> None:
    """Delivered notices are owed again and delivered ones forgotten; repeats have their old ids, and nothing goes backwards."""
    for department in DEPARTMENTS:
        pushed.add(department)
    pushed.start()
    put_all(pushed, 1)
    pushed.all_arrived()
    busy = pushed.desks.desks[FIN]
    busy.answer = lambda: (500, {})
    put_all(pushed, 2)
    pushed.wait(lambda: len(owed(pushed, FIN)) == 4 and busy.seen >= 8)
    keep_copy(stack, tmp_path / "aof")
    busy.answer = lambda: (204, {})
    pushed.move(4)  # an urgent notice is tried again after 3 s
    pushed.all_arrived()
    for n in range(3, 8):
        put_all(pushed, n)
    pushed.all_arrived()
    wait_until(lambda: written_down(pushed) == pushed.newest)
    if not runs_on:
        pushed.stop()
    come_back_from(stack, tmp_path / "aof")
    if not runs_on:
        pushed.start()
    for n in range(8, 12):
        put_all(pushed, n, range(6))  # of the others the newest are those that Redis has forgotten
    pushed.all_arrived()
    wait_until(lambda: written_down(pushed) == pushed.newest)
    check(pushed)
    for name, desk in pushed.desks.desks.items():
        for one in desk.taken:
            firm = one.event["subject"]
            assert one.headers["webhook-id"] == pushed.ids[(name, firm), one.sequence], "a repeat has its old id"
    times = Counter(one.headers["webhook-id"] for desk in pushed.desks.desks.values() for one in desk.taken)
    assert max(times.values()) == 2, "what Redis had forgotten is delivered again, once"


@pytest.mark.parametrize("runs_on", [True, False])
def test_an_owed_notice_that_is_compacted_away_makes_way_for_the_newest(pushed: Pushed, runs_on: bool) -> None:
    pushed.settings = pushed.settings.model_copy(update={"webhook_payload_bytes": 0})  # every notice is read again
    topic = pushed.topics.out_of(FIN)
    compact_at_once(pushed, topic)
    pushed.add(FIN)
    desk = pushed.desks.desks[FIN]
    desk.answer = lambda: (500, {})
    pushed.start()
    for number in range(12):
        pushed.put(FIN, number, 1)
    pushed.flush()
    pushed.wait(lambda: len(owed(pushed, FIN)) == 12 and desk.seen >= 12)
    first = {one.subject: one for one in owed(pushed, FIN)}
    if not runs_on:
        pushed.stop()
    gone = [first[subject(number)] for number in range(8)]  # the others are still there, and still owed
    for n in (2, 3):
        for number in range(8):
            pushed.put(FIN, number, n)
        pushed.flush()
    with closing(
        Consumer({**pushed.settings.kafka.config(), "group.id": "unused", "enable.partition.eof": True})
    ) as own:
        reader, filler = Rereader(own), iter(range(4, 1000))

        def is_compacted() -> bool:
            n = next(filler)  # only what lies behind the newest segment is compacted
            for number in range(8):
                pushed.put(FIN, number, n)
            pushed.flush()
            return not any(reader.read(topic, one.partition, [one.offset]) for one in gone)

        wait_until(is_compacted, "nothing was compacted")
    desk.answer = lambda: (204, {})
    if not runs_on:
        pushed.start()
    pushed.move(400)
    check(pushed)
    (last,) = [one for one in desk.taken if one.event["subject"] == subject(0)]
    assert last.event["data"]["superseded"]["notices"][0]["id"] == f"{FIN}-0-0-1", "its history is not lost with it"


def compact_at_once(pushed: Pushed, topic: str) -> None:
    """Without the thirty days that a notice stays for certain."""
    wanted = {"min.compaction.lag.ms": "0", "segment.ms": "500", "min.cleanable.dirty.ratio": "0.01"}
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    admin = open_admin(pushed.settings.kafka)
    for done in admin.incremental_alter_configs(
        [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)]
    ).values():
        done.result(30)
