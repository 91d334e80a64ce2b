"""Ready questions to the archive: each over a small bus whose answers can be counted by hand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exchange import clock
from exchange.archive_questions import ask, prepare, questions
from exchange.archive_tables import open_archive
from exchange.domain.synthetic import synthetic_uscc
from exchange.errors import RequestError
from exchange.settings import Settings
from tests.archiving import CODEC, TOPICS, Message, fill

LISTED_ON = date(2026, 3, 2)
FIRMS = [f"org:{synthetic_uscc(number)}" for number in range(1, 9)]
UNTIL = date(2026, 11, 20)


class Bus:
    """Makes messages, numbered by topic."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._numbers: dict[str, int] = {}

    def add(self, topic: str, record_type: str, subject: str, **fields: Any) -> None:
        number = self._numbers[topic] = self._numbers.get(topic, -1) + 1
        raw = CODEC.encode(record_type, {"subject": subject, **fields})
        self.messages.append(Message(topic, raw, number, subject.encode()))

    def record(self, department: str, record_type: str, subject: str, document: str, on: date, **fields: Any) -> None:
        header = {"department": department, "document": document, "revision": 1, "decided_on": on}
        published = datetime(2026, 11, 19, tzinfo=UTC)
        self.add(TOPICS.into(department), record_type, subject, **(header | {"published_at": published} | fields))

    def change(self, subject: str, n: int, on: date, listings: list[str], measures: list[str]) -> None:
        at = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
        self.add(
            TOPICS.standing,
            "standing_change",
            subject,
            epoch=0,
            n=n,
            changed_at=at,
            listings=listings,
            measures=measures,
        )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    bus = Bus()
    for number, firm in enumerate(FIRMS):
        bus.record(
            "gd.amr", "registration", firm, f"登记{number}", date(2025, 6, 1), kind="ENTERPRISE", industry="52" if number < 4 else "61",
            division="440300", established_on=date(2025, 6, 1),
        )  # fmt: skip
    bus.record(
        "gd.amr", "registration", FIRMS[7], "登记7", date(2026, 6, 1), revision=2, status="CANCELLED", kind="ENTERPRISE",
        industry="61", division="440300", established_on=date(2025, 6, 1),
    )  # fmt: skip
    # Two firms with a penalty each before they are listed; one has another afterwards. Two others alike, with one each afterwards.
    for number in (0, 1, 2, 3):
        bus.record(
            "gd.amr", "penalty", FIRMS[number], f"罚{number}", date(2026, 1, 5), division="440300", fine_yuan=100
        )
    bus.record("gd.amr", "penalty", FIRMS[1], "罚后1", date(2026, 5, 5), division="440100", fine_yuan=1000)
    for number in (2, 3):
        bus.record("gd.amr", "penalty", FIRMS[number], f"罚后{number}", date(2026, 5, 6), division="440300")
    again = bus.messages[-1]
    bus.messages.append(Message(again.of_topic, again.raw, again.number + 1, again.about))  # published once more
    bus._numbers[again.of_topic] += 1
    bus.record("gd.amr", "penalty", FIRMS[5], "误罚", date(2026, 5, 6), division="440300")
    bus.record("gd.amr", "withdrawal", FIRMS[5], "撤1", date(2026, 5, 7), target_type="penalty", target_document="误罚")
    for number in (0, 1):
        entry = f"TAX listing/gd.tax/税{number}"
        bus.record("gd.tax", "listing", FIRMS[number], f"税{number}", LISTED_ON, list_code="TAX", basis="某办法第一条")
        bus.change(FIRMS[number], 1, LISTED_ON, [entry], ["gd.fin/procurement_ban"])
        bus.change(
            FIRMS[number], 2, LISTED_ON + timedelta(1), [entry], ["gd.fin/procurement_ban", "gd.prtc/bidding_limit"]
        )
    bus.change(FIRMS[0], 3, date(2026, 9, 1), [], [])
    fields: dict[str, Any] = {
        "notice_id": "0" * 32,
        "measure": "procurement_ban",
        "state": "EXECUTED",
        "executed_on": LISTED_ON,
        "n": 1,
    }
    bus.record("gd.fin", "measure_feedback", FIRMS[0], "馈1", LISTED_ON, **fields)
    folder: Path = tmp_path_factory.mktemp("questions") / "archive"
    fill(folder, bus.messages)
    with closing(open_archive(Settings(archive_folder=str(folder)))) as opened:
        assert opened.execute("SELECT sum(refused)::INT FROM intake").fetchall() == [(0,)]
        yield opened


def answer(archive: duckdb.DuckDBPyConnection, name: str, **given: Any) -> list[dict[str, Any]]:
    return ask(archive, name, **({"until": UNTIL} | given)).as_json()


