"""The bus's topics read, and written, by clients that share nothing with it: kcat, Kafka's console tools, Kafka Connect.

Schemas come from a registry server (Apicurio); values are read by Apache Avro's own libraries, in Python and in Java.
"""

import json
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.local.ports import choose
from exchange.codec import PREFIX_BYTES, Codec, open_codec
from exchange.json_form import to_json
from exchange.kafka import LOSSLESS, open_admin
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.registry import load_contracts
from exchange.schema_server import SchemaServer
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import BusFactory, clear_bus
from tests.kafka_tools import run_tool, running_tool
from tests.registry_server import INTERFACE, running_registry

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the library's own, of its imports
    from avro.io import BinaryDecoder, DatumReader
    from avro.schema import parse as parse_avro

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

DEPARTMENT, PUBLISHER = "gd.fin", "gd.tax"
DESERIALIZER = "io.apicurio.registry.serde.avro.AvroKafkaDeserializer"
CONVERTER = "io.apicurio.registry.utils.converter.AvroConverter"
WITHIN_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A bus with notices on one topic, some of them in a transaction that was aborted, and its registry.

    Attributes:
        settings: of the bus.
        registry: address of the interface that is Confluent's.
        codec: writes the registry's ids.
        topic: the notices of one department.
        notices: (key, notice) of those that were committed, in the order of writing.
    """

    settings: Settings
    registry: str
    codec: Codec
    topic: str
    notices: list[tuple[str, dict[str, Any]]]

    @property
    def apicurio(self) -> dict[str, str]:
        """Settings of Apicurio's own deserializer and converter, which find the schema of a message by its id."""
        return {
            "apicurio.registry.url": self.registry.replace(INTERFACE, "/apis/registry/v2"),
            "apicurio.registry.as-confluent": "true",
            "apicurio.registry.use-id": "contentId",
        }


@pytest.fixture(scope="module")
def filled(new_bus: BusFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    settings = new_bus()
    log = tmp_path_factory.mktemp("registry") / "log"
    with running_registry(settings.cache, log, settings.maven_url) as registry:
        list(SchemaServer(registry).push(load_contracts(SCHEMAS)))
        codec = open_codec(settings.model_copy(update={"registry_url": registry}), SCHEMAS)
        apply_topics(open_admin(settings.kafka), [DEPARTMENT, PUBLISHER], settings)
        topic = Topics(settings.topic_prefix).out_of(DEPARTMENT)
        examples = [
            codec.decode(bytes.fromhex(path.read_text("ascii")))[1]
            for path in sorted(SCHEMAS.glob("examples/notice/*.hex"))
        ]
        notices = [
            (one["subject"], one | {"department": DEPARTMENT, "n": number})
            for number, one in enumerate(examples * 3, start=1)
        ]
        _publish(settings, topic, [(key, codec.encode("notice", one)) for key, one in notices])
        yield Filled(settings=settings, registry=registry, codec=codec, topic=topic, notices=notices)
    clear_bus(settings)


def _publish(settings: Settings, topic: str, messages: list[tuple[str, bytes]]) -> None:
    """As the processor does: in transactions, one of which is aborted."""
    producer = Producer(LOSSLESS | settings.kafka.config() | {"transactional.id": f"{settings.topic_prefix}.test"})
    producer.init_transactions(30)
    for committed in (False, True):
        producer.begin_transaction()
        for key, value in messages:
            producer.produce(topic, value, key)
        producer.flush(30)
        if committed:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)


