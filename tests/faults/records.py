"""Records for fault tests: a small synthetic province, dense enough that its subjects meet several departments."""

from datetime import UTC, datetime
from itertools import islice

from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from producers.simulator.simulate import simulate
from tests.faults.bus import Record

SUBJECTS = 150


def province(*, seed: int, count: int) -> list[Record]:
    """So many records about few subjects."""
    keys = load_person_keys(Settings(), embedded=True)
    stream = simulate(seed, SUBJECTS, today=datetime.now(UTC).date(), keys=keys)
    return [(department, record_type, dict(value)) for department, record_type, value in islice(stream, count)]
