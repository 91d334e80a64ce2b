"""What the public files: an objection to a document, a complaint about an organisation; each becomes a record on the bus."""

import re
import secrets
from datetime import UTC, datetime
from typing import Any, NamedTuple

from consumers.disclosure.documents import Document
from exchange.answers import today_in_china
from exchange.catalogue import Catalogue
from exchange.domain.calendar import to_day
from exchange.errors import Reason, RejectedError

SHORTEST = 10
"""Characters of what is said, at least."""
_NUMBER = r"[0-9a-f]{12}"


class Filing(NamedTuple):
    """A record to publish, and in whose name."""

    department: str
    record_type: str
    record: dict[str, Any]


def new_number() -> str:
    """The number of a form that is handed out: sent twice, it is one record."""
    return secrets.token_hex(6)


def objection(subject: str, name: str, document: Document, detail: str, number: str, catalogue: Catalogue) -> Filing:
    """An objection (异议), for the department that decided, or its successor, to answer.

    It has no effect by itself: only an objection that this department upholds voids a document.

    Args:
        subject: whose document it is.
        name: of the subject.
        document: what is objected to.
        detail: why.
        number: of the form.
        catalogue: of the departments.

    Raises:
        RejectedError: `detail_too_short`, `bad_number`.
    """
    _demand(detail, number)
    today = today_in_china()
    department = catalogue.successor(document.department, to_day(today))
    return Filing(department, "objection", _header(subject, name, department, f"网上异议-{number}") | {
        "target_department": document.department, "target_type": document.type, "target_document": document.number,
        "state": "RAISED", "detail": detail.strip(),
    })  # fmt: skip


def complaint(subject: str, name: str, title: str, detail: str, number: str, department: str) -> Filing:
    """A complaint (投诉举报), as a report from society: a hint for supervision, never by itself a reason for a measure.

    Raises:
        RejectedError: `detail_too_short`, `bad_number`.
    """
    _demand(detail, number)
    return Filing(department, "social_report", _header(subject, name, department, f"网上投诉-{number}") | {
        "origin": "OTHER", "source": "信用门户投诉举报", "title": title.strip(), "summary": detail.strip(),
    })  # fmt: skip


def _header(subject: str, name: str, department: str, document: str) -> dict[str, Any]:
    return {
        "subject": subject, "subject_name": name, "department": department, "document": document, "revision": 1,
        "decided_on": today_in_china(), "published_at": datetime.now(UTC),
    }  # fmt: skip


def _demand(detail: str, number: str) -> None:
    reasons = []
    if len(detail.strip()) < SHORTEST:
        rule = f"请至少写 {SHORTEST} 个字: at least {SHORTEST} characters"
        reasons.append(Reason(code="detail_too_short", field="detail", value=detail[:200], rule=rule))
    if not re.fullmatch(_NUMBER, number):
        reasons.append(
            Reason(code="bad_number", field="number", value=number[:200], rule="请重新打开表单: open the form anew")
        )
    if reasons:
        raise RejectedError(tuple(reasons))