def test_every_question_says_what_it_is_in_both_languages_and_is_answered(archive: duckdb.DuckDBPyConnection) -> None:
    assert len(questions()) == 12
    for name, question in questions().items():
        assert question.zh
        assert question.en
        given = dict.fromkeys(question.takes, "TAX")
        assert ask(archive, name, **given).columns  # type: ignore[arg-type] # texts only


def test_a_question_reaches_to_the_day_it_is_in_china(
    archive: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening_before = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # half past midnight in Guangzhou
    monkeypatch.setattr(clock, "now_ms", lambda: int(evening_before.timestamp() * 1000))
    assert clock.today() == LISTED_ON
    entries = {row["list_code"]: row["entries"] for row in ask(archive, "lists").as_json()}
    assert entries["TAX"] > 0


def test_regions_count_each_document_once_and_none_that_was_withdrawn(archive: duckdb.DuckDBPyConnection) -> None:
    shown = {
        row["city"]: (row["penalties"], row["fines_yuan"]) for row in answer(archive, "regions") if row["penalties"]
    }
    assert shown == {"440300": (6, 400), "440100": (1, 1000)}


def test_industries_and_kinds_go_by_the_newest_registration(archive: duckdb.DuckDBPyConnection) -> None:
    industries = {row["industry"]: row for row in answer(archive, "industries")}
    assert (industries["52"]["subjects"], industries["52"]["penalised"], industries["52"]["penalties"]) == (4, 4, 7)
    assert (industries["61"]["subjects"], industries["61"]["active"], industries["61"]["listed"]) == (4, 3, 0)
    (kind,) = answer(archive, "kinds", since=date(2026, 5, 1))
    assert (kind["kind"], kind["subjects"], kind["penalties"], kind["listings"]) == ("ENTERPRISE", 8, 3, 0)


def test_lists_and_measures_count_entries_exits_and_what_is_left(archive: duckdb.DuckDBPyConnection) -> None:
    assert answer(archive, "lists") == [{"list_code": "TAX", "entries": 2, "exits": 1, "listed": 1}]
    assert answer(archive, "lists", since=date(2026, 8, 1))[0] == {
        "list_code": "TAX",
        "entries": 0,
        "exits": 1,
        "listed": 1,
    }
    assert answer(archive, "lists", until=date(2026, 5, 1))[0]["listed"] == 2
    bidding, ban = answer(archive, "measures")
    assert (bidding["measure"], bidding["imposed"], bidding["lifted"], bidding["executed"]) == (
        "bidding_limit",
        2,
        1,
        0,
    )
    assert (ban["department"], ban["imposed"], ban["in_force"], ban["executed"]) == ("gd.fin", 2, 1, 1)


def test_market_entities_enter_and_exit(archive: duckdb.DuckDBPyConnection) -> None:
    assert [(row["month"], row["established"], row["cancelled"]) for row in answer(archive, "market")] == [("2025-06", 8, 0), ("2026-06", 0, 1)]  # fmt: skip


def test_records_are_counted_as_published(archive: duckdb.DuckDBPyConnection) -> None:
    penalties = next(row for row in answer(archive, "records") if row["record_type"] == "penalty")
    assert (penalties["records"], penalties["subjects"]) == (9, 5)


def test_the_effect_of_a_list_is_told_beside_others_alike(archive: duckdb.DuckDBPyConnection) -> None:
    (row,) = answer(archive, "effect", code="TAX", since=date(2026, 3, 1), until=date(2026, 3, 31))
    assert (row["entered"], row["matched"], row["others"]) == (2, 2, 2)
    assert (row["per_100_before"], row["per_100_after"]) == (100, 50)
    assert (row["others_per_100_before"], row["others_per_100_after"], row["effect_per_100"]) == (100, 100, -50)
    assert row["effect_low"] < -50 < row["effect_high"]
    (nobody,) = answer(archive, "effect", code="TAX", since=date(2026, 4, 1))
    assert (nobody["entered"], nobody["effect_per_100"]) == (0, None)


def test_the_effect_of_a_measure_counts_from_the_day_it_was_imposed(archive: duckdb.DuckDBPyConnection) -> None:
    (ban,) = answer(archive, "effect", code="procurement_ban", since=LISTED_ON, until=LISTED_ON)
    assert (ban["entered"], ban["effect_per_100"]) == (2, -50)
    (bidding,) = answer(archive, "effect", code="bidding_limit", since=LISTED_ON, until=LISTED_ON)
    assert bidding["entered"] == 0, "it came a day later"


def test_unknown_questions_and_missing_parameters_are_refused(archive: duckdb.DuckDBPyConnection) -> None:
    for name, code in (("weather", "unknown_question"), ("effect", "missing_parameter")):
        with pytest.raises(RequestError) as refused:
            ask(archive, name)
        assert refused.value.code == code


def test_views_may_be_prepared_again(archive: duckdb.DuckDBPyConnection) -> None:
    prepare(archive)
    prepare(archive)
