"""Open data: what a release has in it and what not, in three forms that say the same; whole or not at all, and again unchanged."""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from consumers.disclosure.shelf import Shelf
from consumers.open_data.datasets import DATASETS, columns_of, rows_of
from consumers.open_data.files import CHECKSUMS, read_checksums
from consumers.open_data.release import Figure, Released, Rows, days_of, release
from consumers.open_data.run import newest_figures, releases_folder
from consumers.portal.statistics.tiles import PLACES, tiles
from exchange.domain.calendar import to_date
from exchange.domain.judge import RuleBook
from exchange.errors import FatalError
from exchange.settings import Settings
from tests.portal import CATALOGUE, CODEC, POLICY, TestPortal
from tests.unit.test_portal_disclosure import TODAY, penalty
from tests.unit.test_portal_query import examples
from tests.worlds import day

DAY = to_date(TODAY)
NAMES = [one.name for one in DATASETS]


def tables_of(portal: TestPortal, on: int = TODAY) -> list[Rows]:
    parts = portal.parts
    shelf = Shelf(parts.directory, parts.store, parts.settings.partitions, CODEC, CATALOGUE)
    book = RuleBook(POLICY, on)

    def table(number: int) -> Rows:
        one = DATASETS[number]
        columns = columns_of(one, CODEC.contracts, CATALOGUE)
        return Rows(one.name, "表", "table", columns, lambda: rows_of(one, shelf, book))

    return [table(number) for number in range(len(DATASETS))]


def figures(*counts: int | None) -> list[Figure]:
    rows = [{"row": code, "penalty": count, "total": count} for code, count in zip(PLACES, counts, strict=False)]
    content = {"figure": "regions", "columns": ["penalty", "total"], "rows": rows, "least": 5}
    return [Figure("regions", "各市", "by city", content)]


def made(folder: Path, portal: TestPortal, on: date = DAY, **more: Any) -> Released:
    return release(folder, on, tables_of(portal), figures(7, None), **more)


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.ndjson").read_text("utf-8").splitlines()]


def documents(portal: TestPortal, on: int) -> set[str]:
    return {str(row["document"]) for row in tables_of(portal, on)[0].read()}


def test_5_a_minor_penalty_since_april_2026_is_never_in_it_and_one_of_2025_follows_the_older_term() -> None:
    portal = TestPortal([
        penalty(1, severity="MINOR", decided_on=date(2026, 4, 1)), penalty(2, severity="MINOR", decided_on=date(2025, 6, 1)),
        penalty(3, severity="MINOR", decided_on=date(2026, 3, 31)), penalty(4, severity="GENERAL", decided_on=date(2026, 4, 1)),
    ])  # fmt: skip
    assert documents(portal, day("2026-04-02")) == {"罚002", "罚003", "罚004"}
    assert documents(portal, day("2027-04-02")) == {"罚002", "罚003"}, "a general one of 2026 is public for a year"
    assert documents(portal, day("2028-06-01")) == {"罚003"}, "the trial measures of 2023: three years"


def test_what_was_withdrawn_or_repaired_and_persons_are_not_in_it(tmp_path: Path) -> None:
    def amendment(record_type: str, target: str, **fields: Any) -> tuple[str, dict[str, Any]]:
        header = {name: penalty(1)[1][name] for name in ("subject", "department", "published_at")}
        decided_on = DAY - timedelta(days=1)
        return record_type, header | {"document": f"{record_type}{target}", "revision": 1, "decided_on": decided_on,
                                      "target_type": "penalty", "target_document": target} | fields  # fmt: skip

    person = "person:k1." + "ab" * 16
    portal = TestPortal([
        penalty(1), penalty(2, days_ago=900), penalty(3), penalty(4, subject=person, subject_name=""),
        penalty(5, subject_category="INDIVIDUAL"), amendment("withdrawal", "罚003", reason="REVOKED"),
        amendment("repair", "罚002", state="GRANTED", corrected_on=DAY - timedelta(days=500)),
    ])  # fmt: skip
    folder = made(tmp_path, portal).folder
    assert {row["document"] for row in lines(folder, "penalties")} == {"罚001"}
    for path in folder.glob("penalties.*"):
        assert b"person:" not in path.read_bytes(), path


