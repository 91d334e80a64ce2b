"""Changing the person key: a department says of each of its persons which pseudonym he had, so that old and new records are one person's."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from exchange.domain.identity import IdentityError
from exchange.pseudonym import PersonKeys, person_subjects

RECORD_TYPE = "pseudonym_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no citizen ID; which one it would be is not repeated."""

    line: int
    code: str
    rule: str


def pseudonym_changes(
    citizen_ids: Iterable[str], keys: PersonKeys, today: date
) -> Iterator[tuple[int, dict[str, Any]] | BadLine]:
    """Number of the line, and a record for each older pseudonym of its person; blank lines are left out.

    The same persons and keys give the same documents, so that a repeat does no harm.

    Args:
        citizen_ids: one a line.
        keys: newest first; the first is the one that persons are known by from now on.
        today: day of the change.
    """
    for number, line in enumerate(citizen_ids, 1):
        if not line.strip():
            continue
        try:
            subject, *formers = person_subjects(line.strip(), keys, today)
        except IdentityError as error:
            yield BadLine(line=number, code=error.code, rule=error.rule)
            continue
        for former in formers:
            yield number, {
                "subject": subject, "document": change_number(subject, former), "revision": 1, "decided_on": today, "former": former,
            }  # fmt: skip


def change_number(subject: str, former: str) -> str:
    """The number of a change: letters, mostly, because long numbers are taken for citizen IDs.

    >>> change_number("person:k2.00112233445566778899aabbccddeeff", "person:k1.ffeeddccbbaa99887766554433221100")
    'PC-VQICYOWK4QT6E24OYI45PWWVPJ'
    """
    digest = hashlib.sha256(f"{former} {subject}".encode()).digest()
    return "PC-" + base64.b32encode(digest)[:26].decode()
