"""Kafka's access control lists: made of the table of grants, and kept as it says. `creditbus topics apply --acls`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from exchange.errors import RequestError
from exchange.grants import Grant, Names
from exchange.kafka import REQUEST_SECONDS, translate, wait_shown

CLUSTER = "kafka-cluster"
"""What Kafka calls the cluster as a thing that has lists."""
ANY_HOST = "*"


@dataclass(frozen=True, slots=True, order=True)
class Allowed:
    """One entry: a principal may do one operation on one resource, or on all whose names begin so."""

    principal: str
    resource: str
    name: str
    prefixed: bool
    operation: str
    host: str = ANY_HOST

    def __str__(self) -> str:
        pattern = f"{self.name}*" if self.prefixed else self.name
        return f"{self.principal} may {self.operation} {self.resource} {pattern}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AclsApplied:
    """What `apply_acls` found and did, or would do."""

    added: tuple[Allowed, ...]
    removed: tuple[Allowed, ...]
    unchanged: int


def allowed(grants: Mapping[str, Grant]) -> frozenset[Allowed]:
    """Every entry of a table of grants. Reading and writing imply that a topic or group may be described (Kafka's own rule)."""
    found = set()
    for principal, grant in grants.items():
        rights = (
            (grant.reads, "TOPIC", ("READ",)),
            (grant.writes, "TOPIC", ("WRITE",)),
            (grant.makes, "TOPIC", ("READ", "WRITE", "CREATE", "DELETE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")),
            (grant.joins, "GROUP", ("READ",)),
            (grant.asks, "GROUP", ("DESCRIBE",)),
            (grant.transactions, "TRANSACTIONAL_ID", ("WRITE",)),
            ((Names(CLUSTER),) if grant.governs else (), "BROKER", ("DESCRIBE", "ALTER")),
        )
        for names, resource, operations in rights:
            for one in names:
                for operation in operations:
                    found.add(Allowed(f"User:{principal}", resource, one.name, one.prefixed, operation))
    return frozenset(found)


def apply_acls(
    admin: AdminClient,
    prefix: str,
    grants: Mapping[str, Grant],
    *,
    dry_run: bool,
    request_seconds: float = REQUEST_SECONDS,
) -> AclsApplied:
    """Make the entries that are missing and remove those that are no longer meant; may be run again at any time.

    Entries of principals that are not named as a bus of this prefix names them are left alone. Returns once a broker keeps
    to what was changed.

    Args:
        admin: of the broker; its principal must be allowed to alter the cluster.
        prefix: of the bus.
        grants: who may do what.
        dry_run: only say what would be done.
        request_seconds: a request to the broker that takes longer has failed.

    Raises:
        RequestError: `not_allowed`, or `no_authorizer` where the broker keeps no lists.
        RetryLaterError: `kafka_unavailable`, also when what was changed does not appear in time.
    """
    meant = allowed(grants)
    try:
        there = _there(admin, prefix, request_seconds)
        added, removed = sorted(meant - there), sorted(there - meant)
        if not dry_run:
            made = admin.create_acls([_binding(one) for one in added], request_timeout=request_seconds) if added else {}
            gone = (
                admin.delete_acls([_filter(one) for one in removed], request_timeout=request_seconds) if removed else {}
            )
            for future in (*made.values(), *gone.values()):
                future.result()
            if added or removed:
                wait_shown(
                    lambda: _there(admin, prefix, request_seconds) == meant,
                    "the changed lists",
                    request_seconds=request_seconds,
                )
    except KafkaException as error:
        if error.args[0].name() == "SECURITY_DISABLED":
            raise RequestError(
                "this Kafka keeps no access control lists",
                code="no_authorizer",
                remedy="give the brokers an authorizer, see docs/security.md; on one machine: creditbus up --secured",
            ) from error
        raise translate(error, "applying access control lists") from error
    return AclsApplied(added=tuple(added), removed=tuple(removed), unchanged=len(meant & there))


def _there(admin: AdminClient, prefix: str, request_seconds: float) -> set[Allowed]:
    """The entries of this bus's principals, as a broker has heard of them."""
    found = admin.describe_acls(every_entry(), request_timeout=request_seconds).result()
    return {one for one in map(_entry, found) if one is not None and is_ours(one.principal, prefix)}


def every_entry(principal: str | None = None) -> AclBindingFilter:
    """A filter that every entry passes, or every one of a principal."""
    anything: Any = None  # confluent-kafka's types forget that None stands for any
    return AclBindingFilter(
        ResourceType.ANY, anything, ResourcePatternType.ANY, principal or anything, anything, AclOperation.ANY,
        AclPermissionType.ANY,
    )  # fmt: skip


def is_ours(principal: str, prefix: str) -> bool:
    """Whether a principal is named as a bus of this prefix names departments and processes.

    >>> is_ours("User:credit.gd.tax", "credit"), is_ours("User:credit.test.standing", "credit")
    (True, False)
    """
    return re.fullmatch(rf"User:{re.escape(prefix)}\.((gd|ext)\.[a-z][a-z0-9]*|[a-z-]+)", principal) is not None


def _entry(binding: AclBinding) -> Allowed | None:
    """What an entry allows; None for one that denies: that is an operator's, to shut somebody out at once."""
    if binding.permission_type != AclPermissionType.ALLOW:
        return None
    prefixed = binding.resource_pattern_type == ResourcePatternType.PREFIXED
    return Allowed(
        binding.principal,
        ResourceType(binding.restype).name,
        binding.name,
        prefixed,
        AclOperation(binding.operation).name,
        binding.host,
    )


def _parts(one: Allowed) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    pattern = ResourcePatternType.PREFIXED if one.prefixed else ResourcePatternType.LITERAL
    kind, operation = ResourceType[one.resource], AclOperation[one.operation]
    return kind, one.name, pattern, one.principal, one.host, operation, AclPermissionType.ALLOW


def _binding(one: Allowed) -> AclBinding:
    return AclBinding(*_parts(one))


def _filter(one: Allowed) -> AclBindingFilter:
    return AclBindingFilter(*_parts(one))
