"""Killing and starting the servers one by one: what fault tests build on."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import OffsetSpec

from deploy.local.folder import Folder
from deploy.local.ports import HOST, choose, is_free
from deploy.local.probe import ONCE, redis_answers
from deploy.local.valkey import command
from exchange.kafka import open_admin
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import RunningStack
from tests.waiting import wait_until

pytestmark = pytest.mark.servers


def count_records(settings: Settings, topic: str) -> int:
    partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
    newest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call] # confluent-kafka leaves it untyped
    admin = open_admin(settings.kafka)  # kept: without its client no answer comes
    answers = admin.list_offsets(dict.fromkeys(partitions, newest), request_timeout=30)
    return sum(answer.result().offset for answer in answers.values())


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_kafka_comes_back_with_what_it_confirmed(stack: RunningStack, bus_settings: Settings, how: str) -> None:
    topic = Topics(bus_settings.topic_prefix).into("gd.tax")
    apply_topics(open_admin(bus_settings.kafka), ["gd.tax"], bus_settings)
    producer = Producer({**bus_settings.kafka.config(), "acks": "all", "log_level": 2})
    for number in range(1000):
        producer.produce(topic, key=str(number), value=b"record")
    assert producer.flush(30) == 0

    stack.kafka.kill() if how == "kill" else stack.kafka.stop()
    assert not stack.kafka.is_running()
    stack.kafka.start()

    assert stack.servers().kafka == bus_settings.kafka, "on its old port"
    assert count_records(bus_settings, topic) == 1000


def wait_written(client: "redis.Redis") -> None:
    """Until the append-only file on the disk has everything: with `everysec` a kill may lose the last two seconds."""
    written, _ = client.execute_command("WAITAOF", 1, 0, 10_000)  # type: ignore[no-untyped-call] # redis leaves it untyped
    assert written == 1


def test_valkey_comes_back_with_everything_or_with_an_older_copy(
    stack: RunningStack, bus_settings: Settings, tmp_path: Path
) -> None:
    with redis.Redis.from_url(bus_settings.redis) as client:
        client.set("old", "1")
        stack.valkey.stop()  # a running server may be rewriting its file
        shutil.copytree(stack.valkey.aof, tmp_path / "copy")
        stack.valkey.start()
        client.set("new", "2")
        wait_written(client)

        stack.valkey.kill()
        stack.valkey.start()
        assert (client.get("old"), client.get("new")) == (b"1", b"2")

        stack.valkey.kill()
        shutil.rmtree(stack.valkey.aof)
        shutil.copytree(tmp_path / "copy", stack.valkey.aof)
        stack.valkey.start()
        assert (client.get("old"), client.get("new")) == (b"1", None)


def test_a_valkey_that_still_loads_its_data_is_not_ready(tmp_path: Path) -> None:
    folder = Folder(root=tmp_path)
    folder.create()
    port = choose("valkey", "", given=0, remembered=None)
    url = f"redis://{HOST}:{port}"

    slow = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"]  # microseconds a key

    @contextmanager
    def slow_valkey() -> Iterator[None]:
        with subprocess.Popen(command(folder, port=port) + slow) as server:
            try:
                wait_until(lambda: not is_free(port))
                yield
            finally:
                server.kill()

    def persistence() -> dict[str, int]:
        with redis.Redis.from_url(url, retry=ONCE) as client:
            return dict(client.info("persistence"))

    with slow_valkey(), redis.Redis.from_url(url) as client:
        wait_until(lambda: redis_answers(url))
        client.mset({f"k{number}": os.urandom(1024) for number in range(1000)})
        client.bgrewriteaof()
        wait_until(lambda: not persistence()["aof_rewrite_in_progress"])
    with slow_valkey():
        assert persistence()["loading"]
        assert not redis_answers(url)
        wait_until(lambda: redis_answers(url))
        assert not persistence()["loading"]


def test_databases_are_many_enough_for_tests_to_have_their_own(bus_settings: Settings) -> None:
    with redis.Redis.from_url(bus_settings.redis.rpartition("/")[0] + "/511") as client:
        assert client.ping()


def test_large_rejections_fit(bus_settings: Settings) -> None:
    apply_topics(open_admin(bus_settings.kafka), ["gd.tax"], bus_settings)
    topic = Topics(bus_settings.topic_prefix).rejected_of("gd.tax")
    producer = Producer({**bus_settings.kafka.config(), "message.max.bytes": 4_000_000, "log_level": 2})
    failures: list[object] = []
    producer.produce(topic, value=b"x" * (2**20 + 200_000), on_delivery=lambda error, _: failures.append(error))
    producer.flush(30)
    assert failures == [None]