def test_only_open_fields_are_in_it(tmp_path: Path) -> None:
    folder = made(tmp_path, TestPortal(examples())).folder
    for one in DATASETS:
        fields = CATALOGUE.fields[one.record_type]
        for row in lines(folder, one.name):
            assert {fields[name] for name in row if name not in ("list", "public_until")} == {"open"}
    assert any((folder / f"{name}.ndjson").stat().st_size for name in NAMES)
    assert "甲某" not in "".join((folder / f"{name}.csv").read_text("utf-8") for name in NAMES)


def test_the_three_forms_say_the_same(tmp_path: Path) -> None:
    portal = TestPortal([penalty(n, content="=HYPERLINK(1)" if n == 3 else "罚款") for n in range(1, 8)])
    folder = made(tmp_path, portal).folder
    rows = lines(folder, "penalties")
    table = pq.read_table(folder / "penalties.parquet")
    text = (folder / "penalties.csv").read_text("utf-8-sig")
    cells = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == table.num_rows == len(cells) == 7
    assert [row["document"] for row in rows] == table["document"].to_pylist() == [row["document"] for row in cells]
    assert [row["fine_yuan"] for row in rows] == [f"{one:f}" for one in table["fine_yuan"].to_pylist()]
    assert {row["content"] for row in cells} == {"'=HYPERLINK(1)", "罚款"}, "no formula for a spreadsheet"


def test_it_is_described_and_can_be_checked(tmp_path: Path) -> None:
    folder = made(tmp_path, TestPortal([penalty(1)])).folder
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    resources = {one["path"]: one for one in package["resources"]}
    assert {f"{name}.{form}" for name in NAMES for form in ("csv", "ndjson", "parquet")} < resources.keys()
    for path, one in resources.items():
        raw = (folder / path).read_bytes()
        assert (one["bytes"], one["hash"]) == (len(raw), f"sha256:{hashlib.sha256(raw).hexdigest()}")
    fields = {one["name"]: one for one in resources["penalties.csv"]["schema"]["fields"]}
    assert fields["decided_on"]["type"] == "date"
    assert fields["fine_yuan"]["type"] == "number"
    assert fields["document"]["title"].startswith("行政处罚决定书文号")
    assert list(fields) == list(
        csv.DictReader(io.StringIO((folder / "penalties.csv").read_text("utf-8-sig"))).fieldnames or ()
    )
    dcat = json.loads((folder / "dcat.jsonld").read_text("utf-8"))
    penalties = next(one for one in dcat["dcat:dataset"] if one["@id"] == "#penalties")
    assert {one["dcat:downloadURL"]["@id"] for one in penalties["dcat:distribution"]} == {
        "penalties.csv", "penalties.ndjson", "penalties.parquet",
    }  # fmt: skip
    listed = read_checksums(folder)
    assert listed.keys() == {path.name for path in folder.iterdir()} - {CHECKSUMS}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in listed.items())


def test_again_it_is_unchanged_and_what_was_withdrawn_since_is_gone(tmp_path: Path) -> None:
    portal = TestPortal([penalty(1), penalty(2)])
    first = made(tmp_path, portal)
    before = (first.folder / CHECKSUMS).stat().st_ino
    again = made(tmp_path, portal)
    assert (first.is_new, again.is_new, again.rows["penalties"]) == (True, False, 2)
    assert (first.folder / CHECKSUMS).stat().st_ino == before
    less = made(tmp_path, TestPortal([penalty(1)]))
    assert (less.is_new, [row["document"] for row in lines(less.folder, "penalties")]) == (True, ["罚001"])
    assert not list(tmp_path.glob(".*"))


def test_only_the_newest_has_rows(tmp_path: Path) -> None:
    portal = TestPortal([penalty(1)])
    yesterday = DAY - timedelta(days=1)
    made(tmp_path, portal, yesterday)
    made(tmp_path, portal)
    older = tmp_path / yesterday.isoformat()
    assert days_of(tmp_path) == [DAY.isoformat(), yesterday.isoformat()]
    assert {path.name for path in older.iterdir()} == {
        "figure-regions.json",
        "datapackage.json",
        "dcat.jsonld",
        CHECKSUMS,
    }
    listed = read_checksums(older)
    assert all(hashlib.sha256((older / name).read_bytes()).hexdigest() == digest for name, digest in listed.items())
    package = json.loads((older / "datapackage.json").read_text("utf-8"))
    assert [one["path"] for one in package["resources"]] == ["figure-regions.json"]


