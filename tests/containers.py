"""The servers in containers of the official images, for `CREDITBUS_TEST_STACK=containers`; the same suites run on both."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testcontainers.core.container import DockerContainer

from deploy.local.jars import KAFKA_VERSION
from deploy.local.kafka import SETTINGS
from deploy.local.ports import HOST, choose
from deploy.local.probe import kafka_is_whole, redis_answers
from deploy.local.servers import Servers
from deploy.local.valkey import DATABASES, installed_version
from exchange.brokers import Brokers

START_WITHIN_SECONDS = 120
CLUSTER_ID = "Y3JlZGl0YnVzLXRlc3RzIQ"


class ContainerServer:
    """A server in a container, killed and started as the embedded one is."""

    def __init__(self, container: DockerContainer, answers: Callable[[], bool]) -> None:
        self._container = container
        self._answers = answers

    def kill(self) -> None:
        self._docker().kill()
        self._docker().wait()

    def stop(self) -> None:
        self._docker().stop()

    def start(self) -> None:
        self._docker().start()
        self.wait_ready()

    def is_running(self) -> bool:
        docker = self._docker()
        docker.reload()
        return str(docker.status) == "running"

    def wait_ready(self) -> None:
        give_up_at = time.monotonic() + START_WITHIN_SECONDS
        while not self._answers():
            if time.monotonic() > give_up_at:
                raise TimeoutError(self._docker().logs(tail=20).decode())
            time.sleep(0.1)

    def _docker(self) -> Any:
        return self._container.get_wrapped_container()


class ContainerValkey(ContainerServer):
    """Valkey with its data in a folder of this machine."""

    def __init__(self, container: DockerContainer, answers: Callable[[], bool], aof: Path) -> None:
        super().__init__(container, answers)
        self.aof = aof


class Containers:
    """Both servers."""

    def __init__(self, kafka: ContainerServer, valkey: ContainerValkey, servers: Servers) -> None:
        self.kafka = kafka
        self.valkey = valkey
        self._servers = servers

    def servers(self) -> Servers:
        return self._servers


@contextmanager
def running_containers(home: Path) -> Iterator[Containers]:
    """Start both images on free ports of this machine; remove the containers afterwards."""
    kafka_port = choose("kafka", "", given=0, remembered=None)
    redis_port = choose("redis", "", given=0, remembered=None, avoid=frozenset([kafka_port]))
    servers = Servers(kafka=Brokers(f"{HOST}:{kafka_port}"), redis=f"redis://{HOST}:{redis_port}/0")
    data = home / "valkey"
    data.mkdir(parents=True)
    with _kafka(kafka_port) as broker, _valkey(redis_port, data) as store:
        kafka = ContainerServer(broker, lambda: kafka_is_whole(servers.kafka))
        valkey = ContainerValkey(store, lambda: redis_answers(servers.redis), data / "appendonlydir")
        kafka.wait_ready()
        valkey.wait_ready()
        yield Containers(kafka, valkey, servers)


def _kafka(port: int) -> DockerContainer:
    container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_bind_ports(port, port)
    settings = SETTINGS | {
        "listeners": f"BROKER://:{port},CONTROLLER://:1{port % 10000:04d}",
        "advertised.listeners": f"BROKER://{HOST}:{port}",
        "controller.quorum.voters": f"1@localhost:1{port % 10000:04d}",
    }
    for key, value in settings.items():
        container.with_env(f"KAFKA_{key.upper().replace('.', '_')}", value)
    return container.with_env("CLUSTER_ID", CLUSTER_ID)


def _valkey(port: int, data: Path) -> DockerContainer:
    line = ".".join(installed_version().split(".")[:2])
    container = DockerContainer(f"valkey/valkey:{line}").with_bind_ports(6379, port)
    container.with_volume_mapping(str(data), "/data", "rw")
    return container.with_command(
        f"valkey-server --appendonly yes --appendfsync everysec --save '' --databases {DATABASES}"
    )
