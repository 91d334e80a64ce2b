"""Early warning without Faust: what counts, when windows are over, and that a recount finds what is wrong."""

import pytest
from aiokafka.partitioner import murmur2

from consumers.early_warning.codec import Typed, WireFormat
from consumers.early_warning.recount import compare
from consumers.early_warning.spans import KEPT_DAYS, WEEK_MS
from consumers.early_warning.state import MemoryTables
from exchange.domain.calendar import DAY_MS
from exchange.errors import UndecodableError
from exchange.partitioner import partition_of
from tests.early_warning import (
    CODEC,
    TODAY,
    Happening,
    Worker,
    ends_of,
    header,
    messages_of,
    organisation,
    over,
    penalty,
    recounted,
    registration,
)

HOUR = 3_600_000


def counts_of(*happenings: Happening) -> dict[str, int]:
    """What a day's records count as, by series."""
    worker, messages = Worker(MemoryTables()), messages_of(happenings)
    worker.take(messages)
    worker.close(TODAY + DAY_MS, ends_of(messages))
    assert compare(recounted(messages), len(messages), worker.published).total == 0
    return {series: count for (width, series, _), count in worker.published.items() if width == DAY_MS}


def test_penalty_counts_by_place_department_ground_and_the_registered_industry() -> None:
    found = counts_of(registration(1, TODAY), penalty(1, "罚1", TODAY + HOUR, violation="3"))
    assert found == {
        "penalty.region.440100": 1, "penalty.department.gd.amr": 1, "penalty.ground.3": 1, "penalty.industry.F": 1,
    }  # fmt: skip


def test_registered_place_counts_where_the_record_names_none() -> None:
    found = counts_of(registration(1, TODAY), penalty(1, "罚1", TODAY + HOUR, division=""))
    assert found["penalty.region.440300"] == 1


def test_record_before_its_registration_counts_once_that_comes() -> None:
    found = counts_of(
        penalty(1, "罚1", TODAY), penalty(1, "罚2", TODAY + 1, division=""), registration(1, TODAY + HOUR)
    )
    assert (found["penalty.industry.F"], found["penalty.region.440100"], found["penalty.region.440300"]) == (2, 1, 1)


@pytest.mark.parametrize("later", [0, 1])
@pytest.mark.parametrize("is_over", [True, False])
def test_a_registration_that_comes_too_late_changes_nothing_whether_windows_are_over_or_not(
    later: int, is_over: bool
) -> None:
    worker, at = Worker(MemoryTables()), TODAY - (KEPT_DAYS + later) * DAY_MS
    messages = messages_of([penalty(1, "罚1", at), registration(1, TODAY)])
    worker.take(messages[:1])
    if is_over:
        worker.close(TODAY, ends_of(messages[:1]))
    worker.take(messages[1:])
    worker.close(TODAY + DAY_MS, ends_of(messages))
    assert worker.published.get((DAY_MS, "penalty.industry.F", at), 0) == 1 - later
    assert compare(recounted(messages), len(messages), worker.published).total == 0


def test_duplicate_and_revision_count_once_but_another_subject_again() -> None:
    first = penalty(1, "罚1", TODAY)
    revised = penalty(1, "罚1", TODAY + HOUR, revision=2)
    found = counts_of(first, first, revised, penalty(2, "罚1", TODAY))
    assert found["penalty.region.440100"] == 2


def test_other_signals_and_what_does_not_count() -> None:
    listed = header(1, "gd.tax", "列1", TODAY) | {"list_code": "TAX", "grounds": "1", "serious": True}
    praised = header(2, "gd.tax", "红1", TODAY) | {"list_code": "TAX-A"}
    abnormal = header(1, "gd.amr", "异1", TODAY) | {"grounds": "4", "state": "ENTERED"}
    removed = header(2, "gd.amr", "异2", TODAY) | {"grounds": "4", "state": "REMOVED"}
    report = header(1, "gd.drc", "诉1", TODAY) | {"origin": "INTERNET_FIRM"}
    found = counts_of(
        Happening("gd.tax", "listing", listed, TODAY), Happening("gd.tax", "listing", praised, TODAY),
        Happening("gd.amr", "abnormal_entry", abnormal, TODAY), Happening("gd.amr", "abnormal_entry", removed, TODAY),
        Happening("gd.drc", "social_report", report, TODAY),
    )  # fmt: skip
    assert found == {
        "listing.department.gd.tax": 1, "listing.ground.TAX": 1, "abnormal_entry.department.gd.amr": 1,
        "abnormal_entry.ground.4": 1, "complaint.department.gd.drc": 1, "complaint.ground.INTERNET-FIRM": 1,
    }  # fmt: skip


