"""Acceptance: what a process beside the standing processor needs to accept and refuse the same records, made from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from consumers.standing.decode import Decoder
from consumers.standing.partition import Partition
from exchange.catalogue import Catalogue, load_catalogue
from exchange.codec import Codec, open_codec
from exchange.domain.policy import Policy
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.settings import Settings
from exchange.topics import Topics

NEVER_HELD = 1 << 40
"""Rejected records in a row that hold a topic: a hold is the standing processor's, which then takes in less than is taken in here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The rules of the bus.

    Attributes:
        catalogue: who may publish what.
        topics: their names.
        codec: of the schemas.
        policy: lists, measures and memoranda.
        decoder: decodes and judges departments' records, never holding a topic.
        departments: by topic.
    """

    catalogue: Catalogue
    topics: Topics
    codec: Codec
    policy: Policy
    decoder: Decoder
    departments: Mapping[str, str]


def open_acceptance(settings: Settings) -> Acceptance:
    """The rules as files and settings say.

    Raises:
        FatalError, RetryLaterError: see `open_codec`.
    """
    catalogue, topics, codec = load_catalogue(SCHEMAS), Topics(settings.topic_prefix), open_codec(settings, SCHEMAS)
    policy = load_policy(SCHEMAS, catalogue)
    return Acceptance(
        catalogue=catalogue,
        topics=topics,
        codec=codec,
        policy=policy,
        decoder=Decoder(codec, catalogue, topics, policy, partitions=settings.partitions, limit=NEVER_HELD),
        departments={topics.into(slug): slug for slug in sorted(catalogue.departments)},
    )


def unowned(number: int) -> Partition:
    """A partition as the decoder is told of it by a process that keeps its offsets elsewhere."""
    return Partition(number=number, token="", epoch=0, reconcile=False, offsets={}, known={})
