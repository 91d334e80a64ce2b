"""What a department has published of late, what was rejected of it and why, and what has been mended since.

All is read from the ends of the department's own topics backwards, a page at a time; whether a record has been judged is known from
the cursor in Redis.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from consumers.backwards import Raw, read_back, read_one
from consumers.inbox_http.cursor import Offsets
from consumers.portal.workspace.parts import WorkspaceParts
from exchange.corrections import Correction
from exchange.domain.facts import AMENDMENTS
from exchange.domain.record import DOCUMENT, entry_key
from exchange.errors import Reason, UndecodableError
from exchange.masking import mask_all
from exchange.partitioner import partition_of
from exchange.standing_store import Wanted

ROWS = 50
MATCHED = 1_000
"""Rejections that a page of submissions looks through for its own."""
Place = tuple[int, int]
"""Partition and offset."""


class Fate(StrEnum):
    """What became of a published record."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Submission(NamedTuple):
    """A published record; `record` is None where its bytes cannot be read. rejection: place of its rejection, where it has one."""

    place: Place
    at: int
    record_type: str
    record: Mapping[str, Any] | None
    fate: Fate
    reasons: tuple[Reason, ...]
    rejection: Place | None


class Rejected(NamedTuple):
    """A rejection: where it lies, where the record lay, why, and the record where its bytes can be read and were kept."""

    place: Place
    origin: Place
    received_at: float
    reasons: tuple[Reason, ...]
    record_type: str
    record: Mapping[str, Any] | None
    correction: Correction | None
    superseded: bool

    @property
    def is_mended(self) -> bool:
        """Whether its department has sent it again, here or elsewhere, and newer."""
        return self.correction is not None or self.superseded


class Submissions(NamedTuple):
    """A page, the newest first; `older` is where the next one begins, None at the end."""

    rows: tuple[Any, ...]
    older: Offsets | None


async def read_submissions(parts: WorkspaceParts, department: str, ends: Offsets, limit: int = ROWS) -> Submissions:
    """What a department published before some offsets, with what became of it.

    Raises:
        RetryLaterError: Kafka or Redis is away.
    """
    topics = parts.topics
    page = await parts.readers.run(lambda one: read_back(one.consumer, topics.into(department), ends, limit))
    behind = parts.form.end()
    rejected = await parts.readers.run(
        lambda one: read_back(one.consumer, topics.rejected_of(department), behind, max(MATCHED, limit))
    )
    rows = await asyncio.to_thread(_submissions, parts, department, page.messages, rejected.messages)
    return Submissions(rows, None if page.finished else page.offsets)


def _submissions(
    parts: WorkspaceParts, department: str, messages: tuple[Raw, ...], rejections: tuple[Raw, ...]
) -> tuple[Submission, ...]:
    topic = parts.topics.into(department)
    judged = [parts.portal.store.cursor(number).offsets.get(topic, 0) for number in range(parts.partitions)]
    why: dict[Place, tuple[Place, tuple[Reason, ...]]] = {}
    for raw in rejections:
        found = _decode(parts, raw.value)[1]
        if found is not None and found["topic"] == topic:
            why[found["partition"], found["offset"]] = (raw.partition, raw.offset), _reasons(found)
    rows = []
    for one in messages:
        place = one.partition, one.offset
        rejection, reasons = why.get(place, (None, ()))
        waiting = one.offset >= judged[one.partition]
        fate = Fate.REJECTED if rejection else Fate.WAITING if waiting else Fate.ACCEPTED
        rows.append(Submission(place, one.at, *_decode(parts, one.value), fate, reasons, rejection))
    return tuple(rows)


async def read_rejections(parts: WorkspaceParts, department: str, ends: Offsets) -> Submissions:
    """What was rejected of a department's records, before some offsets.

    Raises:
        RetryLaterError: Kafka or Redis is away.
    """
    topic = parts.topics.rejected_of(department)
    page = await parts.readers.run(lambda one: read_back(one.consumer, topic, ends, ROWS))
    rows = await asyncio.to_thread(_rejected, parts, department, page.messages)
    return Submissions(rows, None if page.finished else page.offsets)


async def read_rejection(parts: WorkspaceParts, department: str, place: Place) -> Rejected | None:
    """One rejection by its place in the department's topic of rejections; None when there is none.

    Raises:
        RetryLaterError: Kafka or Redis is away.
    """
    topic = parts.topics.rejected_of(department)
    if place[0] >= parts.partitions:
        return None
    raw = await parts.readers.run(lambda one: read_one(one.consumer, topic, *place))
    found = await asyncio.to_thread(_rejected, parts, department, (raw,) if raw else ())
    return found[0] if found else None


def _rejected(parts: WorkspaceParts, department: str, messages: tuple[Raw, ...]) -> tuple[Rejected, ...]:
    rows = []
    for raw in messages:
        found = _decode(parts, raw.value)[1]
        if found is not None:
            kind, record = _decode(parts, found["raw"])
            rows.append(
                Rejected(
                    (raw.partition, raw.offset), (found["partition"], found["offset"]), found["received_at"].timestamp(),
                    _reasons(found), kind, record, None, superseded=False,
                )
            )  # fmt: skip
    sent_again = parts.corrections.find(department, [row.origin for row in rows])
    return tuple(
        row._replace(correction=sent_again.get(row.origin), superseded=newer)
        for row, newer in zip(rows, _superseded(parts, department, rows), strict=True)
    )


def _superseded(parts: WorkspaceParts, department: str, rows: list[Rejected]) -> list[bool]:
    """For each rejection whether the standing has a version of the same document that came later; amendments are not looked up."""
    asked = []
    for row in rows:
        record = row.record
        if record is not None and record["subject"] and row.record_type not in AMENDMENTS:
            asked.append((record["subject"], entry_key(row.record_type, department, record["document"])))
        else:
            asked.append(("", ""))
    wanted = [Wanted(partition_of(subject, parts.partitions), (), [(subject, key)]) for subject, key in asked]
    loaded = parts.portal.store.load(wanted) if wanted else []
    newer = []
    for row, found in zip(rows, loaded, strict=True):
        version = found.entries[0].versions.get(DOCUMENT) if found.entries[0] else None
        place = (version.partition, version.offset) if version else (-1, -1)
        newer.append(place[0] == row.origin[0] and place[1] > row.origin[1])
    return newer


def _reasons(rejection: Mapping[str, Any]) -> tuple[Reason, ...]:
    return tuple(Reason(**reason) for reason in rejection["reasons"])


def _decode(parts: WorkspaceParts, raw: bytes) -> tuple[str, dict[str, Any] | None]:
    """Record type and record, citizen IDs masked; "" and None where the bytes are none."""
    try:
        kind, record = parts.portal.codec.decode(raw)
    except UndecodableError:
        return "", None
    return kind, mask_all(record)
