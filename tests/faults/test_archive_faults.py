"""The archive killed at each step and at random, with a full disk, a second writer or a strange folder: exactly once all the same."""

import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from consumers.archive.run import build, build_verifier
from consumers.archive.verdict import read_verified
from exchange.archive_tables import INTAKE
from exchange.kafka import open_admin
from tests.archive_bus import ArchiveBeside
from tests.conftest import RunningStack
from tests.faults.bus import BusUnderFault
from tests.faults.records import province
from tests.waiting import wait_until

STEPS = ("consume", "append", "appended", "advance", "advanced", "compact", "compacted")
BAD = 20
"""Messages in each round that are no records."""


@pytest.fixture
def archive(bus: BusUnderFault, tmp_path: Path) -> Iterator[ArchiveBeside]:
    with ArchiveBeside(bus, tmp_path / "archive") as made:
        yield made


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_killed_at_each_step_it_has_everything_once(bus: BusUnderFault, archive: ArchiveBeside) -> None:
    records = province(seed=5, count=900)
    for number, step in enumerate(STEPS):
        bus.feed(records[number * 100 : (number + 1) * 100])
        for bad in range(BAD):
            bus.feed_raw("gd.tax", b"nobody", f"{number} {bad}".encode())
        bus.feed([])
        process = archive.start(step, 3 if step in {"append", "appended"} else 1)
        assert process.wait(60) == -signal.SIGKILL, (step, archive.said())
    bus.start("one")
    bus.wait_quiet()
    bus.stop_all()
    archive.catch_up(lambda: archive.ask("SELECT count(*) FROM rejection")[0][0] == BAD * len(STEPS))
    verdict = archive.verify()
    assert (verdict.refused, verdict.refused_otherwise) == (BAD * len(STEPS), 0)
    assert verdict.rows > bus.fed, "notices and standing changes too"


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_killed_at_random_it_has_everything_once(bus: BusUnderFault, archive: ArchiveBeside) -> None:
    records = province(seed=11, count=1800)
    bus.start("one")
    working = archive.kill_at_random(6, seed=11, between=lambda number: bus.feed(records[number * 300 :][:300]))
    assert working >= 4
    bus.wait_quiet()
    bus.stop_all()
    archive.catch_up()
    assert archive.verify().rows > bus.fed == 1800


@pytest.mark.servers
def test_the_oracle_finds_what_is_missing_doubled_or_changed(bus: BusUnderFault, archive: ArchiveBeside) -> None:
    bus.feed(province(seed=12, count=300))
    archive.catch_up()
    archive.verify()
    penalties, licences, listings = (DeltaTable(archive.folder / name) for name in ("penalty", "licence", "listing"))
    some = penalties.to_pyarrow_table().slice(0, 1)
    penalties.delete(
        f"topic = '{some['topic'][0]}' AND partition = {some['partition'][0]} AND offset = {some['offset'][0]}"
    )
    write_deltalake(licences, licences.to_pyarrow_table().slice(0, 1), mode="append")
    listings.update({"grounds": "'other'"})
    verdict = build_verifier(archive.settings, archive.settings.kafka).verify()
    changed = {one.table: one.found - one.expected for one in verdict.differing}
    assert changed == {"penalty": -1, "licence": 1, "listing": 0}
    verdict.keep(archive.folder)
    verified = read_verified(archive.folder)
    assert verified is not None
    assert verified.differences == len(verdict.differing)
    assert "with other values" in "".join(one.line() for one in verdict.differing)


@pytest.mark.servers
def test_a_disk_that_is_full_ends_it_with_an_error_and_nothing_is_lost(
    bus: BusUnderFault, archive: ArchiveBeside
) -> None:
    process = archive.start(
        changes={"CREDITBUS_ARCHIVE_COMMIT_RECORDS": "100000", "CREDITBUS_ARCHIVE_COMMIT_SECONDS": "2"}
    )
    wait_until((archive.folder / INTAKE).exists)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (12_000, 12_000))
    bus.feed(province(seed=7, count=3000))
    assert process.wait(60) == 1
    *_, line = archive.said().splitlines()  # the library's threads complain of it first
    assert line.startswith("error[archive_disk_failed]: ")
    archive.catch_up()
    assert archive.verify().rows == bus.fed


@pytest.mark.servers
def test_records_that_kafka_deleted_before_they_were_archived_are_a_fatal_gap(
    bus: BusUnderFault, archive: ArchiveBeside
) -> None:
    bus.feed(province(seed=8, count=300))
    topic = bus.topics.into("gd.amr")
    admin = open_admin(bus.settings.kafka)  # its answers come as long as it is there
    deleted = admin.delete_records([TopicPartition(topic, 0, 5)])
    assert next(iter(deleted.values())).result().low_watermark == 5
    error = archive.refused()
    assert error.code == "archive_gap"
    assert f"no longer has what comes next of {topic} [0]: " in str(error)


@pytest.mark.servers
def test_strange_folders_and_a_second_process_are_refused(
    bus: BusUnderFault, archive: ArchiveBeside, tmp_path: Path
) -> None:
    bus.feed(province(seed=9, count=100))
    process, _ = build(archive.settings, archive.settings.kafka)
    working = threading.Thread(target=process.run)
    working.start()
    archive.wait_read()
    assert archive.refused().code == "archive_in_use"
    process.stop()
    working.join(60)
    assert archive.refused(topic_prefix="other").code == "archive_of_another_bus"
    other = str(tmp_path / "other")
    assert archive.refused(partitions=8, archive_folder=other).code == "partition_mismatch"
    ahead = CommitProperties(app_transactions=[Transaction(f"{bus.topics.into('gd.amr')}/0", 1_000_000)])
    intake = DeltaTable(archive.folder / INTAKE)
    write_deltalake(intake, intake.to_pyarrow_table().slice(0, 1), mode="append", commit_properties=ahead)
    assert archive.refused().code == "archive_ahead_of_kafka"


@pytest.mark.servers
def test_the_broker_dies_and_comes_back(bus: BusUnderFault, archive: ArchiveBeside, stack: RunningStack) -> None:
    process = archive.start(changes={"CREDITBUS_KAFKA": "127.0.0.1:1"})
    wait_until(lambda: "waiting code=kafka_unavailable" in archive.said())
    archive.stop(process)
    process = archive.start()
    bus.feed(province(seed=9, count=200))
    archive.wait_read()
    stack.kafka.kill()
    wait_until(lambda: "Connection refused" in archive.said())
    stack.kafka.start()
    bus.feed(province(seed=10, count=200))
    archive.wait_read()
    archive.stop(process)
    assert archive.verify().rows == bus.fed
