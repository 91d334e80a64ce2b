"""The topics of the bus: their names and settings, and the one command that makes them."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from exchange.errors import FatalError, RetryLaterError
from exchange.kafka import REQUEST_SECONDS, translate, wait_shown
from exchange.settings import Settings

DAY_MS = 24 * 60 * 60 * 1000
FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
COMPACTED = {"cleanup.policy": "compact"}
RECORD_BYTES = 2**20
"""Largest record of a department, with its envelope."""
REJECTION_BYTES = 2 * RECORD_BYTES
"""A rejection carries the raw bytes of a record and every reason."""


class Topics:
    """Names of one bus's topics: `credit.in.gd.tax`, `credit.out.gd.tax`, `credit.rejected.gd.tax`, ...

    Args:
        prefix: first part of every name, from the settings.
    """

    def __init__(self, prefix: str) -> None:
        self.standing = f"{prefix}.standing"
        self.internal = f"{prefix}.internal"
        self.ledger = f"{prefix}.ledger"
        self.access = f"{prefix}.access"
        self.windows = f"{prefix}.windows"
        self._in = f"{prefix}.in."
        self._out = f"{prefix}.out."
        self._rejected = f"{prefix}.rejected."

    def into(self, department: str) -> str:
        """Where a department writes its records."""
        return self._in + department

    def out_of(self, department: str) -> str:
        """Where a department reads its notices."""
        return self._out + department

    def rejected_of(self, department: str) -> str:
        """Where a department reads which of its records were rejected, and why."""
        return self._rejected + department

    def configs(self, departments: Iterable[str], *, replication: int) -> dict[str, dict[str, str]]:
        """Every topic of the bus with its settings (design 3)."""
        safe = safe_copies(replication)
        inputs = FOREVER | safe | {"max.message.bytes": str(RECORD_BYTES)}
        outputs = COMPACTED | safe | {"min.compaction.lag.ms": str(30 * DAY_MS)}
        rejections = FOREVER | safe | {"max.message.bytes": str(REJECTION_BYTES)}
        topics = {self.standing: COMPACTED | safe, self.internal: inputs, self.ledger: inputs, self.access: inputs}
        for department in departments:
            topics[self.into(department)] = inputs
            topics[self.out_of(department)] = outputs
            topics[self.rejected_of(department)] = rejections
        return topics


def safe_copies(replication: int) -> dict[str, str]:
    """So many copies must have a message before it counts as written; one copy may be down."""
    return {"min.insync.replicas": "2" if replication > 2 else "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What `apply_topics` found and did; `changed` says which settings it set, as `name=value`, by topic."""

    created: tuple[str, ...]
    changed: dict[str, tuple[str, ...]]
    unchanged: tuple[str, ...]


def apply_topics(
    admin: AdminClient, departments: Iterable[str], settings: Settings, *, request_seconds: float = REQUEST_SECONDS
) -> Applied:
    """Make the topics of the bus that are missing, and set what differs; may be run again at any time.

    Args:
        admin: of the broker.
        departments: slugs of the departments on the bus.
        settings: prefix, partitions, replication.
        request_seconds: a request to the broker that takes longer has failed.

    Raises:
        FatalError: `partition_mismatch`, before anything is changed: a topic of the join has another number of partitions.
        RetryLaterError: `kafka_unavailable`.
        RequestError: `not_allowed`.
    """
    names = Topics(settings.topic_prefix)
    wanted = names.configs(sorted(set(departments)), replication=settings.replication)
    return make_topics(admin, wanted, settings, request_seconds=request_seconds)


def check_topics(admin: AdminClient, wanted: Iterable[str], *, request_seconds: float = REQUEST_SECONDS) -> None:
    """Make sure that topics are there, for a process that reads them and may not make them.

    Raises:
        RetryLaterError: `topics_missing`, or `kafka_unavailable`.
    """
    try:
        missing = sorted(set(wanted) - set(admin.list_topics(timeout=request_seconds).topics))
    except KafkaException as error:
        raise translate(error, "asking for the topics") from error
    if missing:
        raise RetryLaterError(
            f"no topic {missing[0]}" + (f", and {len(missing) - 1} more" if len(missing) > 1 else ""),
            code="topics_missing",
            remedy="run `creditbus topics apply`; on a secured bus also with --acls",
        )


def make_topics(
    admin: AdminClient,
    wanted: dict[str, dict[str, str]],
    settings: Settings,
    *,
    request_seconds: float = REQUEST_SECONDS,
) -> Applied:
    """Make topics, each with its settings, as `apply_topics` does."""
    try:
        found = admin.list_topics(timeout=request_seconds).topics
        existing = {name: len(found[name].partitions) for name in wanted if name in found}
        _check_partitions(existing, settings.partitions)
        missing = [name for name in wanted if name not in existing]
        created = _create(admin, missing, wanted, settings, request_seconds)
        changed = _set_differences(admin, {name: wanted[name] for name in existing}, request_seconds)
    except KafkaException as error:
        raise translate(error, "applying topics") from error
    unchanged = tuple(name for name in existing if name not in changed)
    return Applied(created=created, changed=changed, unchanged=unchanged)


def _check_partitions(existing: dict[str, int], wanted: int) -> None:
    wrong = [f"{name} has {count}" for name, count in existing.items() if count != wanted]
    if wrong:
        raise FatalError(
            f"topics must all have {wanted} partitions, but {', '.join(wrong[:5])}"
            + (f" and {len(wrong) - 5} more differ" if len(wrong) > 5 else ""),  # a line's worth
            code="partition_mismatch",
            remedy="set CREDITBUS_PARTITIONS to what the topics have; the number cannot change while a bus has data",
        )


def _create(
    admin: AdminClient, names: list[str], configs: dict[str, dict[str, str]], settings: Settings, request_seconds: float
) -> tuple[str, ...]:
    """Create topics and wait until the broker shows them; those that another process made meanwhile are left out."""
    if not names:
        return ()
    count, copies = settings.partitions, settings.replication
    new = [NewTopic(name, num_partitions=count, replication_factor=copies, config=configs[name]) for name in names]
    created = []
    for name, made in admin.create_topics(new, request_timeout=request_seconds).items():
        try:
            made.result()
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    wait_shown(
        lambda: set(names) <= set(admin.list_topics(timeout=request_seconds).topics),
        "created topics",
        request_seconds=request_seconds,
    )
    return tuple(created)


def _set_differences(
    admin: AdminClient, wanted: dict[str, dict[str, str]], request_seconds: float
) -> dict[str, tuple[str, ...]]:
    if not wanted:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
    changed: dict[str, tuple[str, ...]] = {}
    changes = []
    for resource, future in admin.describe_configs(resources, request_timeout=request_seconds).items():
        now = future.result()
        entries = {key: value for key, value in wanted[resource.name].items() if now[key].value != value}
        if entries:
            changed[resource.name] = tuple(f"{key}={value}" for key, value in entries.items())
            changes.append(
                ConfigResource(
                    ResourceType.TOPIC,
                    resource.name,
                    incremental_configs=[
                        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                        for key, value in entries.items()
                    ],
                )
            )
    if changes:
        for set_ in admin.incremental_alter_configs(changes, request_timeout=request_seconds).values():
            set_.result()
    return changed
