"""The book of deadlines: what messages bring to it, whatever batches and order they come in, and what it says of them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumers.deadlines.book import DeadlineBook
from consumers.deadlines.intake import IntakeReader, Taken
from consumers.deadlines.keeper import DeadlineKeeper
from consumers.standing.acceptance import NEVER_HELD
from consumers.standing.decode import Decoder
from exchange.domain.timeliness import Timing
from exchange.errors import RequestError
from exchange.fed_folder import Bus
from tests.unit.test_directory_intake import CATALOGUE, CODEC, FIRM, PARTITIONS, POLICY, TOPICS, Message
from tests.unit.test_timeliness import CALENDAR, TIMELINESS
from tests.worlds import day

BUS = Bus("credit", 4, "cluster")
TODAY = "2026-06-10"
LATER = "2026-06-30"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T04:00:00").replace(tzinfo=UTC)


def message(
    record_type: str, document: str, decided_on: str, published: str, number: int = 0, **changes: Any
) -> Message:
    department = changes.pop("department", "gd.eco")
    record = {
        "subject": FIRM, "subject_name": "合成公司", "department": department, "document": document, "revision": 1,
        "decided_on": date.fromisoformat(decided_on), "published_at": at(published), "division": "440300",
    }  # fmt: skip
    raw = CODEC.encode(record_type, record | changes)
    return Message(raw, department, int(at(published).timestamp() * 1000), number, str(changes.get("subject", FIRM)))


def read(*messages: Message) -> Taken:
    decoder = Decoder(CODEC, CATALOGUE, TOPICS, POLICY, partitions=PARTITIONS, limit=NEVER_HELD)
    departments = {TOPICS.into(slug): slug for slug in CATALOGUE.departments}
    now = int((at(TODAY) + timedelta(days=900)).timestamp() * 1000)
    return IntakeReader(decoder, CODEC, departments, CATALOGUE.recommended, TIMELINESS, lambda: now).read(messages)


def book_of(folder: Path, *batches: list[Message], judged_by: str = "one") -> DeadlineBook:
    keeper = DeadlineKeeper(folder, BUS, TIMELINESS, judged_by)
    for batch in batches:
        keeper.keep(read(*batch))
    keeper.close()
    return DeadlineBook(folder, TIMELINESS, CATALOGUE)


def counts(book: DeadlineBook, record_type: str = "penalty", on: str = LATER) -> dict[Timing, int]:
    [found] = [one for one in book.disclosures(day(on)) if one.record_type == record_type]
    assert found.department == "gd.eco"
    return found.counts


PENALTY = message("penalty", "粤环罚〔2026〕1号", "2026-06-01", "2026-06-10", 1)
LATE = message("penalty", "粤环罚〔2026〕2号", "2026-06-01", "2026-06-11", 2)
CORRECTED = message("penalty", "粤环罚〔2026〕1号", "2026-05-04", "2026-06-20", 3, revision=2)


def test_on_time_and_late_by_department_and_resource(tmp_path: Path) -> None:
    licence = message("licence", "粤环许〔2026〕1号", "2026-06-01", "2026-06-02", 4)
    book = book_of(tmp_path, [PENALTY, LATE, licence])
    assert counts(book) == {Timing.ON_TIME: 1, Timing.LATE: 1}
    assert counts(book, "licence") == {Timing.ON_TIME: 1}
    assert counts(book) == {Timing.ON_TIME: 1, Timing.LATE: 1}
    assert not book.disclosures(day(LATER), since=day("2026-06-12"))
    [before] = [one for one in book.disclosures(day("2026-06-10")) if one.record_type == "penalty"]
    assert before.counts == {Timing.ON_TIME: 1}, "as it was on that day"


def test_the_first_record_says_when_it_was_public_and_the_newest_when_it_was_decided(tmp_path: Path) -> None:
    one, other = book_of(tmp_path / "b", [PENALTY, CORRECTED]), book_of(tmp_path / "c", [PENALTY], [CORRECTED])
    assert (
        {k: v for k, v in counts(one).items() if v} == {k: v for k, v in counts(other).items() if v} == {Timing.LATE: 1}
    )


def test_a_minor_penalty_of_now_has_no_term(tmp_path: Path) -> None:
    book = book_of(tmp_path, [message("penalty", "粤环罚〔2026〕3号", "2026-05-01", "2026-06-10", 1, severity="MINOR")])
    assert book.disclosures(day(TODAY)) == []


def test_a_rejected_decision_is_owed_until_it_is_accepted(tmp_path: Path) -> None:
    wrong = message("penalty", "粤环罚〔2026〕4号", "2026-06-02", "2026-06-03", 1, division="12")
    book = book_of(tmp_path, [wrong])
    [waiting] = book.open_decisions(day(TODAY))
    assert (waiting.timing, waiting.due.by, waiting.claim.why, waiting.claim.exact) == (
        Timing.DUE_SOON, day("2026-06-11"), "rejected", 1,
    )  # fmt: skip
    assert book.open_decisions(day("2026-06-12"))[0].timing is Timing.OVERDUE
    assert counts(book, on=TODAY) == {Timing.DUE_SOON: 1}
    mended = message("penalty", "粤环罚〔2026〕4号", "2026-06-02", "2026-06-09", 2)
    assert not book_of(tmp_path, [mended, wrong]).open_decisions(day(TODAY)), "in whatever order within a batch"
    assert counts(book) == {Timing.ON_TIME: 1}


def test_a_decision_that_another_record_speaks_of_is_known_with_its_latest_day(tmp_path: Path) -> None:
    repair = message(
        "repair", "粤环修〔2026〕1号", "2026-06-03", "2026-06-03", 1, target_department="gd.eco", target_type="penalty",
        target_document="粤环罚〔2026〕5号", state="APPLIED",
    )  # fmt: skip
    book = book_of(tmp_path, [repair])
    [waiting] = book.open_decisions(day(TODAY))
    assert (waiting.claim.document, waiting.claim.exact, waiting.claim.why) == ("粤环罚〔2026〕5号", 0, "repair")
    exact = message("penalty", "粤环罚〔2026〕5号", "2026-05-29", "2026-06-04", 2, division="12")
    [waiting] = book_of(tmp_path, [exact]).open_decisions(day(TODAY))
    assert (waiting.claim.decided_on, waiting.claim.exact) == (day("2026-05-29"), 1), "its own day goes before a bound"
    book_of(tmp_path, [message("penalty", "粤环罚〔2026〕5号", "2026-05-29", "2026-06-09", 3)])
    assert not book.open_decisions(day(TODAY))


def test_nothing_is_owed_for_what_was_never_a_decision(tmp_path: Path) -> None:
    classified = message("penalty", "粤环罚〔2026〕6号", "2026-06-02", "2026-06-03", 1, classification="CLASSIFIED")
    minor = message("penalty", "粤环罚〔2026〕7号", "2026-06-02", "2026-06-03", 2, severity="MINOR", division="12")
    future = message("penalty", "粤环罚〔2026〕8号", "2027-06-02", "2026-06-03", 3)
    noise = Message(b"no record", "gd.eco", int(at("2026-06-03").timestamp() * 1000), 4)
    book = book_of(tmp_path, [classified, minor, future, noise])
    assert book.open_decisions(day(TODAY)) == []
    [conduct] = book.conducts(day(LATER))
    assert (conduct.accepted, conduct.rejected) == (0, 4)


def test_what_departments_did(tmp_path: Path) -> None:
    book = book_of(tmp_path, [PENALTY, LATE], [CORRECTED])
    [conduct] = book.conducts(day(LATER))
    assert (conduct.decisions, conduct.corrections, conduct.accepted) == (3, 1, 3)
    assert conduct.asked == 3 * len(CATALOGUE.recommended["penalty"])
    assert conduct.filled == 3 * 2, "name and division"
    assert book.conducts(day("2026-07-30"), since=day("2026-07-01")) == []


def test_cycles_of_every_resource_of_whoever_exists(tmp_path: Path) -> None:
    book = book_of(tmp_path, [PENALTY])
    cycles = {(one.department, one.record_type): one for one in book.cycles(day("2026-06-20"))}
    assert cycles["gd.eco", "penalty"].pace.since == 10
    assert cycles["gd.tax", "rating"].pace.since is None
    assert ("gd.fda", "penalty") not in cycles, "succeeded in 2018"


def test_another_policy_or_calendar_judges_all_anew(tmp_path: Path) -> None:
    book_of(tmp_path, [PENALTY, LATE])
    keeper = DeadlineKeeper(tmp_path, BUS, TIMELINESS, "one")
    keeper._file.writer.execute("UPDATE decisions SET timing = 'late'")
    keeper.close()
    book = DeadlineBook(tmp_path, TIMELINESS, CATALOGUE)
    assert counts(book) == {Timing.ON_TIME: 1, Timing.LATE: 1}, "the same policy: nothing is judged"
    book = book_of(tmp_path, judged_by=f"other {CALENDAR.last_year}")
    assert counts(book) == {Timing.ON_TIME: 1, Timing.LATE: 1}
    rows = book._all("SELECT timing FROM decisions ORDER BY document")
    assert rows == [("on_time",), ("late",)]


def test_no_book_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as refused:
        DeadlineBook(tmp_path, TIMELINESS, CATALOGUE)
    assert refused.value.code == "deadlines_absent"
