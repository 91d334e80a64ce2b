"""Feedback to send: written in the transaction of what it tells, sent afterwards, marked when the bus has confirmed it.

If it dies between sending and marking, the same record goes again: same document, same revision, same bytes, and the bus
takes records as upserts, so it counts once. An obligation has one document; its steps are revisions: 1 acknowledged,
2 executed, declined or not applicable, 3 ended.
"""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from collections.abc import Sequence as Rows
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from consumers.reference.book import Obligation
from exchange.domain.calendar import day_of, to_date
from exchange.json_form import to_json

Feedback = dict[str, Any]
"""A measure_feedback record in its JSON form."""

SendFeedback = Callable[[Rows[Feedback]], Awaitable[None]]
"""Puts feedback on the bus and returns when it is confirmed; `RetryLaterError` when not now, `RejectedError` when never."""

_STEPS = {"ACKNOWLEDGED": 1, "EXECUTED": 2, "DECLINED": 2, "NOT_APPLICABLE": 2, "ENDED": 3}


class Waiting(NamedTuple):
    """A feedback that is not confirmed yet."""

    number: int
    record: Feedback


def document_of(department: str, obligation: Obligation) -> str:
    """Number of the feedback about an obligation: it follows from what is answered, so a repeat is the same document.

    The imposing notice is named by its sequence, not its id: a notice that stands for collapsed ones has another id, and
    whoever lost his book and reads everything again must come to the same document.
    """
    text = "|".join((department, *map(str, obligation.key)))
    return f"反馈-{sha256(text.encode()).hexdigest()[:24]}"


def add_feedback(
    database: sqlite3.Connection,
    department: str,
    obligation: Obligation,
    state: str,
    *,
    now_ms: int,
    detail: str,
    officer: str,
    evidence: str = "",
) -> None:
    """Write down what is to be told; the caller's transaction commits it together with what was done.

    Args:
        database: the book, in a transaction.
        department: slug of the one that answers.
        obligation: what it answers, with the notice.
        state: symbol of FeedbackState.
        now_ms: milliseconds since 1970-01-01 UTC.
        detail: what was done, or why not.
        officer: post that answers for it.
        evidence: number of the document that proves it.
    """
    document = document_of(department, obligation)
    (last,) = database.execute("SELECT max(revision) FROM feedback WHERE document = ?", (document,)).fetchone()
    revision = max(_STEPS[state], (last or 0) + 1)
    today = to_date(day_of(now_ms))
    record = {
        "subject": obligation.subject, "subject_name": obligation.name, "department": department, "document": document,
        "revision": revision, "decided_on": today, "published_at": datetime.fromtimestamp(now_ms / 1000, UTC),
        "notice_id": obligation.notice_id, "measure": obligation.measure, "state": state, "detail": detail,
        "executed_on": today if state in ("EXECUTED", "ENDED") else None, "evidence": evidence,
        "epoch": obligation.answers.epoch, "n": obligation.answers.n, "officer": officer,
    }  # fmt: skip
    text = json.dumps(to_json(record), ensure_ascii=False)
    database.execute("INSERT INTO feedback (document, revision, record) VALUES (?, ?, ?)", (document, revision, text))


def waiting(database: sqlite3.Connection, limit: int = 100) -> list[Waiting]:
    """The oldest feedback that is not confirmed."""
    rows = database.execute(
        "SELECT number, record FROM feedback WHERE sent_at_ms IS NULL AND refused IS NULL ORDER BY number LIMIT ?",
        (limit,),
    )
    return [Waiting(number, json.loads(record)) for number, record in rows]


def mark_sent(database: sqlite3.Connection, numbers: Rows[int], now_ms: int) -> None:
    """The bus has confirmed them."""
    database.executemany("UPDATE feedback SET sent_at_ms = ? WHERE number = ?", [(now_ms, one) for one in numbers])


def mark_refused(database: sqlite3.Connection, number: int, reason: str) -> None:
    """The bus will never take it; it stays in the book with the reason, for a person to look at."""
    database.execute("UPDATE feedback SET refused = ? WHERE number = ?", (reason, number))


def send_again(database: sqlite3.Connection, document: str) -> None:
    """The bus reminds of an answer that was sent: send it once more, as it was."""
    database.execute("UPDATE feedback SET sent_at_ms = NULL WHERE document = ?", (document,))


def counts(database: sqlite3.Connection) -> dict[str, int]:
    """How many feedbacks wait, are sent, are refused."""
    row = database.execute(
        "SELECT count(*) FILTER (WHERE sent_at_ms IS NULL AND refused IS NULL) AS waiting,"
        " count(sent_at_ms) AS sent, count(refused) AS refused FROM feedback"
    ).fetchone()
    return dict(row)
