"""Two regions, each with a Kafka and a bus of its own, bridged by MirrorMaker 2 in both directions (docs/regions.md)."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from consumers.inbox import Notice, open_inbox
from exchange.bridge import Bridge
from exchange.bridge_topics import apply_bridge
from exchange.brokers import Brokers
from exchange.domain.response import ResponseRules, State, obligations
from exchange.domain.synthetic import synthetic_uscc
from exchange.errors import FatalError, RequestError
from exchange.kafka import LOSSLESS, open_admin
from exchange.settings import Settings
from exchange.topics import RECORD_BYTES, make_topics
from exchange.working_days import load_working_days
from producers.publisher import Publisher
from tests.bridging import bridged, contents, ends_of, read_whole, second_kafka
from tests.conftest import BusFactory, RunningStack
from tests.e2e.bus import LiveBus, live_bus
from tests.mirror_maker import MirrorMaker
from tests.waiting import wait_until
from tests.worlds import FIRM

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]

DAY = "2026-03-02"
AWAY = {"east": "gd.fin", "west": "gd.pbc"}
"""Of each region's bus, the department that sits in the other region."""
RULES = ResponseRules(deadline=load_working_days().deadlines())
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, kw_only=True)
class Region:
    """One region's bus, and what it is with its neighbour.

    Attributes:
        bus: with its processor.
        other: the neighbour's Kafka, where its away department sits.
        slug: that department.
        mirror: its bridge.
        folder: of that department's files.
    """

    bus: LiveBus
    other: Brokers
    slug: str
    mirror: MirrorMaker
    folder: Path

    @property
    def notices_topic(self) -> str:
        return self.bus.topics.out_of(self.slug)

    @property
    def there(self) -> Settings:
        """The settings of the department, which knows the neighbour's Kafka only."""
        return self.bus.settings.model_copy(update={"kafka": self.other})

    def receive(self, count: int) -> list[Notice]:
        """As many notices as the department, in the neighbour's region, is to get, and what comes in the second after."""
        found: list[Notice] = []
        book = self.folder / f"{self.slug}.sqlite"
        with open_inbox(self.other, self.notices_topic, self.bus.codec, group=self.slug, book=book) as inbox:
            until = time.monotonic() + 120
            while len(found) < count and time.monotonic() < until:
                notice = inbox.receive(1.0)
                found += [notice] if notice else []
            assert len(found) == count
            late = inbox.receive(1.0)
            assert late is None
        return found

    def copied(self) -> bool:
        """Whether the neighbour has what this bus told its department."""
        here, there = (
            contents(read_whole(kafka, self.notices_topic)) for kafka in (self.bus.settings.kafka, self.other)
        )
        return here == there

    def arrived(self) -> int:
        return len(read_whole(self.bus.settings.kafka, self.bus.topics.into(self.slug)))


@pytest.fixture(scope="module")
def regions(
    stack: RunningStack, new_bus: BusFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Region]]:
    folder = tmp_path_factory.mktemp("regions")
    with ExitStack() as life:
        kafka = {"east": stack.servers().kafka}
        kafka["west"] = life.enter_context(second_kafka(folder / "west", stack.servers().redis))
        made = {}
        for name, other in (("east", "west"), ("west", "east")):
            settings = new_bus().model_copy(update={"kafka": kafka[name], "partitions": 2})
            bus = life.enter_context(live_bus(settings, folder, DAY))
            mirror = life.enter_context(bridged(bus.settings, kafka[other], [AWAY[name]], other, folder))
            made[name] = Region(bus=bus, other=kafka[other], slug=AWAY[name], mirror=mirror, folder=folder)
        yield made


@pytest.mark.parametrize("name", ["east", "west"])
def test_a_notice_crosses_and_its_feedback_comes_back(regions: dict[str, Region], name: str) -> None:
    region = regions[name]
    bus = region.bus
    bus.listing("gd.hrss", "WAGE", FIRM, "粤人社监〔2026〕1号", grounds="1")
    (notice,) = region.receive(1)
    measure = notice["measures"][0]["measure"]
    assert (notice["subject"], notice["department"]) == (FIRM, region.slug)

    def state() -> State:
        _, standing, _, judgement = bus.picture(FIRM)
        (one,) = [
            o for o in obligations(standing, judgement, RULES) if (o.department, o.measure) == (region.slug, measure)
        ]
        return one.state

    assert state() == State.NOTIFIED
    with Publisher(region.there, region.slug, bus.codec, bus.catalogue) as publisher:
        feedback = bus.record(
            FIRM, "反馈〔2026〕1号", notice_id=notice["id"], epoch=notice["epoch"], n=notice["n"], measure=measure,
            state="EXECUTED", detail="已执行", executed_on=DAY,
        )  # fmt: skip
        delivery = publisher.publish(feedback, "measure_feedback").result(30)
    wait_until(lambda: state() == State.EXECUTED, "the feedback does not arrive")
    copies = read_whole(bus.settings.kafka, bus.topics.into(region.slug))
    assert [one.partition() for one in copies if one.key() == FIRM.encode()] == [delivery.partition]


