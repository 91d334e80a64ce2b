"""What tests and the bench of a bridge share: a second Kafka as the neighbour's, the bridge of a bus, and its topics read whole."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from confluent_kafka import Consumer

from consumers.standing.consumed import Consumed
from consumers.standing.reading import read_places
from deploy.local.stack import Stack
from exchange.bridge import Bridge, Side
from exchange.bridge_topics import apply_bridge
from exchange.brokers import Brokers
from exchange.java_client import java_client, variable_text
from exchange.kafka import open_admin, reading
from exchange.kafka_places import watermarks
from exchange.settings import Settings
from tests.mirror_maker import QUICK_START, MirrorMaker, running_mirror_maker

COPIED_WITHIN_SECONDS = 120.0
"""On a machine that does much else."""


@contextmanager
def second_kafka(home: Path, redis: str, **settings: str) -> Iterator[Brokers]:
    """A Kafka of its own beside the one that there is, ended afterwards."""
    stack = Stack(Settings(home=home, redis=redis, **settings))  # type: ignore[arg-type] # texts are validated
    try:
        stack.up(attached=True)
        yield stack.servers().kafka
    finally:
        stack.down()


@contextmanager
def bridged(
    settings: Settings,
    away: Brokers,
    departments: Sequence[str],
    name: str,
    folder: Path,
    *,
    options: tuple[str, ...] = QUICK_START,
) -> Iterator[MirrorMaker]:
    """A bus's bridge to a neighbour: its topics, its properties, and MirrorMaker."""
    bridge = Bridge(prefix=settings.topic_prefix, name=name, away=tuple(departments))
    apply_bridge(bridge, settings.kafka, away, settings)
    sides = [
        Side(client=java_client(one, variable_text), replication=number)
        for one, number in ((settings.kafka, settings.replication), (away, settings.away_replication))
    ]
    properties = folder / f"{settings.topic_prefix}.properties"
    properties.write_text(bridge.properties(*sides, listener="http://127.0.0.1:0"), "ascii")
    with running_mirror_maker(properties, folder / f"{settings.topic_prefix}-mirror.log", options=options) as mirror:
        yield mirror


def read_whole(kafka: Brokers, topic: str) -> list[Consumed]:
    """Every committed message of a topic, partition by partition, to where it ends now."""
    with closing(Consumer(reading(kafka, "looking"))) as consumer:
        numbers = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        places = watermarks(consumer, [(topic, number) for number in numbers])
        found = list(read_places(consumer, places, silence=COPIED_WITHIN_SECONDS))
    return sorted(found, key=lambda one: (one.partition(), one.offset()))


def contents(messages: Sequence[Consumed]) -> list[tuple[int | None, bytes | None, bytes | None]]:
    """Partition, key and value of each; where in the partition it lies is each cluster's own."""
    return [(one.partition(), one.key(), one.value()) for one in messages]


def ends_of(kafka: Brokers, prefix: str) -> Mapping[tuple[str, int], int]:
    """Where every partition of a bus's topics ends in a cluster, the bridge's own topics left out."""
    found = open_admin(kafka).list_topics(timeout=30).topics
    names = [name for name in found if name.startswith(f"{prefix}.") and ".bridge." not in name]
    with closing(Consumer(reading(kafka, "looking"))) as consumer:
        places = [(name, number) for name in names for number in found[name].partitions]
        return {place: end for place, (_, end) in watermarks(consumer, places).items()}
