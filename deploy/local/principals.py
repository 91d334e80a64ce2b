"""What a secured stack's servers keep themselves: topics, Kafka's access control lists, SCRAM users; and each principal's variables."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from deploy.local import reach
from deploy.local.folder import Folder
from deploy.local.ports import HOST
from deploy.local.secured import Secured
from deploy.local.state import read_numbers
from exchange.catalogue import load_catalogue
from exchange.grants import Grant, grants_of
from exchange.kafka import REQUEST_SECONDS, open_admin, translate
from exchange.kafka_acl import AclsApplied, apply_acls
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import apply_topics

SCRAM_ROUNDS = 4096
"""Of SHA-512; Kafka asks for so many at least."""


def provision(settings: Settings) -> AclsApplied:
    """Give a running secured stack everything that its catalogue and its folder say; may be run again at any time.

    Raises:
        CreditbusError: as the broker answers.
    """
    folder = Folder(root=settings.home.expanduser().absolute())
    secured, ports = Secured(folder=folder.security), read_numbers(folder.ports)
    departments = load_catalogue(SCHEMAS).departments
    grants = grants_of(settings, departments)
    admin = open_admin(reach.brokers(folder, ports["kafka"]))
    apply_topics(admin, departments, settings)
    applied = apply_acls(admin, settings.topic_prefix, grants, dry_run=False)
    set_passwords(admin, {name: secured.principal(name).kafka_password.read_text() for name in grants})
    for name, grant in grants.items():
        write_variables(secured, name, grant, settings, ports)
    return applied


def set_passwords(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    """Make SCRAM users, or give them other passwords: connections that are open go on, new ones need the new password.

    Raises:
        CreditbusError: as the broker answers.
    """
    kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ROUNDS)
    asked: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, kind, password.encode()) for user, password in passwords.items()
    ]
    try:
        for future in admin.alter_user_scram_credentials(asked, request_timeout=REQUEST_SECONDS).values():
            future.result()
    except KafkaException as error:
        raise translate(error, "setting passwords") from error


def write_variables(secured: Secured, name: str, grant: Grant, settings: Settings, ports: Mapping[str, int]) -> None:
    """Write a principal's variables; the ports may be others after each start."""
    one = secured.principal(name)
    given: dict[str, str | int | Path] = {
        "KAFKA": f"{HOST}:{ports['kafka']}",
        "KAFKA_PROTOCOL": "SASL_SSL",
        "KAFKA_USER": name,
        "KAFKA_PASSWORD_FILE": one.kafka_password,
        "KAFKA_CA": secured.ca,
        "REDIS": f"redis://{HOST}:{ports['valkey']}/0",
        "TOPIC_PREFIX": settings.topic_prefix,
        "PARTITIONS": settings.partitions,
    }
    if grant.keys or grant.looks_at:
        given |= {"REDIS_USER": name, "REDIS_PASSWORD_FILE": one.redis_password}
    given |= {f"{setting.upper()}_FILE": secured.bus_key(setting) for setting in grant.holds}
    one.variables.write_text("".join(f"CREDITBUS_{key}={value}\n" for key, value in given.items()))


def read_variables(path: Path) -> dict[str, str]:
    """What `write_variables` wrote."""
    lines: Iterable[list[str]] = (line.split("=", 1) for line in path.read_text().splitlines())
    return dict(lines)