def test_what_the_processor_rejects_is_not_counted() -> None:
    worker = Worker(MemoryTables())
    taken = worker.take(messages_of([penalty(1, "", TODAY)]))
    assert taken.rejected
    assert not taken.counted


def test_a_week_counts_what_its_days_do_and_begins_each_day() -> None:
    worker = Worker(MemoryTables())
    messages = messages_of([penalty(n + 1, f"罚{n}", TODAY - n * DAY_MS) for n in range(10)])
    worker.take(messages)
    worker.close(TODAY + DAY_MS, ends_of(messages))
    assert worker.published[WEEK_MS, "penalty.region.440100", TODAY - 6 * DAY_MS] == 7
    assert worker.published[WEEK_MS, "penalty.region.440100", TODAY - 9 * DAY_MS] == 7
    assert worker.published == over(recounted(messages), TODAY + DAY_MS)


def test_window_is_over_when_every_topic_is_read_behind_it() -> None:
    worker = Worker(MemoryTables(), grace_ms=HOUR)
    messages = messages_of([penalty(1, "罚1", TODAY), penalty(1, "罚2", TODAY + DAY_MS + HOUR)])
    ends = ends_of(messages)
    worker.take(messages[:1])
    worker.close(TODAY + DAY_MS + 2 * HOUR, ends)
    assert not worker.published  # the backlog has something left, nobody knows of which day
    worker.take(messages[1:])
    worker.close(TODAY + DAY_MS + HOUR - 1, ends)
    assert not worker.published  # all is read, but the grace is not over
    worker.close(TODAY + DAY_MS + HOUR, ends)
    assert worker.published[DAY_MS, "penalty.region.440100", TODAY] == 1


def test_late_record_corrects_a_window_that_is_over() -> None:
    worker = Worker(MemoryTables())
    messages = messages_of([penalty(1, "罚1", TODAY), penalty(2, "罚2", TODAY + HOUR)])
    worker.take(messages[:1])
    worker.close(TODAY + DAY_MS, ends_of(messages[:1]))
    worker.take(messages[1:])
    worker.close(TODAY + DAY_MS, ends_of(messages))
    assert worker.published[DAY_MS, "penalty.region.440100", TODAY] == 2


def test_burst_is_a_finding_and_a_usual_day_is_none() -> None:
    worker = Worker(MemoryTables())
    days = [(back, 30 if back else 300) for back in range(60, -1, -1)]
    messages = messages_of(
        penalty(n % 400 + 1, f"罚{back}-{n}", TODAY - back * DAY_MS + n) for back, many in days for n in range(many)
    )
    worker.take(messages)
    worker.close(TODAY + DAY_MS, ends_of(messages))
    assert any(f"penalty.region.440100 {TODAY} 300".encode() in one for one in worker.warnings)
    assert not [one for one in worker.warnings if b" 30 " in one]


def test_recount_names_each_kind_of_difference() -> None:
    windows = {(DAY_MS, f"penalty.ground.{n}", TODAY): 5 for n in range(4)}
    published = {
        (DAY_MS, "penalty.ground.0", TODAY): 5,
        (DAY_MS, "penalty.ground.1", TODAY): 4,
        (DAY_MS, "penalty.ground.2", TODAY): 6,
    }
    published[DAY_MS, "penalty.ground.9", TODAY] = 1
    found = compare(windows, 20, published)
    assert found.by_kind() == {"missing": 1, "too_low": 1, "too_high": 1, "unfounded": 1}


def test_wire_format_is_the_bus_s_own() -> None:
    wire = WireFormat(CODEC)
    value = CODEC.plain("penalty", penalty(1, "罚1", TODAY).value)
    raw = wire.dumps(Typed("penalty", value))
    assert raw == CODEC.encode_plain("penalty", value)
    assert wire.clone().loads(raw) == ("penalty", value)
    with pytest.raises(UndecodableError):
        wire.loads(b"\0\0\0\0\1nothing")


@pytest.mark.parametrize("number", range(1, 9))
def test_faust_s_client_and_the_bus_agree_where_a_subject_lives(number: int) -> None:
    subject = organisation(number)
    assert (murmur2(subject.encode()) & 0x7FFFFFFF) % 4 == partition_of(subject, 4)
