"""What is remembered of an import, and the report of findings."""

import csv
from pathlib import Path

from producers.importer.progress import Progress, ProgressFile
from producers.importer.report import FIELDS, Finding, count_rules, write_report


def test_progress_is_read_back_and_forgotten(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path / "imports", "digest", "penalty-2018", "credit.in.gd.tax", "cluster")
    assert file.read() is None
    progress = Progress(file="a.csv", line=7, records=6, bad=1, finished=True)
    file.write(progress)
    assert file.read() == progress
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]
    file.forget()
    assert file.read() is None


def test_progress_is_of_one_file_layout_topic_and_cluster(tmp_path: Path) -> None:
    paths = {
        ProgressFile(tmp_path, *identity).path for identity in (("a", "b"), ("ab", ""), ("a", "c"), ("a", "b", "c"))
    }
    assert len(paths) == 4


def test_unreadable_progress_starts_anew(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path, "digest")
    for text in ("", "{", "[]", '{"unknown": 1}', "null"):
        file.path.write_text(text)
        assert file.read() is None


def test_the_report_opens_in_spreadsheets_and_holds_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    finding = Finding(
        line=3, column="CF_WSH", title="文书号", value="=1+1", code="missing_value", rule="every row needs it"
    )
    write_report(path, [finding])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, row = csv.reader(stream)
    assert tuple(header) == FIELDS
    assert row == ["3", "CF_WSH", "文书号", "'=1+1", "missing_value", "every row needs it", "bad"]
    assert count_rules([finding, finding]) == {("bad", "missing_value"): 2}