def kcat(*arguments: str, given: bytes = b"") -> bytes:
    found = shutil.which("kcat")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("kcat is not there, and CI must not pass without it")
        pytest.skip("kcat is not there: apt-get install kcat")
    done = subprocess.run([found, *arguments], input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_kcat_and_apaches_python_library_read_the_notices(filled: Filled) -> None:
    framed = BytesIO(
        kcat(
            "-b", str(filled.settings.kafka), "-C", "-t", filled.topic, "-o", "beginning", "-e", "-q",
            "-X", "isolation.level=read_committed", "-f", "%p %K %S\n%k%s",
        )
    )  # fmt: skip
    read = []
    while line := framed.readline():
        partition, key_bytes, value_bytes = map(int, line.split())
        key, value = framed.read(key_bytes).decode(), framed.read(value_bytes)
        assert partition == partition_of(key, filled.settings.partitions)
        assert value[0] == 0
        found = httpx2.get(f"{filled.registry}/schemas/ids/{int.from_bytes(value[1:PREFIX_BYTES], 'big')}")
        reader = DatumReader(parse_avro(found.json()["schema"]))
        read.append((key, to_json(reader.read(BinaryDecoder(BytesIO(value[PREFIX_BYTES:]))))))
    assert sorted(read, key=_place) == sorted(((key, to_json(one)) for key, one in filled.notices), key=_place)


def _place(message: tuple[str, dict[str, Any]]) -> tuple[str, int]:
    return message[0], message[1]["n"]


def test_a_record_published_by_kcat_is_a_record_of_the_bus(filled: Filled, tmp_path: Path) -> None:
    raw = bytes.fromhex((SCHEMAS / "examples/penalty/fine.hex").read_text("ascii"))
    _, record = filled.codec.decode(raw)
    topic, key = Topics(filled.settings.topic_prefix).into(PUBLISHER), record["subject"]
    message = tmp_path / "penalty.avro"
    message.write_bytes(filled.codec.encode("penalty", record))
    kcat(
        "-b", str(filled.settings.kafka), "-P", "-t", topic, "-k", key, "-X", "topic.partitioner=murmur2_random",
        "-X", "enable.idempotence=true", str(message),
    )  # fmt: skip
    place = TopicPartition(topic, partition_of(key, filled.settings.partitions), 0)
    reader = Consumer({**filled.settings.kafka.config(), "group.id": "unused", "enable.auto.commit": False})
    try:
        reader.assign([place])
        (found,) = reader.consume(1, 30)
    finally:
        reader.close()
    assert (found.key() or b"").decode() == key
    assert filled.codec.decode(found.value() or b"") == ("penalty", record)


def test_the_console_consumer_reads_the_notices_by_apicurios_deserializer(filled: Filled) -> None:
    given = [f"--formatter-property=value.deserializer.{name}={value}" for name, value in filled.apicurio.items()]
    printed = run_tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", str(filled.settings.kafka),
        "--topic", filled.topic, "--from-beginning", "--isolation-level", "read_committed",
        "--max-messages", str(len(filled.notices)), "--timeout-ms", "30000",
        "--formatter-property=print.key=true", "--value-deserializer", DESERIALIZER, *given,
    )  # fmt: skip
    read = [(key, json.loads(value)) for key, value in (line.split("\t", 1) for line in printed.splitlines())]
    expected = [(key, bare(one)) for key, one in filled.notices]
    assert sorted(read, key=_place) == sorted(expected, key=_place)


def bare(value: Any) -> Any:
    """A value without its logical types, as Java's Avro prints it: days since and milliseconds since 1970, UTC."""
    match value:
        case dict():
            return {name: bare(one) for name, one in value.items()}
        case list():
            return [bare(one) for one in value]
        case datetime():
            return round((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        case date():
            return (value - date(1970, 1, 1)).days
    return value


def test_kafkas_own_tool_shows_the_topics_as_the_bus_wants_them(filled: Filled) -> None:
    printed = run_tool(
        "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", str(filled.settings.kafka), "--describe",
        "--topic", filled.topic,
    )  # fmt: skip
    header = printed.splitlines()[0]
    assert f"PartitionCount: {filled.settings.partitions}" in header
    wanted = Topics(filled.settings.topic_prefix).configs([DEPARTMENT], replication=1)[filled.topic]
    assert all(f"{name}={value}" in header for name, value in wanted.items())


def test_kafka_connect_writes_the_notices_to_a_file(filled: Filled, tmp_path: Path) -> None:
    written = tmp_path / "notices.txt"
    port = choose("connect", "", given=0, remembered=None)
    worker = {
        "bootstrap.servers": str(filled.settings.kafka), "listeners": f"http://127.0.0.1:{port}",
        "offset.storage.file.filename": str(tmp_path / "offsets"), "offset.flush.interval.ms": "1000",
        "plugin.discovery": "service_load", "consumer.isolation.level": "read_committed",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": CONVERTER,
        **{f"value.converter.{name}": value for name, value in filled.apicurio.items()},
    }  # fmt: skip
    sink = {
        "name": "notices", "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "topics": filled.topic, "file": str(written), "consumer.override.auto.offset.reset": "earliest",
    }  # fmt: skip
    properties = [tmp_path / "worker.properties", tmp_path / "sink.properties"]
    for path, given in zip(properties, (worker, sink), strict=True):
        path.write_text("".join(f"{name}={value}\n" for name, value in given.items()), "ascii")
    log = tmp_path / "connect.log"
    give_up_at = time.monotonic() + WITHIN_SECONDS
    with running_tool(log, "org.apache.kafka.connect.cli.ConnectStandalone", *map(str, properties)) as connect:
        while not written.exists() or len(written.read_text("utf-8").splitlines()) < len(filled.notices):
            assert connect.poll() is None, log.read_text("utf-8")[-4000:]
            assert time.monotonic() < give_up_at, log.read_text("utf-8")[-4000:]
            time.sleep(0.2)
    assert sorted(written.read_text("utf-8").splitlines()) == sorted(struct(one) for _, one in filled.notices)


def struct(value: Any) -> str:
    """A value as Connect prints it: a record's fields that are there, days and times as Java's dates."""
    match value:
        case dict():
            fields = ",".join(f"{name}={struct(one)}" for name, one in value.items() if one is not None)
            return f"Struct{{{fields}}}"
        case list():
            return f"[{', '.join(map(struct, value))}]"
        case datetime():
            return f"{value.astimezone(UTC):%a %b %d %H:%M:%S UTC %Y}"
        case date():
            return f"{value:%a %b %d 00:00:00 UTC %Y}"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
    return str(value)
