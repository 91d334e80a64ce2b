"""Uploads without servers: what stops goes on, what fails says why, what is dealt with leaves no file behind."""

import csv
import fcntl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.portal.workspace import uploads
from consumers.portal.workspace.uploads import Progress, RowFinding, RowReport, Totals, Upload, Uploads
from exchange.errors import RequestError, RetryLaterError
from tests.waiting import wait_until

ROWS = 5
FOUND = RowFinding("CF_WSH", "文书号", "=1+1", "missing_value", "every row needs it")


class Importer:
    """Opens files as imports of five rows; `at_row` is told of each before it is reported."""

    layout = "名单 list"
    lines = ROWS + 1

    def __init__(self, at_row: Callable[[int], None] = lambda _: None) -> None:
        self._at_row = at_row
        self.runs = 0

    def __call__(self, file: Path, department: str) -> "Importer":
        assert file.read_bytes() == b"rows"
        assert department == "gd.tax"
        return self

    def run(self, stop: threading.Event, on_row: Callable[[RowReport], None]) -> Totals:
        self.runs += 1
        for number in range(ROWS):
            self._at_row(number)
            if stop.is_set():
                return Totals(number, 0, 0, 0, number, stopped=True, already=False)
            bad = number == 1
            on_row(RowReport(number + 2, "bad" if bad else "good", ("1号",), (FOUND,) if bad else ()))
        return Totals(ROWS, 1, 0, 0, ROWS - 1, stopped=False, already=False)


def brought(tmp_path: Path, room: Uploads) -> Upload:
    source = tmp_path / "list.csv"
    source.write_bytes(b"rows")
    return room.take("gd.tax", "li", "list.csv", source)


def over(room: Uploads, one: Upload) -> Upload:
    def look() -> Upload:
        found = room.find("gd.tax", one.id)
        assert found is not None
        return found

    wait_until(lambda: look().is_over)
    return look()


def test_every_row_has_its_line_in_the_report(tmp_path: Path) -> None:
    with Uploads(tmp_path / "uploads", Importer()) as room:
        one = brought(tmp_path, room)
        found = over(room, one)
        assert (found.progress, found.rows, found.bad, found.records) == (Progress.FINISHED, ROWS, 1, ROWS - 1)
        with room.report(found).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    assert [row["result"] for row in rows] == ["good", "bad", "good", "good", "good"]
    assert rows[1]["value"] == "'=1+1", "no spreadsheet takes it for a formula"
    assert not list((tmp_path / "uploads" / one.id).glob("file*"))


def test_what_the_end_of_the_portal_stops_goes_on_at_its_next_start(tmp_path: Path) -> None:
    began, ended = threading.Event(), threading.Event()

    def wait(number: int) -> None:
        if number == 2:
            began.set()
            assert ended.wait(30)

    with Uploads(tmp_path / "uploads", Importer(wait)) as room:
        one = brought(tmp_path, room)
        assert began.wait(30)
        room._stop.set()
        ended.set()
    stopped = room.find("gd.tax", one.id)
    assert stopped is not None
    assert stopped.progress is Progress.RUNNING
    with Uploads(tmp_path / "uploads", Importer()) as room:
        assert over(room, one).rows == ROWS


def test_a_bus_that_is_away_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_AGAIN_SECONDS", 0.01)

    def away(_: int) -> None:
        if importer.runs < 3:
            raise RetryLaterError("Kafka is away")

    importer = Importer(away)
    with Uploads(tmp_path / "uploads", importer) as room:
        assert over(room, brought(tmp_path, room)).progress is Progress.FINISHED
    assert importer.runs == 3


@pytest.mark.parametrize(
    "error", [RequestError("no header", code="unknown_layout", remedy="see docs"), OSError("disk")]
)
def test_what_cannot_be_imported_says_why_and_stays_so(tmp_path: Path, error: Exception) -> None:
    def fail(_: int) -> None:
        raise error

    with Uploads(tmp_path / "uploads", Importer(fail)) as room:
        found = over(room, brought(tmp_path, room))
    assert found.progress is Progress.FAILED
    assert ("see docs" in found.error) is isinstance(error, RequestError)
    assert "disk" not in found.error


def test_an_upload_that_another_portal_is_at_is_left_to_it(tmp_path: Path) -> None:
    importer = Importer()
    room = Uploads(tmp_path / "uploads", importer)
    one = brought(tmp_path, room)
    with (tmp_path / "uploads" / one.id / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with room:
            wait_until(room._waiting.empty)
    assert importer.runs == 0


def test_uploads_are_their_departments(tmp_path: Path) -> None:
    room = Uploads(tmp_path / "uploads", Importer())
    one = brought(tmp_path, room)
    assert room.of("gd.tax") == [one]
    assert room.of("gd.fin") == []
    assert room.find("gd.fin", one.id) is None
    for wrong in ("../uploads", "", ".", "nothing"):
        assert room.find("gd.tax", wrong) is None
