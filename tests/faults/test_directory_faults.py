"""The directory killed at each step, with a full disk, a broken or a strange folder: nothing lost, nothing twice, one line that says why."""

import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exchange.directory import Intake
from exchange.directory_keeper import SqliteKeeper
from exchange.directory_sqlite import FILE, SqliteDirectory
from exchange.errors import CreditbusError, FatalError, RequestError
from exchange.fed_folder import Bus
from tests.conftest import RunningStack
from tests.directory_bus import DirectoryBeside
from tests.enrolments import registered
from tests.faults.bus import BusUnderFault
from tests.faults.records import province
from tests.waiting import wait_until

BUS = Bus("credit", 4, "cluster")
STEPS = ("consume", "keep", "commit", "kept")
BAD = 20
"""Messages in each round that are no records."""


@pytest.fixture
def directory(bus: BusUnderFault, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DirectoryBeside]:
    """In a folder, or where a test says `postgres` in a database."""
    url = request.getfixturevalue("postgres").new_schema() if getattr(request, "param", "") == "postgres" else ""
    with DirectoryBeside(bus, tmp_path / "directory", url) as made:
        yield made


@pytest.mark.servers
@pytest.mark.timeout(300)
@pytest.mark.parametrize("directory", ["disk", "postgres"], indirect=True)
def test_killed_at_each_step_it_goes_on_and_agrees_with_the_standings(
    bus: BusUnderFault, directory: DirectoryBeside
) -> None:
    records = province(seed=5, count=800)
    for number, step in enumerate(STEPS):
        bus.feed(records[number * 200 : (number + 1) * 200])
        for bad in range(BAD):
            bus.feed_raw("gd.tax", b"nobody", f"{number} {bad}".encode())
        bus.feed([])
        process = directory.start(step, 2)
        assert process.wait(60) == -signal.SIGKILL, step
    process = directory.start()
    directory.wait_read()
    directory.stop(process)
    assert not directory.said()
    assert directory.kept() == bus.fed - BAD * len(STEPS)
    bus.start("one")
    bus.wait_quiet()
    bus.stop_all()
    assert directory.compare() > 250
    seen = directory.hits()
    directory.forget()
    process = directory.start()
    directory.wait_read()
    directory.stop(process)
    assert sorted(directory.hits()) == sorted(seen), "made anew it is the same"


@pytest.mark.servers
def test_a_disk_that_is_full_ends_it_with_one_line_and_nothing_is_lost(
    bus: BusUnderFault, directory: DirectoryBeside
) -> None:
    bus.feed(province(seed=6, count=300))
    process = directory.start()
    directory.wait_read()
    room = max(one.stat().st_size for one in directory.folder.iterdir())
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (room, room))
    bus.feed(province(seed=7, count=1500))
    assert process.wait(60) == 1
    (line,) = directory.said().splitlines()
    assert line.startswith("error[directory_disk_failed]: ")
    process = directory.start()
    directory.wait_read()
    directory.stop(process)
    assert directory.kept() == bus.fed


@pytest.mark.servers
def test_a_bus_that_has_begun_anew_is_refused(bus: BusUnderFault, directory: DirectoryBeside, tmp_path: Path) -> None:
    bus.feed(province(seed=8, count=100))
    process = directory.start()
    directory.wait_read()
    directory.stop(process)
    with closing(sqlite3.connect(directory.folder / FILE, isolation_level=None)) as file:
        file.execute("UPDATE sources SET next = 1000000")
    other = str(tmp_path / "other")
    wrong: list[tuple[str, dict[str, str]]] = [
        ("directory_ahead_of_kafka", {}),
        ("directory_of_another_bus", {"CREDITBUS_TOPIC_PREFIX": "other"}),
        ("partition_mismatch", {"CREDITBUS_PARTITIONS": "8", "CREDITBUS_DIRECTORY_FOLDER": other}),
    ]
    for code, changes in wrong:
        process = directory.start(changes=changes)
        assert process.wait(60) == 1
        (line,) = directory.said().splitlines()
        assert line.startswith(f"error[{code}]: ")


