"""`creditbus archive` and `creditbus statistics` over an archive made without a broker."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.archive import app
from deploy.cli.statistics import statistics
from exchange.archive_questions import questions
from exchange.errors import RequestError
from tests.archiving import example_messages, fill

runner = CliRunner()
asked = typer.Typer()
asked.command()(statistics)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "archive"
    monkeypatch.setenv("CREDITBUS_ARCHIVE_FOLDER", str(found))
    return found


def test_questions_are_listed_and_answered(folder: Path) -> None:
    fill(folder, example_messages())
    listed = json.loads(runner.invoke(asked, ["--json"]).stdout)
    assert [one["name"] for one in listed] == list(questions())
    found = json.loads(runner.invoke(asked, ["regions", "--until", "2026-11-30", "--json"]).stdout)
    assert {"city": "440300", "registrations": 1, "licences": 1, "penalties": 1, "fines_yuan": "200000.00", "listings": 0, "abnormal_entries": 1} in found  # fmt: skip
    shown = runner.invoke(asked, ["lists", "--until", "2026-11-30"])
    assert shown.exit_code == 0
    assert "TAX" in shown.stdout
    nothing = runner.invoke(asked, ["regions", "--until", "1990-01-01"])
    assert "nothing" in nothing.stdout


def test_sql_is_answered_and_mistakes_are_told(folder: Path) -> None:
    fill(folder, example_messages())
    found = runner.invoke(app, ["query", "SELECT count(*) AS n, max(decided_on) AS day FROM penalty_now", "--json"])
    assert json.loads(found.stdout) == [{"n": 2, "day": "2026-05-08"}]
    wrong = runner.invoke(app, ["query", "SELECT colour FROM penalty"])
    assert isinstance(wrong.exception, RequestError)
    assert wrong.exception.code == "bad_query"


def test_compaction_by_hand(folder: Path) -> None:
    messages = example_messages()
    fill(folder, messages[:20], messages[20:])
    done = json.loads(runner.invoke(app, ["compact", "--month", "2026-11", "--json"]).stdout)
    assert done["files_fewer"] > 0
    assert done["files_sorted"] > 10
    before = runner.invoke(app, ["compact"])
    assert before.stdout.startswith("0 files fewer, 0 files sorted")


@pytest.mark.parametrize("command", [["compact"], ["query", "SELECT 1"]])
def test_no_archive_is_told(folder: Path, command: list[str]) -> None:
    told = runner.invoke(app, command)
    assert isinstance(told.exception, RequestError)
    assert told.exception.code == "archive_absent"
    assert not folder.exists()
