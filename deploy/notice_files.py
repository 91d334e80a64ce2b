"""Composes the files of notices: what a day brought each department, on disk, and then its receipts on the bus."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from confluent_kafka import Consumer

from consumers.inbox_http.reader import open_consumer
from consumers.notice_file.day import Notice, notices_of_day
from consumers.notice_file.rows import rows_of
from consumers.notice_file.write import write_notices
from deploy.outbound import Publishers
from exchange.answers import receipt_of
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.domain.calendar import to_day
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.settings import Settings
from exchange.topics import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFile:
    """A file that was written: its department and day, what it holds, and the receipts that the bus has confirmed."""

    department: str
    day: str
    file: str
    notices: int
    rows: int
    sha256: str
    receipts: int = 0


class NoticeFiles:
    """Writes files of notices.

    Args:
        settings: of the bus; `kafka` names the servers.
        reader: of `open_consumer`.
    """

    def __init__(self, settings: Settings, reader: Consumer) -> None:
        self._settings = settings
        self._reader = reader
        self._codec = open_codec(settings, SCHEMAS)
        self._catalogue = load_catalogue(SCHEMAS)
        rules = load_policy(SCHEMAS, self._catalogue).rules_by_list.values()
        self._names = {rule.measure: rule.name_zh for found in rules for rule in found}

    def departments(self, day: date) -> list[str]:
        """Those that were on the bus on a day."""
        known = self._catalogue.departments.values()
        return sorted(one.slug for one in known if one.existed_from <= to_day(day) < one.existed_to)

    def write(self, department: str, day: date, path: Path, *, receipts: Publishers | None = None) -> NoticeFile:
        """Write a department's file of a day, and give the receipts once it is on disk.

        Raises:
            RequestError: the file cannot be written.
            RetryLaterError: Kafka is away, or a receipt is not confirmed; write it again, which gives the same receipts.
        """
        topic = Topics(self._settings.topic_prefix).out_of(department)
        notices = notices_of_day(self._reader, self._codec, topic, to_day(day), self._settings.partitions)
        written = write_notices(path, rows_of(notices, self._names))
        confirmed = _give_receipts(receipts, department, notices) if receipts is not None else 0
        return NoticeFile(
            department=department, day=day.isoformat(), file=str(path), notices=len(notices), rows=written.rows,
            sha256=written.digest, receipts=confirmed,
        )  # fmt: skip


def _give_receipts(publishers: Publishers, department: str, notices: list[Notice]) -> int:
    now = datetime.now(UTC)
    publisher = publishers.of(department)
    for notice in notices:
        publisher.publish(receipt_of(notice, "FILE", now), "delivery_receipt")
    publisher.flush()
    return len(notices)


@contextmanager
def open_notice_files(settings: Settings) -> Iterator[NoticeFiles]:
    """Writes files until its end."""
    reader = open_consumer(settings.kafka, wait_ms=100, **{"enable.partition.eof": False})
    try:
        yield NoticeFiles(settings, reader)
    finally:
        reader.close()
