"""Composition root of the recount: settings in, the difference out; as a program it prints one JSON object.

A worker runs it as a program of its own, so that it takes no time from the counting.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict

import msgspec
from confluent_kafka import Consumer, KafkaException

from consumers.archive.folder import ABOUT, ARCHIVE, read_bus
from consumers.early_warning.archived import count_archived, next_offsets
from consumers.early_warning.intake import Window
from consumers.early_warning.recount import Difference, Recount, compare, read_inputs, read_published
from consumers.early_warning.sightings import REWARDING, Looker
from consumers.standing.acceptance import Acceptance, open_acceptance
from consumers.standing.consumed import Consumed
from consumers.standing.reading import read_places
from exchange.archive_tables import archive_folder, open_archive
from exchange.brokers import Brokers
from exchange.clock import now_ms
from exchange.errors import CreditbusError
from exchange.fed_folder import Bus
from exchange.kafka import REQUEST_SECONDS, reading, translate
from exchange.kafka_places import Place, watermarks
from exchange.settings import Settings, read_settings

ARCHIVED, TOPICS = "archive", "topics"
"""What can be counted."""
BESIDE = 10
"""Niceness: a recount beside a worker may take its time."""


def reconcile(settings: Settings, kafka: Brokers, source: str = "") -> Difference:
    """Count everything anew and compare.

    The workers' counts are read first: what comes meanwhile lies in windows that are open.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        source: ARCHIVED or TOPICS; empty for the archive where there is one.

    Raises:
        RetryLaterError: Kafka is away.
        RequestError: `archive_absent`.
        FatalError: `archive_of_another_bus`, `archive_corrupt`.
    """
    rules, folder = open_acceptance(settings), archive_folder(settings)
    looker = Looker(rules.policy, rules.codec.symbols("social_report", "origin"))
    recount = Recount(rules.decoder, looker, rules.departments, now_ms)
    places = [(topic, number) for topic in rules.departments for number in range(settings.partitions)]
    source = source or (ARCHIVED if (folder / ABOUT).is_file() else TOPICS)
    reader = Consumer(reading(kafka, f"{settings.topic_prefix}.recount"), logger=logging.getLogger("creditbus.kafka"))
    with closing(reader):
        if source == ARCHIVED:
            ARCHIVE.demand(folder, _bus(settings, reader), ARCHIVE.about(read_bus(folder)))
        published = read_published(reader, rules.topics.windows, settings.partitions, rules.codec)
        if source == ARCHIVED:
            return _from_archive(settings, reader, recount, rules, places, published)
        counted, records = recount.count(read_inputs(reader, places))
    return compare(counted, records, published)


def _from_archive(
    settings: Settings,
    reader: Consumer,
    recount: Recount,
    rules: Acceptance,
    places: Sequence[Place],
    published: dict[Window, int],
) -> Difference:
    with closing(open_archive(settings, contracts=rules.codec.contracts)) as archive:
        taken, ends = next_offsets(archive), watermarks(reader, places)
        left = {place: (max(low, taken.get(place, 0)), high) for place, (low, high) in ends.items()}
        unarchived = _Counted(read_places(reader, left))
        tail = recount.look(unarchived)
        rewarding = [code for code, rule in rules.policy.lists.items() if rule.colour == REWARDING]
        counted, records = count_archived(archive, tail, rewarding)
    return compare(counted, records, published, source=ARCHIVED, unarchived=unarchived.number)


class _Counted:
    """Messages, and how many they were."""

    def __init__(self, messages: Iterable[Consumed]) -> None:
        self._messages = messages
        self.number = 0

    def __iter__(self) -> Iterator[Consumed]:
        for message in self._messages:
            self.number += 1
            yield message


def _bus(settings: Settings, reader: Consumer) -> Bus:
    try:
        cluster = str(reader.list_topics(timeout=REQUEST_SECONDS).cluster_id)
    except KafkaException as error:
        raise translate(error, "asking for the cluster") from error
    return Bus(settings.topic_prefix, settings.partitions, cluster)


def main() -> None:
    """Print the difference, or in one line why not."""
    os.nice(BESIDE)
    settings = read_settings()
    try:
        found = reconcile(settings, settings.kafka)
    except CreditbusError as error:
        sys.exit(error.line())
    sys.stdout.buffer.write(msgspec.json.encode(asdict(found)))


if __name__ == "__main__":
    main()
