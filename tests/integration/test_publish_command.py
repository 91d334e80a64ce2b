"""`creditbus publish` on the real broker: killed in the middle it goes on, stopped it stops cleanly, and no row is lost."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.synthetic import synthetic_uscc
from exchange.settings import Settings
from producers.samples import SAMPLES
from producers.samples.people import firm, person
from tests.conftest import environment_of
from tests.producing import PERSON_KEYS, Departments

pytestmark = [pytest.mark.servers, pytest.mark.drawn]
ROWS = 20_000


class Command:
    """The command line of a department on one bus.

    Args:
        settings: of the bus.
        home: where progress is kept.
    """

    def __init__(self, settings: Settings, home: Path) -> None:
        self._environment = environment_of(settings) | {
            "CREDITBUS_HOME": str(home), "CREDITBUS_PERSON_KEYS": PERSON_KEYS, "COLUMNS": "200",
        }  # fmt: skip

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "deploy.cli.main", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def report(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        code, out, err = self.run(*arguments, "--json")
        assert out, err
        return code, json.loads(out)


@pytest.fixture
def departments(bus_settings: Settings) -> Departments:
    return Departments(bus_settings, sorted({sample.department for sample in SAMPLES}))


@pytest.fixture
def command(bus_settings: Settings, tmp_path: Path) -> Command:
    return Command(bus_settings, tmp_path / "home")


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """20,000 good rows, and a bad one every thousand."""
    path = tmp_path / "large.csv"
    codes = [synthetic_uscc(number) for number in range(1, 2001)]
    with path.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["名单代码", "主体名称", "统一社会信用代码", "认定文号", "列入事由", "是否严重失信", "列入日期"]
        )
        for number in range(1, ROWS + 1):
            code = codes[number % 2000] if number % 1000 else "91440300PDY00001X4"
            writer.writerow(
                ["TAX", f"合成第{number:05d}号", code, f"粤税失信〔2026〕{number}号", "1", "是", "2026/03/05"]
            )
    return path


def documents(departments: Departments) -> list[str]:
    return [record["document"] for _, record, _, _ in departments.published("gd.tax")]


def expected() -> set[str]:
    return {f"粤税失信〔2026〕{number}号" for number in range(1, ROWS + 1) if number % 1000}


def wait_for_progress(home: Path) -> dict[str, Any]:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        for path in home.glob("imports/*.json"):
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if found["line"]:
                return found
        time.sleep(0.02)
    raise AssertionError("no progress was written")


@pytest.mark.timeout(300)
def test_a_killed_import_goes_on_and_no_row_is_lost(
    departments: Departments, command: Command, large_file: Path, tmp_path: Path
) -> None:
    kills = 0
    while kills < 3:
        process = command.start("publish", large_file, "--department", "gd.tax")
        before = wait_for_progress(tmp_path / "home")
        time.sleep(0.3 * kills)
        process.kill()
        process.communicate()
        kills += 1
        assert not before["finished"] or kills > 1
    code, report = command.report("publish", large_file, "--department", "gd.tax")
    if report["already"]:
        pytest.fail("the import ended before it was killed: make the file larger")
    assert code == 1  # bad rows
    assert report["bad"] == ROWS // 1000
    assert report["rows"] == ROWS
    assert 0 < report["known"] < ROWS
    assert report["line"] == ROWS + 1
    assert report["known"] + report["records"] == ROWS - ROWS // 1000
    found = documents(departments)
    assert set(found) == expected()
    assert len(found) < 1.8 * ROWS  # only what was in flight is sent again


def test_a_finished_import_says_so_and_can_be_forced(departments: Departments, command: Command) -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "red-list.csv")
    arguments = ("publish", sample.path, "--department", sample.department)
    code, first = command.report(*arguments)
    assert (code, first["records"], first["already"]) == (0, 10, False)
    code, second = command.report(*arguments)
    assert (code, second["records"], second["already"]) == (0, 0, True)
    code, out, _ = command.run(*arguments)
    assert "已报送" in out
    assert "--again" in out
    code, third = command.report(*arguments, "--again")
    assert (code, third["records"], third["already"]) == (0, 10, False)
    assert len(documents(departments)) == 20


def test_a_finished_import_with_bad_rows_fails_again(departments: Departments, command: Command) -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "tax-list.csv")
    for already in (False, True):
        code, report = command.report("publish", sample.path, "-d", "gd.tax")
        assert (code, report["bad"], report["already"]) == (1, 2, already)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(
    departments: Departments, command: Command, large_file: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = command.start("publish", large_file, "--department", "gd.tax", "--json")
    wait_for_progress(tmp_path / "home")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    report = json.loads(out)
    assert report["stopped"]
    assert 0 < report["records"] < ROWS
    found = documents(departments)
    assert len(found) == len(set(found)) == report["records"]  # everything that was sent is confirmed and remembered
    last = max(int(document.removeprefix("粤税失信〔2026〕").removesuffix("号")) for document in found) + 1
    assert report["line"] in (last, last + 1)  # a bad row may have been the last
    _, rest = command.report("publish", large_file, "--department", "gd.tax")
    assert rest["known"] == report["records"]
    found = documents(departments)
    assert len(found) == len(set(found))
    assert set(found) == expected()


def test_strict_sends_nothing(departments: Departments, command: Command, tmp_path: Path) -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "tax-list.csv")
    report = tmp_path / "report.csv"
    code, out, err = command.run("publish", sample.path, "-d", "gd.tax", "--strict", "--report", report)
    assert code == 1
    assert "error[bad_rows]: 2 of 20 rows are bad, nothing was sent" in err
    assert "漏税" in out
    assert documents(departments) == []
    with report.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["line"], row["code"]) for row in rows if row["verdict"] == "bad"} == {
        ("14", "unknown_value"),
        ("16", "no_identifier"),
    }


def test_every_sample_arrives_and_no_citizen_id_with_it(departments: Departments, command: Command) -> None:
    sent: dict[str, int] = {}
    for sample in SAMPLES:
        _, report = command.report("publish", sample.path, "-d", sample.department, "-f", sample.layout)
        sent[sample.department] = sent.get(sample.department, 0) + report["records"]
        assert report["records"] > 0
    ids = {firm(number).representative_id for number in range(1, 42)} | {person(number) for number in range(1, 20)}
    for department, records in sent.items():
        messages = departments.published(department)
        assert len(messages) == records
        for key, record, _, _ in messages:
            text = json.dumps(record, ensure_ascii=False, default=str)
            assert not any(one in text for one in ids), record["document"]
            assert "合成自然人" not in text
            assert not key.startswith("person:") or record["subject_name"] == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--department", "gd.nobody"), "unknown_department"),
        (("--department", "gd.psd"), "type_not_granted"),
        (("--department", "gd.tax", "--format", "penalty-2018"), "missing_columns"),
        (("--department", "gd.tax", "--revision-from", "SJC"), "no_such_column"),
    ],
)
def test_errors_are_one_line_that_says_what_to_do(
    departments: Departments, command: Command, large_file: Path, arguments: Sequence[str], code: str
) -> None:
    status, out, err = command.run("publish", large_file, *arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"error[{code}]: ")
    assert " - " in err
    assert err.count("\n") == 1


def test_a_dry_run_needs_no_servers(large_file: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CREDITBUS_")}
    environment["CREDITBUS_HOME"] = str(tmp_path / "nowhere")
    command = [
        sys.executable,
        "-m",
        "deploy.cli.main",
        "publish",
        str(large_file),
        "-d",
        "gd.tax",
        "--dry-run",
        "--json",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    report = json.loads(done.stdout)
    assert (done.returncode, report["rows"], report["bad"], report["records"]) == (1, ROWS, ROWS // 1000, 0)
    assert not (tmp_path / "nowhere").exists()