def test_what_is_rejected_comes_back_with_headers_and_partition_and_nothing_aborted_crosses(
    regions: dict[str, Region],
) -> None:
    region = regions["east"]
    bus, topic = region.bus, region.bus.topics.into(region.slug)
    before, told = region.arrived(), len(read_whole(bus.settings.kafka, region.notices_topic))
    raw = random.Random(1).randbytes(RECORD_BYTES - 1024)  # its rejection is larger than a producer sends by default
    wide = {"message.max.bytes": 2 * RECORD_BYTES}
    producer = Producer(LOSSLESS | region.other.config() | wide | {"transactional.id": f"{topic}.test"})
    producer.init_transactions(30)
    for ending in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        producer.produce(topic, raw, b"nobody", partition=1, headers=[("traceparent", TRACE.encode())])
        producer.flush(30)
        ending(30)
    own = Producer(LOSSLESS | bus.settings.kafka.config() | {"transactional.id": f"{topic}.own"})
    own.init_transactions(30)
    own.begin_transaction()
    own.produce(region.notices_topic, b"never told", FIRM.encode())
    own.flush(30)
    own.abort_transaction(30)

    rejected = bus.topics.rejected_of(region.slug)
    wait_until(lambda: len(read_whole(region.other, rejected)) == 1, "the rejection does not cross")
    (message,) = read_whole(region.other, rejected)
    _, rejection = bus.codec.decode(message.value() or b"")
    assert rejection["raw"] == raw
    (copy,) = [one for one in read_whole(bus.settings.kafka, topic) if one.key() == b"nobody"]
    assert region.arrived() == before + 1, "what was aborted is not copied"
    assert (copy.partition(), copy.headers()) == (1, [("traceparent", TRACE.encode())])
    assert contents(read_whole(region.other, region.notices_topic)) == contents(
        read_whole(bus.settings.kafka, region.notices_topic)
    )
    assert len(read_whole(region.other, region.notices_topic)) == told


def test_a_bridge_that_is_killed_in_the_stream_loses_nothing_and_doubles_nothing(regions: dict[str, Region]) -> None:
    region = regions["east"]
    bus = region.bus
    firms = [f"org:{synthetic_uscc(number)}" for number in range(100, 400)]
    told = len(read_whole(region.other, region.notices_topic))

    def list_them(some: list[str]) -> None:
        bus.feed(
            ("gd.hrss", "listing", bus.record(one, f"粤人社监〔2026〕{one[-6:]}号", department="gd.hrss", list_code="WAGE", grounds="1"))
            for one in some
        )  # fmt: skip

    list_them(firms[:150])
    wait_until(lambda: len(read_whole(region.other, region.notices_topic)) > told, "nothing crosses")
    region.mirror.kill()
    list_them(firms[150:])
    region.mirror.start()
    wait_until(lambda: len(read_whole(region.other, region.notices_topic)) >= told + len(firms), "not all is copied")
    wait_until(region.copied, "the copy is not the same, or has something twice")

    notices = region.receive(len(firms))
    assert sorted(one["subject"] for one in notices) == sorted(firms), "each once"
    in_force = {one["subject"]: {measure["measure"] for measure in one["measures"]} for one in notices}
    for firm in (firms[0], firms[149], firms[150], firms[-1]):
        _, _, _, judgement = bus.picture(firm)
        assert in_force[firm] == set(judgement.measures[region.slug])


def test_nothing_is_copied_back(regions: dict[str, Region]) -> None:
    for region in regions.values():
        wait_until(region.copied, "not all is copied")
    clusters = [region.bus.settings.kafka for region in regions.values()]
    prefixes = [region.bus.settings.topic_prefix for region in regions.values()]

    def ends() -> list[Any]:
        return [ends_of(kafka, prefix) for kafka in clusters for prefix in prefixes]

    before = ends()
    time.sleep(1)
    assert ends() == before, "all stands still"
    for kafka in clusters:
        topics = open_admin(kafka).list_topics(timeout=30).topics
        assert not [name for name in topics if name.endswith(".heartbeats")], "the one topic that MirrorMaker renames"
    for region in regions.values():
        names = region.bus.topics
        there = {name for name, _ in ends_of(region.other, region.bus.settings.topic_prefix)}
        assert there == {of(region.slug) for of in (names.into, names.out_of, names.rejected_of)}


def test_what_would_make_two_buses_one_is_refused(regions: dict[str, Region]) -> None:
    region = regions["east"]
    settings, away = region.bus.settings, region.other
    bridge = Bridge(prefix=settings.topic_prefix, name="west", away=(region.slug,))
    done = apply_bridge(bridge, settings.kafka, away, settings)
    assert [done.home.created, done.home.changed, done.away.created, done.away.changed] == [(), {}, (), {}], "once more"

    with pytest.raises(RequestError, match="one cluster"):
        apply_bridge(bridge, settings.kafka, settings.kafka, settings)

    other = regions["west"].bus.settings
    same = Bridge(prefix=other.topic_prefix, name="east", away=(region.slug,))
    with pytest.raises(RequestError, match="has a bus of the prefix"):
        apply_bridge(same, settings.kafka, away, other)

    region.bus.feed_raw("gd.tax", b"nobody", b"no record")
    region.bus.settle()
    moved = Bridge(prefix=settings.topic_prefix, name="west", away=("gd.tax",))
    with pytest.raises(RequestError, match=r"gd\.tax in its own cluster is to be a copy"):
        apply_bridge(moved, settings.kafka, away, settings)

    unequal = Bridge(prefix=settings.topic_prefix, name="west", away=("gd.amr",))
    three = settings.model_copy(update={"partitions": 3})
    name = region.bus.topics.out_of("gd.amr")
    make_topics(open_admin(away), {name: {}}, three)
    with pytest.raises(FatalError, match="must all have 2 partitions"):
        apply_bridge(unequal, settings.kafka, away, settings)
    admin = open_admin(away)
    for deleted in admin.delete_topics([name], operation_timeout=30).values():
        deleted.result()
    wait_until(lambda: name not in admin.list_topics(timeout=30).topics, f"{name} stays")
