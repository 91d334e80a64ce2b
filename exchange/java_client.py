"""What Kafka's Java clients are told, of the value that librdkafka's are opened with. Secrets are pointed at, never written. Pure."""

from collections.abc import Callable
from pathlib import Path

from exchange.brokers import Brokers

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
Pointer = Callable[[str], str]
"""Gives for a setting such as `kafka_password` what a config provider replaces by it."""


def java_client(brokers: Brokers, secret: Pointer) -> dict[str, str]:
    """Settings of a Java client.

    Args:
        brokers: where Kafka is, and how it is spoken to.
        secret: where its passwords are.
    """
    told = {"bootstrap.servers": brokers.address}
    if brokers.protocol == "PLAINTEXT":
        return told
    told["security.protocol"] = brokers.protocol
    if brokers.ca:
        told |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(brokers.ca.absolute())}
    if brokers.certificate and brokers.key:
        told |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": file_text(brokers.certificate),
            "ssl.keystore.key": file_text(brokers.key),
        }
        if brokers.key_password.get_secret_value():
            told["ssl.key.password"] = secret("kafka_key_password")
    if brokers.protocol == "SASL_SSL":
        told["sasl.mechanism"] = brokers.mechanism
        told["sasl.jaas.config"] = (
            f'{SCRAM} required username="{_quoted(brokers.user)}" password="{secret("kafka_password")}";'
        )
    return told


def file_text(path: Path) -> str:
    """Stands for the text of a file, for Kafka's DirectoryConfigProvider."""
    return f"${{dir:{path.absolute().parent}:{path.name}}}"


def variable_text(name: str) -> str:
    """Stands for a variable of the environment, for Kafka's EnvVarConfigProvider."""
    return f"${{env:{name}}}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