@pytest.mark.servers
def test_the_broker_dies_and_comes_back(bus: BusUnderFault, directory: DirectoryBeside, stack: RunningStack) -> None:
    process = directory.start()
    bus.feed(province(seed=9, count=200))
    directory.wait_read()
    stack.kafka.kill()
    wait_until(lambda: "Connection refused" in directory.said())
    stack.kafka.start()
    bus.feed(province(seed=10, count=200))
    directory.wait_read()
    directory.stop(process)
    assert directory.kept() == bus.fed


@pytest.mark.servers
def test_kafka_that_is_away_is_waited_for(bus: BusUnderFault, directory: DirectoryBeside) -> None:
    process = directory.start(changes={"CREDITBUS_KAFKA": "127.0.0.1:1"})
    wait_until(lambda: "waiting code=kafka_unavailable" in directory.said())
    directory.stop(process)


def test_one_process_feeds_a_folder(tmp_path: Path) -> None:
    with closing(SqliteKeeper(tmp_path, BUS)), pytest.raises(RequestError, match="another process feeds") as refused:
        SqliteKeeper(tmp_path, BUS)
    assert refused.value.code == "directory_in_use"
    SqliteKeeper(tmp_path, BUS).close()


@pytest.mark.parametrize("change", [{"prefix": "other"}, {"partitions": 8}, {"cluster": "other"}])
def test_a_directory_of_another_bus_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    SqliteKeeper(tmp_path, BUS).close()
    with pytest.raises(FatalError, match="was made with") as refused:
        SqliteKeeper(tmp_path, BUS._replace(**change))  # type: ignore[arg-type]
    assert refused.value.code == "directory_of_another_bus"
    SqliteKeeper(tmp_path, BUS).close()


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    with closing(SqliteKeeper(tmp_path, BUS)) as keeper:
        keeper._writer.execute("UPDATE about SET value = '0' WHERE name = 'format'")
    with pytest.raises(FatalError) as refused:
        SqliteKeeper(tmp_path, BUS)
    assert refused.value.code == "directory_format"


def test_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()  # as it is for a moment while it is made
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RequestError) as refused:
            SqliteDirectory(folder)
        assert refused.value.code == "directory_absent"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FatalError) as refused:
        SqliteKeeper(tmp_path / "file" / "directory", BUS)
    assert refused.value.code == "directory_unusable"


def test_a_file_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, but text that is long enough " * 40)
    for open_it in (SqliteDirectory, lambda folder: SqliteKeeper(folder, BUS)):
        with pytest.raises(FatalError) as refused:
            open_it(tmp_path)
        assert refused.value.code == "directory_corrupt"
        assert "delete the folder" in refused.value.remedy


def test_a_file_with_holes_is_told_by_whoever_meets_them(tmp_path: Path) -> None:
    with closing(SqliteKeeper(tmp_path, BUS)) as keeper:
        keeper.keep(Intake(registered=[registered(n, f"合成{n}公司") for n in range(500)]))
    raw = bytearray((tmp_path / FILE).read_bytes())
    raw[8192:] = os.urandom(len(raw) - 8192)
    (tmp_path / FILE).write_bytes(raw)
    with pytest.raises(CreditbusError) as refused, closing(SqliteDirectory(tmp_path)) as directory:
        directory.search("合成")
    assert refused.value.code == "directory_corrupt"


def test_a_full_disk_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    with closing(SqliteKeeper(tmp_path, BUS)) as keeper:
        ((pages,),) = keeper._all("PRAGMA page_count")
        keeper._writer.execute(f"PRAGMA max_page_count={pages + 5}")
        many = Intake(registered=[registered(n, f"合成{n}公司") for n in range(500)], offsets={("gd.amr", 0): 500})
        with pytest.raises(FatalError) as refused:
            keeper.keep(many)
        assert (refused.value.code, keeper.offsets(), keeper.search("合成").hits) == ("directory_disk_failed", {}, ())
        keeper._writer.execute("PRAGMA max_page_count=1000000")
        keeper.keep(many)
        assert len(keeper.search("合成", limit=1000).hits) == 500
