"""What tests of a secured bus share: the servers as in production, and every principal as its process or department would be."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from pydantic import SecretStr

from deploy.local.principals import provision, read_variables
from deploy.local.reach import CERTIFICATE_PORT
from deploy.local.secured import ADMINISTRATOR, Secured
from deploy.local.stack import Stack
from deploy.local.state import read_numbers
from exchange.brokers import Brokers
from exchange.catalogue import load_catalogue
from exchange.grants import Grant, grants_of, principal_of
from exchange.paths import SCHEMAS
from exchange.settings import Settings

PROBE_SECONDS = 30.0


def written(brokers: Brokers, topics: list[str], sees: set[str] | None = None) -> dict[str, int]:
    """What became of one message to each topic: 0, or the code of the error. What else is visible is put into `sees`."""
    found: dict[str, int] = {}
    producer = Producer(
        {**brokers.config(), "acks": "all", "message.timeout.ms": int(PROBE_SECONDS * 1000), "log_level": 0}
    )

    def tell(error: KafkaError | None, message: Message) -> None:
        found[message.topic() or ""] = error.code() if error else 0

    for topic in topics:
        producer.produce(topic, b"x", b"k", on_delivery=tell)
    if sees is not None:
        sees.update(producer.list_topics(timeout=PROBE_SECONDS).topics)
    producer.flush(PROBE_SECONDS)
    return found


def read(brokers: Brokers, group: str, topics: list[str]) -> dict[str, int]:
    """What became of reading each topic to its end: 0, or the code of the error."""
    found: dict[str, int] = {}
    consumer = Consumer(
        {
            **brokers.config(),
            "group.id": group,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    try:
        for topic in topics:  # one at a time: one that is refused says so for all of them
            consumer.assign([TopicPartition(topic, 0, 0)])
            while topic not in found:
                message = consumer.poll(PROBE_SECONDS)
                assert message is not None, topic
                error = message.error()
                if error is not None and message.topic() in (topic, None):
                    found[topic] = 0 if error.code() == KafkaError._PARTITION_EOF else error.code()
    finally:
        consumer.close()
    return found


class SecuredBus:
    """A running secured stack.

    Args:
        stack: whose home it is.
        settings: that it was started with.
    """

    def __init__(self, stack: Stack, settings: Settings) -> None:
        self.stack = stack
        self.home_settings = settings
        self.secured = Secured(folder=stack.folder.security)
        self.catalogue = load_catalogue(SCHEMAS)
        self.departments = sorted(self.catalogue.departments)
        self.grants: dict[str, Grant] = dict(grants_of(settings, self.departments))
        self.ports = read_numbers(stack.folder.ports)

    def variables(self, name: str) -> dict[str, str]:
        """The environment of a department's or a process's principal."""
        return read_variables(self.secured.principal(principal_of("credit", name)).variables)

    def settings(self, name: str, **changes: Any) -> Settings:
        """The settings that these variables make."""
        fields: dict[str, Any] = {}
        for variable, value in self.variables(name).items():
            field = variable.removeprefix("CREDITBUS_").lower()
            if field.endswith("_file"):
                fields[field.removesuffix("_file")] = SecretStr(Path(value).read_text().strip())
            else:
                fields[field] = value
        return Settings(**(fields | changes))

    def brokers(self, name: str) -> Brokers:
        """Kafka as a principal reaches it with user and password."""
        return self.settings(name).kafka

    def by_certificate(self, name: str) -> Brokers:
        """Kafka as a principal reaches it with its certificate."""
        return self.secured.brokers(principal_of("credit", name), self.ports[CERTIFICATE_PORT])

    @property
    def administrator(self) -> Brokers:
        """Kafka as whoever may do everything reaches it."""
        return self.secured.brokers(ADMINISTRATOR, self.ports[CERTIFICATE_PORT])

    def denied(self) -> list[str]:
        """What Kafka has denied since it was started, a line each."""
        log = self.stack.folder.log_of("kafka").read_text()
        return [line for line in log.splitlines() if " is Denied " in line]

    @contextmanager
    def running(self, name: str, log: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
        """`creditbus run` of a process with its own principal, ended in good order afterwards."""
        environment = self.variables(name) | {f"CREDITBUS_{key.upper()}": value for key, value in settings.items()}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.cli", "run", name],
                env=environment | {"PATH": "/usr/bin:/bin", "CREDITBUS_HOME": str(log.parent)}, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def secured_bus(home: Path) -> Iterator[SecuredBus]:
    """A secured stack of a home folder, ended afterwards."""
    settings = Settings(home=home, partitions=1)
    stack = Stack(settings)
    try:
        stack.up(attached=True, secured=True)
        provision(settings)
        yield SecuredBus(stack, settings)
    finally:
        stack.down()
