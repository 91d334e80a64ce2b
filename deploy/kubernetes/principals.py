"""Who each container is to Kafka and Redis: a user of Strimzi, the Secrets with what opens the servers, and the settings that name them."""

from typing import Any

from deploy.local.secured import ADMINISTRATOR
from deploy.processes import PROCESSES
from exchange.grants import principal_of

PREFIX = "credit"
FOLDER = "/run/principal"
CLUSTER = {"strimzi.io/cluster": "creditbus"}
CLUSTER_CA = "creditbus-cluster-ca-cert"
"""Secret of Strimzi with the certificates that the brokers' are signed by."""
REDIS_TLS = "redis-tls"
REGISTRY, OPEN_DATA, OPERATOR = "registry", "open-data", "operator"
USES_REDIS = {OPEN_DATA, OPERATOR, *(one.name for one in PROCESSES if "redis" in one.peers)}
NAMES = (
    ADMINISTRATOR,
    *(principal_of(PREFIX, name) for name in (*(one.name for one in PROCESSES), REGISTRY, OPEN_DATA, OPERATOR)),
)
"""Every principal that a container is."""


def users() -> list[dict[str, Any]]:
    """A user of Strimzi for each principal; what it may do is none of its business (docs/deploy.md)."""
    spec = {"authentication": {"type": "scram-sha-512"}}
    return [
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaUser",
            "metadata": {"name": name, "labels": CLUSTER},
            "spec": spec,
        }
        for name in NAMES
    ]


def settings() -> dict[str, str]:
    """What every principal is told alike."""
    return {
        "CREDITBUS_KAFKA_PROTOCOL": "SASL_SSL",
        "CREDITBUS_KAFKA_CA": f"{FOLDER}/kafka-ca.crt",
        "CREDITBUS_REDIS_CA": f"{FOLDER}/redis-ca.crt",
    }


def environment(name: str) -> list[dict[str, str]]:
    """What one is told: of a process, or of the administrator."""
    user = _user(name)
    told = {"KAFKA_USER": user, "KAFKA_PASSWORD_FILE": f"{FOLDER}/kafka-password"}
    if name in USES_REDIS:
        told |= {"REDIS_USER": user, "REDIS_PASSWORD_FILE": f"{FOLDER}/redis-password"}
    return [{"name": f"CREDITBUS_{key}", "value": value} for key, value in told.items()]


def mount(name: str) -> dict[str, Any]:
    """Where a container sees what opens the servers."""
    return {"name": f"principal-{name}", "mountPath": FOLDER, "readOnly": True}


def volume(name: str) -> dict[str, Any]:
    """What opens the servers, from the Secrets of one principal."""
    sources = [
        _secret(_user(name), {"password": "kafka-password"}),
        _secret(CLUSTER_CA, {"ca.crt": "kafka-ca.crt"}),
        _secret(REDIS_TLS, {"ca.crt": "redis-ca.crt"}),
    ]
    if name in USES_REDIS:
        sources.append(_secret(f"redis-{name}", {"password": "redis-password"}))
    return {"name": f"principal-{name}", "projected": {"defaultMode": 0o440, "sources": sources}}


def _user(name: str) -> str:
    return name if name == ADMINISTRATOR else principal_of(PREFIX, name)


def _secret(name: str, items: dict[str, str]) -> dict[str, Any]:
    return {"secret": {"name": name, "items": [{"key": key, "path": path} for key, path in items.items()]}}