class Died(BaseException):
    """The process is gone."""


def dying_at(step: str) -> Callable[[str], None]:
    def on_step(reached: str) -> None:
        if reached == step:
            raise Died

    return on_step


@pytest.mark.parametrize("step", ["write", "swap", "aside", "swapped", "prune", "pruned"])
def test_it_may_die_at_each_step(tmp_path: Path, step: str) -> None:
    yesterday = DAY - timedelta(days=1)
    made(tmp_path, TestPortal([penalty(1)]), yesterday)
    made(tmp_path, TestPortal([penalty(1), penalty(2)]), on_step=lambda _: None)
    made(tmp_path / "again", TestPortal([penalty(1)]), yesterday)
    with pytest.raises(Died):
        made(tmp_path / "again", TestPortal([penalty(1), penalty(2)]), on_step=dying_at(step))
    for found in days_of(tmp_path / "again"):
        folder = tmp_path / "again" / found
        assert all(
            hashlib.sha256((folder / n).read_bytes()).hexdigest() == d for n, d in read_checksums(folder).items()
        )
    release(tmp_path / "again", yesterday - timedelta(days=1), [], figures(7))
    assert str(yesterday) in days_of(tmp_path / "again"), "nothing that was there is lost"
    shutil.rmtree(tmp_path / "again" / str(yesterday - timedelta(days=1)))
    made(tmp_path / "again", TestPortal([penalty(1), penalty(2)]))
    whole = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.glob("2*/*")}
    again = {path.relative_to(tmp_path / "again"): path.read_bytes() for path in tmp_path.glob("again/2*/*")}
    assert again == whole


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FatalError) as failure:
        made(tmp_path / "file" / "releases", TestPortal([]))
    assert failure.value.code == "release_failed"


def test_the_portal_offers_releases_and_shows_their_figures(tmp_path: Path) -> None:
    settings = Settings(open_data_folder=str(tmp_path))
    portal = TestPortal([penalty(1)], settings=settings)
    assert "尚未发布" in portal.text("/disclosure/open-data")
    assert "尚未发布统计" in portal.text("/statistics")
    made(releases_folder(settings), portal)
    page = portal.text("/disclosure/open-data")
    link = f"/disclosure/open-data/{DAY}/penalties.parquet"
    assert f'href="{link}"' in page
    assert portal.client.get(link).content == (tmp_path / str(DAY) / "penalties.parquet").read_bytes()
    assert "sha256" in portal.text(f"/disclosure/open-data/{DAY}/datapackage.json")
    assert portal.client.get(f"/disclosure/open-data/{DAY}/{CHECKSUMS}").status_code == 200
    for path in (f"{DAY}/nothing.csv", "2020-01-01/penalties.csv", f"{DAY}/..%2F..%2Fsecret", "..%2F..%2Fx/SHA256SUMS"):
        assert portal.client.get(f"/disclosure/open-data/{path}").status_code in (400, 404), path
    datasets = json.loads(portal.text("/disclosure/catalogue.jsonld"))["dcat:dataset"]
    urls = [one["dcat:downloadURL"]["@id"] for of in datasets for one in of.get("dcat:distribution", ())]
    assert any(url.endswith(link) for url in urls)
    assert all(portal.client.get(url).status_code == 200 for url in urls)
    page = portal.text("/statistics")
    assert "韶关" in page
    assert '<abbr title="数量过少，不予显示">*</abbr>' in page
    assert portal.text("/statistics?of=nothing&lang=en").count("Statistics")
    assert newest_figures(tmp_path)[0] == str(DAY)


def test_every_city_has_a_tile_of_its_own_and_a_shade_by_its_count() -> None:
    cities = {code for code, regions in CATALOGUE.regions.items() if any(one.level == "city" for one in regions)}
    assert PLACES.keys() == cities
    assert len(set(PLACES.values())) == len(cities) == 21
    found = {one.code: one for one in tiles({"440100": 100, "440300": 10, "440400": None}, {"440100": "广州市"})}
    assert (found["440100"].step, found["440300"].step, found["440400"].step, found["440600"].step) == (5, 3, None, 0)
    assert (found["440100"].name, found["440400"].number) == ("广州市", None)
