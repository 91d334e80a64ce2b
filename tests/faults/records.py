"""Records for fault tests: a small synthetic province, dense enough that its subjects meet several departments."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.faults.bus import Record
from tests.worlds import FIRM

SUBJECTS = 150


def province(*, seed: int, count: int) -> list[Record]:
    """So many records about few subjects."""
    keys = load_person_keys(Settings(), embedded=True)
    stream = simulate(seed, SUBJECTS, today=datetime.now(UTC).date(), keys=keys)
    return [(department, record_type, dict(value)) for department, record_type, value in islice(stream, count)]


def about_firm(department: str, record_type: str, document: str, **fields: Any) -> Record:
    """One record about one firm, decided and published today."""
    now = datetime.now(UTC)
    header = {"subject": FIRM, "department": department, "document": document, "revision": 1, "decided_on": now.date()}
    return department, record_type, {**header, "published_at": now, **fields}
