"""Puts a repartitioning together: from a bus's settings to the copier and the sealer of its successor."""

from collections.abc import Callable
from typing import NamedTuple

from consumers.repartition.copying import Copier
from consumers.repartition.sealing import Sealer, Side
from exchange.catalogue import load_catalogue
from exchange.kafka import open_admin
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics


class Repartition(NamedTuple):
    """What copies, and what says where the new bus begins."""

    copier: Copier
    sealer: Sealer


def begin_copy(
    old: Settings, partitions: int, prefix: str, on_step: Callable[[str], None] = lambda _: None
) -> Repartition:
    """Make the new bus's topics, and see that nobody tells anything from them before the seal.

    Args:
        old: settings of the old bus, with its servers.
        partitions: of the new one.
        prefix: of the new one.
        on_step: told each step of the copy; fault tests end the process there.

    Raises:
        FatalError: `partition_mismatch`: the new topics are there with another number.
        RequestError: `bus_in_use`, `not_allowed`.
        RetryLaterError: Kafka is away.
    """
    new = old.model_copy(update={"partitions": partitions, "topic_prefix": prefix})
    departments = sorted(load_catalogue(SCHEMAS).departments)
    admin = open_admin(old.kafka)
    apply_topics(admin, departments, new)
    source, target = (
        Side(Topics(one.topic_prefix), one.partitions, f"{one.topic_prefix}.{one.group}") for one in (old, new)
    )
    sealer = Sealer(old.kafka, admin, source, target, departments)
    sealer.begin()
    copier = Copier(
        kafka=old.kafka, source=source.topics, target=target.topics, departments=departments, partitions=old.partitions,
        group=f"{prefix}.repartition", on_step=on_step,
    )  # fmt: skip
    return Repartition(copier, sealer)
