"""The inbox of one department: its notices, the newest first, each with how its case stands now.

Notices are read from the end of the department's own topic backwards, their state from the standings: nothing is kept for it, and
it costs the same however many there are. A subject's case stands at its newest notice; earlier ones are superseded. Only the
view of what is overdue does not look at the topic: Redis has an index of that, with what is longest overdue first.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from consumers.backwards import BackPage, Raw, read_back, read_key_back
from consumers.inbox_http.cursor import Offsets
from consumers.portal.workspace.cases import Case, Status
from consumers.portal.workspace.parts import WorkspaceParts
from exchange.domain.standing import Owed
from exchange.errors import UndecodableError
from exchange.labels import Label
from exchange.partitioner import partition_of
from exchange.response_words import WORKS

ROWS = 50
"""Notices of a page; a view that leaves some out may show a few more."""
SCANNED = 1_000
"""Notices that one page looks at, about; then it says how to go on."""
HISTORY = 20
_NEAR, _FAR = 2_000, 500_000


class View(StrEnum):
    """Which notices are shown."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    ALL = "all"


class Row(NamedTuple):
    """A notice and its case; superseded by a later notice about the same subject."""

    notice: Mapping[str, Any]
    case: Case
    superseded: bool


class InboxPage(NamedTuple):
    """Rows, the newest first; `older` is where the next page begins, None at the end. scanned: notices looked at."""

    rows: list[Row]
    older: Offsets | None
    scanned: int


class OverdueRow(NamedTuple):
    """One response that is overdue; `work` says what it is where it is not about a measure."""

    subject: str
    owed: Owed
    work: Label | None
    document: str
    days_late: int


async def read_inbox(parts: WorkspaceParts, department: str, view: View, ends: Offsets) -> InboxPage:
    """A page of notices before some offsets.

    Raises:
        RetryLaterError: Kafka or Redis is away.
    """
    topic = parts.topics.out_of(department)
    rows: list[Row] = []
    scanned = 0
    while True:
        page = await _before(parts, topic, ends)
        ends, scanned = page.offsets, scanned + len(page.messages)
        rows += await asyncio.to_thread(_rows, parts, department, view, page.messages)
        if page.finished or len(rows) >= ROWS or scanned >= SCANNED:
            return InboxPage(rows, None if page.finished else ends, scanned)


async def _before(parts: WorkspaceParts, topic: str, ends: Offsets) -> BackPage:
    return await parts.readers.run(lambda one: read_back(one.consumer, topic, ends, ROWS))


def _rows(parts: WorkspaceParts, department: str, view: View, messages: tuple[Raw, ...]) -> list[Row]:
    notices = decode_notices(parts, messages)
    cases = parts.cases(department, (notice["subject"] for notice in notices))
    rows = []
    for notice in notices:
        case = cases[notice["subject"]]
        row = Row(notice, case, notice["n"] < case.newest)
        if view is View.ALL or (not row.superseded and _is_in(view, case.status)):
            rows.append(row)
    return rows


def _is_in(view: View, status: Status) -> bool:
    return (status is Status.DONE) == (view is View.DONE)


def decode_notices(parts: WorkspaceParts, messages: tuple[Raw, ...] | list[Raw]) -> list[dict[str, Any]]:
    """The notices among some messages; what cannot be read is passed over, as the department's receivers do."""
    found = []
    for one in messages:
        try:
            found.append(parts.portal.codec.decode(one.value)[1])
        except UndecodableError:
            continue
    return found


async def read_history(parts: WorkspaceParts, department: str, subject: str, *, far: bool) -> list[dict[str, Any]]:
    """The newest notices of a department about a subject, the newest first.

    Args:
        parts: of the workspace.
        department: whose notices.
        subject: whom they are about.
        far: whether to look for earlier ones far back in the topic.

    Raises:
        RetryLaterError: Kafka is away, or the search takes too long.
    """
    topic, number = parts.topics.out_of(department), partition_of(subject, parts.partitions)
    scanned = _FAR if far else _NEAR
    messages = await parts.readers.run(
        lambda one: read_key_back(one.consumer, topic, number, subject.encode(), limit=HISTORY, scanned=scanned)
    )
    return decode_notices(parts, messages)


def read_overdue(parts: WorkspaceParts, department: str) -> list[OverdueRow]:
    """What a department owes and is late with, the longest overdue first.

    Raises:
        RetryLaterError: Redis is away.
    """
    today = parts.portal.books.today().as_of
    found = [one for number in range(parts.partitions) for one in parts.portal.store.overdue(number, department)]
    rows = []
    for subject, owed in sorted(found, key=lambda pair: (pair[1].respond_by, pair)):
        work, _, document = owed.measure.partition(" ")
        late = parts.working_days.between(owed.respond_by, today)
        rows.append(OverdueRow(subject, owed, WORKS.get(work), document, late))
    return rows
