"""Windows counted from the archive's tables are those counted from the topics, wherever the one ends and the other begins."""

import random
from contextlib import closing
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.early_warning.archived import COUNTS, count_archived
from consumers.early_warning.recount import Province, Recount, compare
from consumers.early_warning.spans import KEPT_DAYS
from consumers.early_warning.state import MemoryTables
from exchange.archive_tables import archive_tables
from exchange.clock import now_ms
from exchange.domain.calendar import DAY_MS
from tests.archiving import CODEC, gather
from tests.early_warning import (
    DEPARTMENTS,
    PARTITIONS,
    POLICY,
    TODAY,
    FakeMessage,
    Happening,
    Worker,
    decoder,
    ends_of,
    header,
    looker,
    messages_of,
    penalty,
    recounted,
    registration,
)

REWARDING = [code for code, rule in POLICY.lists.items() if rule.colour == "red"]
TABLES = archive_tables(CODEC.contracts)


def happening(rnd: random.Random, at: int) -> Happening:
    """One of all kinds that count, and some that do not, of few subjects and documents."""
    number, division = rnd.randrange(1, 6), rnd.choice(("440106", "440300", ""))
    match rnd.randrange(6):
        case 0:
            return registration(number, at, industry=rnd.choice(("F5111", "C", "batteries", "")), division=division)
        case 1:
            grounds, state = rnd.choice(("4", "地址失联")), rnd.choice(("ENTERED", "REMOVED"))
            return _of(rnd, "gd.amr", "abnormal_entry", number, at, grounds=grounds, state=state, division=division)
        case 2:
            code = rnd.choice(("TAX", "TAX-A"))
            return _of(rnd, "gd.tax", "listing", number, at, list_code=code, grounds="1", division=division)
        case 3:
            origin = rnd.choice(("INTERNET_FIRM", "MEDIA"))
            return _of(rnd, "gd.drc", "social_report", number, at, origin=origin, division=division)
    department, violation = rnd.choice(("gd.amr", "gd.tax")), rnd.choice(("3", "A-12", "违法广告", ""))
    return penalty(number, f"罚{rnd.randrange(8)}", at, department, violation=violation, division=division)


def _of(rnd: random.Random, department: str, record_type: str, number: int, at: int, **fields: Any) -> Happening:
    value = header(number, department, f"号{rnd.randrange(8)}", at, rnd.randrange(1, 3)) | fields
    return Happening(department, record_type, value, at)


def archive_of(messages: list[FakeMessage]) -> duckdb.DuckDBPyConnection:
    """The tables that the archive would have."""
    pieces = gather(messages, now=TODAY + 10 * DAY_MS, partitions=PARTITIONS).pieces  # type: ignore[arg-type] # they have the same methods
    archive = duckdb.connect()
    for name in (*COUNTS, "registration"):
        archive.register(name, pa.concat_tables(pieces.get(name, [TABLES[name].columns.empty_table()])))
    return archive


def province_of(messages: list[FakeMessage]) -> Province:
    return Recount(decoder(), looker(), DEPARTMENTS, now_ms).look(messages)


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_archive_and_topics_say_the_same(seed: int) -> None:
    rnd = random.Random(seed)
    days = rnd.choice((3, 2 * KEPT_DAYS))
    times = sorted(rnd.randrange(TODAY - days * DAY_MS, TODAY + DAY_MS) for _ in range(rnd.randrange(60)))
    messages = messages_of(happening(rnd, at) for at in times)
    until = rnd.randrange(len(messages) + 1)
    begin = rnd.randrange(until + 1)  # a commit under way: some are in the tables that it has not said it has
    with closing(archive_of(messages[:until])) as archive:
        windows, records = count_archived(archive, province_of(messages[begin:]), REWARDING)
    assert windows == recounted(messages), seed
    assert records == len(province_of(messages).first)


@pytest.mark.parametrize(("change", "kind"), [(-1, "too_low"), (1, "too_high")])
def test_a_lost_and_a_doubled_count_are_found_from_the_archive(change: int, kind: str) -> None:
    messages = messages_of(penalty(n, f"罚{n}", TODAY - DAY_MS + n) for n in range(1, 9))
    worker = Worker(MemoryTables())
    worker.take(messages)
    worker.close(TODAY, ends_of(messages))
    with closing(archive_of(messages)) as archive:
        counted, records = count_archived(archive, Province(), REWARDING)
    assert compare(counted, records, worker.published).total == 0
    worker.published[DAY_MS, "penalty.region.440100", TODAY - DAY_MS] += change
    found = compare(counted, records, worker.published)
    assert (found.total, found.by_kind()[kind]) == (1, 1)
