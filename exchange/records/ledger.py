"""What the ledger writes about everything else.

Mirror of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from exchange.domain.identity import SubjectId
from exchange.records.words import LedgerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """存证条目: One entry of the hash-chained ledger."""

    sequence: int
    previous: bytes
    kind: LedgerKind
    topic: str
    partition: int
    offset: int = -1
    written_at: datetime
    subject: SubjectId | Literal[""] = ""
    department: str = ""
    record_type: str = ""
    document: str = ""
    cause: str = ""
    payload_digest: bytes
    key_digest: bytes
    key_id: str = ""
    signature: bytes
