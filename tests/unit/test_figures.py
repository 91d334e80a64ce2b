"""Figures of open data: counted from an archive, without natural persons, with no small count in them."""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.open_data.figures import FIGURES, count_figure, league_figure
from consumers.open_data.run import read_figures
from exchange.archive_tables import open_archive
from exchange.domain.synthetic import synthetic_organisation
from exchange.errors import RequestError
from exchange.settings import Settings
from tests.archiving import CODEC, TOPICS, Message, fill
from tests.unit.test_deadlines import CORRECTED, LATE, PENALTY, book_of

UNTIL = date(2026, 11, 20)
PERSON = "person:k1." + "ab" * 16


def message(number: int, record_type: str, division: str, subject: str = "", **changes: Any) -> Message:
    subject = subject or f"org:{synthetic_organisation(number)}"
    record = {
        "subject": subject, "subject_name": "", "department": "gd.eco", "document": f"文{number}", "revision": 1,
        "decided_on": date(2026, 6, 1), "published_at": datetime(2026, 6, 2, tzinfo=UTC), "division": division,
    }  # fmt: skip
    return Message(TOPICS.into("gd.eco"), CODEC.encode(record_type, record | changes), number, subject.encode())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of an archive: in Guangzhou 7 penalties and 9 licences, in Shenzhen 2 penalties (one of a person more) and 30 licences."""
    messages = [message(n, "penalty", "440106") for n in range(7)]
    messages += [message(100 + n, "licence", "440100") for n in range(9)]
    messages += [message(200 + n, "penalty", "440300") for n in range(2)] + [message(210, "penalty", "440300", PERSON)]
    messages += [message(300 + n, "licence", "440300") for n in range(30)]
    messages += [message(400, "licence", "440300", decided_on=date(2020, 1, 1))]
    fill(tmp_path / "archive", messages)
    return Settings(archive_folder=str(tmp_path / "archive"), deadlines_folder=str(tmp_path / "deadlines"))


def test_counts_by_city_without_persons_and_small_counts(settings: Settings) -> None:
    with closing(open_archive(settings)) as archive:
        found = count_figure("regions", archive, UNTIL)
    rows = {row["row"]: row for row in found["rows"]}
    assert rows["440300"]["penalty"] is None, "two"
    assert rows["440100"]["penalty"] is None, "or it could be worked out"
    assert rows["total"] == {"row": "total", "licence": 39, "penalty": 9, "total": 48}
    assert found["not_shown"] == 4
    assert found["columns"] == ["licence", "penalty", "total"]


def test_every_figure_can_be_made(settings: Settings) -> None:
    with closing(open_archive(settings)) as archive:
        for name in FIGURES:
            found = count_figure(name, archive, UNTIL)
            shown = [value for row in found["rows"] for value in row.values() if isinstance(value, int)]
            assert not [value for value in shown if 0 < value < found["least"]], name
        trends = count_figure("trends", archive, UNTIL)
        assert [row["row"] for row in trends["rows"]] == ["2026-06", "total"]
        with pytest.raises(RequestError) as refused:
            count_figure("nothing", archive, UNTIL)
    assert refused.value.code == "unknown_figure"


def test_the_league_is_a_figure_and_what_is_missing_is_told(settings: Settings, tmp_path: Path) -> None:
    found, missing = read_figures(settings, UNTIL)
    assert ({one.name for one in found}, missing) == (set(FIGURES), ["deadlines_absent"])
    book = book_of(tmp_path / "deadlines", [PENALTY, LATE], [CORRECTED])
    [row] = league_figure(book, UNTIL)["rows"]
    assert (row["row"], row["rank"], row["late"], row["timeliness"]) == ("gd.eco", None, 2, 0.0)
    assert read_figures(settings, UNTIL)[1] == []
