"""The access log is neither lost when its drainer is killed, nor when Kafka is away; what comes twice is the same entry."""

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from consumers.inbox_http.reader import open_consumer
from consumers.portal.access.drainer import Drainer, open_producer
from consumers.portal.access.reads import reads
from consumers.standing.reading import read_since
from deploy.cli.portal import portal_metrics
from exchange.access_log import STREAM, Asked, append_command
from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.domain.access import Act, Role, Visitor
from exchange.errors import RetryLaterError
from exchange.kafka import open_admin
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import environment_of
from tests.waiting import wait_until

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.servers
CODEC = Codec.from_files(SCHEMAS)
OFFICER = Visitor(role=Role.OFFICER, department="gd.fin", account="li")


@pytest.fixture
def settings(bus_settings: Settings) -> Settings:
    apply_topics(open_admin(bus_settings.kafka), [], bus_settings)
    return bus_settings


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    found = connect(settings.redis)
    yield found
    found.close()


def write(client: "redis.Redis", count: int) -> None:
    for number in range(count):
        asked = Asked(visitor=OFFICER, act=Act.PICTURE, subject=f"org:{number}", request_id=str(number))
        client.execute_command(*append_command(CODEC, asked, 1_779_242_400_000 + number))  # type: ignore[no-untyped-call] # redis leaves it untyped


def messages(settings: Settings) -> list[dict[str, object]]:
    reader = open_consumer(settings.kafka)
    try:
        found = read_since(reader, Topics(settings.topic_prefix).access, 0, settings.partitions)
        return [CODEC.decode(message.value() or b"")[1] for message in found]
    finally:
        reader.close()


def drainer(settings: Settings, client: "redis.Redis") -> Drainer:
    return Drainer(client, open_producer(settings.kafka), CODEC, Topics(settings.topic_prefix).access)


@pytest.mark.parametrize("step", ["publish", "trim"])
def test_killed_at_a_step_nothing_is_lost_and_repeats_are_known(
    step: str, settings: Settings, client: "redis.Redis"
) -> None:
    write(client, 50)
    command = [sys.executable, "-m", "tests.faults.access_log_main", step, "1"]
    died = subprocess.run(command, env=environment_of(settings), capture_output=True, timeout=60, check=False)
    assert died.returncode == -9, died.stderr
    assert client.xlen(STREAM) == 50, "nothing leaves Redis before Kafka has it and the step has begun"
    write(client, 1)
    successor = drainer(settings, client)
    wait_until(lambda: bool(successor.drain()), "the lease of the dead one ends")
    assert successor.waiting() == 0
    found = messages(settings)
    assert len(found) == 51 + (50 if step == "trim" else 0)
    assert len({one["id"] for one in found}) == 51
    reader = open_consumer(settings.kafka)
    seen = reads(reader, client, CODEC, settings)
    assert [one["request_id"] for one in seen if one["subject"] != "org:0"] == [str(number) for number in range(1, 50)]
    assert [one["subject"] for one in reads(reader, client, CODEC, settings, subject="org:7")] == ["org:7"]
    assert reads(reader, client, CODEC, settings, account="wang") == []
    assert len(reads(reader, client, CODEC, settings, since_ms=1_779_242_400_000 + 40)) == 10
    reader.close()


def test_of_two_drainers_one_works(settings: Settings, client: "redis.Redis") -> None:
    write(client, 3)
    first, second = drainer(settings, client), drainer(settings, client)
    assert first.drain() == 3
    write(client, 2)
    assert second.drain() == 0
    assert first.drain() == 2
    assert len(messages(settings)) == 5


def test_without_kafka_entries_wait_in_redis_and_are_listed(settings: Settings, client: "redis.Redis") -> None:
    write(client, 2)
    away = Drainer(client, open_producer(Brokers("127.0.0.1:1")), CODEC, Topics(settings.topic_prefix).access)
    with pytest.raises(RetryLaterError, match="access log is not published"):
        away.drain()
    assert away.waiting() == 2
    reader = open_consumer(settings.kafka)
    assert len(reads(reader, client, CODEC, settings)) == 2
    reader.close()


def test_what_waits_is_shown_at_each_scrape_and_minus_one_while_redis_is_away(
    settings: Settings, client: "redis.Redis"
) -> None:
    def shown(url: str) -> float | None:
        return portal_metrics(url).registry.get_sample_value("creditbus_access_log_waiting_entries")

    assert shown(settings.redis) == 0
    write(client, 3)
    assert shown(settings.redis) == 3
    wait_until(lambda: bool(drainer(settings, client).drain()), "it is drained")
    assert shown(settings.redis) == 0
    assert shown("redis://127.0.0.1:1/0") == -1
