"""The directory in PostgreSQL: servers that die, sessions that break, two that feed, roles that may not; nothing lost, nothing twice."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from exchange.directory import Intake
from exchange.directory_postgres import PostgresDirectory
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.directory_tables import pieces_of
from exchange.errors import FatalError, RequestError, RetryLaterError
from exchange.fed_folder import Bus
from tests.directory_bus import DirectoryBeside
from tests.enrolments import registered
from tests.faults.bus import BusUnderFault
from tests.faults.records import province
from tests.postgres import RunningPostgres
from tests.pulling import free_port
from tests.waiting import wait_until

BUS = Bus("credit", 4, "cluster")
FIRM = Intake(records=[(("gd.amr", 0, 7), b"raw")], registered=[registered(1, "甲乙公司")], offsets={("gd.amr", 0): 8})


@pytest.fixture
def url(postgres: RunningPostgres) -> str:
    """An empty schema."""
    return postgres.new_schema()


@pytest.fixture
def directory(bus: BusUnderFault, tmp_path: Path, url: str) -> Iterator[DirectoryBeside]:
    with DirectoryBeside(bus, tmp_path / "directory", url) as made:
        yield made


@contextmanager
def away(postgres: RunningPostgres) -> Iterator[None]:
    """The server is dead meanwhile."""
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_the_database_dies_and_comes_back_and_the_process_can_be_ended_meanwhile(
    bus: BusUnderFault, directory: DirectoryBeside, postgres: RunningPostgres
) -> None:
    process = directory.start()
    bus.feed(province(seed=9, count=200))
    directory.wait_read()
    with away(postgres):
        bus.feed(province(seed=10, count=200))
        wait_until(lambda: "waiting code=directory_unavailable" in directory.said(), "a batch waits")
    directory.wait_read()
    with away(postgres):
        bus.feed(province(seed=11, count=200))
        wait_until(lambda: directory.said().count("waiting code=directory_unavailable") > 1, "the next one waits")
        directory.stop(process)
        process = directory.start()
        wait_until(lambda: "waiting code=directory_unavailable" in directory.said(), "it waits to begin")
        directory.stop(process)
        process = directory.start()
    directory.wait_read()
    directory.stop(process)
    assert directory.kept() == bus.fed


@pytest.mark.parametrize("step", ["keep", "commit", "kept"])
def test_a_session_that_breaks_at_any_step_is_followed_by_another(
    postgres: RunningPostgres, url: str, step: str
) -> None:
    left = [step]

    def on_step(name: str) -> None:
        if name in left:
            left.remove(name)
            postgres.end_sessions()

    with closing(PostgresKeeper(url, BUS, on_step)) as keeper:
        if step == "kept":
            keeper.keep(FIRM)
        with pytest.raises(RetryLaterError) as told:
            keeper.keep(FIRM)
        assert told.value.code == "directory_unavailable"
        keeper.keep(FIRM)
        assert keeper.offsets() == {("gd.amr", 0): 8}
        assert keeper.details([("gd.amr", 0, 7)]) == {("gd.amr", 0, 7): b"raw"}
        assert len(keeper.search("甲乙").hits) == 1


def test_who_reads_outlives_the_database(postgres: RunningPostgres, url: str) -> None:
    PostgresKeeper(url, BUS).close()
    with closing(PostgresDirectory(url)) as directory:
        with away(postgres), pytest.raises(RetryLaterError) as told:
            directory.search("甲乙")
        assert told.value.code == "directory_unavailable"
        assert directory.search("甲乙").hits == ()


def test_one_process_feeds_a_database(url: str) -> None:
    with closing(PostgresKeeper(url, BUS)), pytest.raises(RequestError, match="another process feeds") as refused:
        PostgresKeeper(url, BUS)
    assert refused.value.code == "directory_in_use"
    PostgresKeeper(url, BUS).close()


def test_who_lost_the_lock_cannot_write_and_goes_on_when_it_is_free(postgres: RunningPostgres, url: str) -> None:
    with closing(PostgresKeeper(url, BUS)) as first:
        postgres.end_sessions()
        with closing(PostgresKeeper(url, BUS)) as second:
            second.keep(FIRM)
            for _ in range(2):  # its session is gone; then the lock is another's
                with pytest.raises(RetryLaterError) as told:
                    first.keep(FIRM)
            assert told.value.code == "directory_in_use"
        first.keep(FIRM)


def test_a_database_that_came_back_older_ends_the_feeder_whose_next_reads_again(
    postgres: RunningPostgres, url: str
) -> None:
    with closing(PostgresKeeper(url, BUS)) as keeper:
        keeper.keep(FIRM)
        with psycopg.connect(url) as connection:  # as if a replica took over that did not have the last commit
            connection.execute("UPDATE sources SET next = 3")
        postgres.end_sessions()
        with pytest.raises(RetryLaterError):
            keeper.offsets()
        for _ in range(2):
            with pytest.raises(FatalError) as told:
                keeper.keep(Intake(offsets={("gd.amr", 0): 9}))
            assert told.value.code == "directory_fell_back"
    with closing(PostgresKeeper(url, BUS)) as keeper:
        assert keeper.offsets() == {("gd.amr", 0): 3}


@pytest.mark.parametrize("change", [{"prefix": "other"}, {"partitions": 8}, {"cluster": "other"}])
def test_a_directory_of_another_bus_is_refused(url: str, change: dict[str, object]) -> None:
    PostgresKeeper(url, BUS).close()
    with pytest.raises(FatalError, match="was made with") as refused:
        PostgresKeeper(url, BUS._replace(**change))  # type: ignore[arg-type]
    assert refused.value.code == "directory_of_another_bus"
    PostgresKeeper(url, BUS).close()


def test_tables_of_another_format_are_refused(url: str) -> None:
    PostgresKeeper(url, BUS).close()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE about SET value = '0' WHERE name = 'format'")
    with pytest.raises(FatalError) as refused:
        PostgresKeeper(url, BUS)
    assert refused.value.code == "directory_format"


def test_no_directory_is_told(url: str) -> None:
    with pytest.raises(RequestError) as refused:
        PostgresDirectory(url)
    assert refused.value.code == "directory_absent"


def test_tables_that_were_dropped_are_told(url: str) -> None:
    with closing(PostgresKeeper(url, BUS)) as keeper:
        with psycopg.connect(url) as connection:
            connection.execute("DROP TABLE subjects")
        for ask in (lambda: keeper.search("甲乙"), lambda: keeper.keep(FIRM)):
            with pytest.raises(FatalError) as told:
                ask()
            assert told.value.code == "directory_corrupt"
        assert keeper.offsets() == {}, "nothing of the batch is kept"


def test_an_address_that_cannot_be_read_is_told_without_its_password() -> None:
    with pytest.raises(RequestError) as told:
        PostgresDirectory("postgresql://feeder:secret@[::1/directory")
    assert (told.value.code, "secret" in told.value.line()) == ("bad_setting", False)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(RetryLaterError) as told:
        PostgresKeeper(f"postgresql://feeder:secret@127.0.0.1:{free_port()}/directory", BUS)
    assert (told.value.code, "secret" in told.value.line()) == ("directory_unavailable", False)


def test_a_role_that_may_only_read_reads_and_cannot_feed(postgres: RunningPostgres, url: str) -> None:
    with closing(PostgresKeeper(url, BUS)) as keeper:
        keeper.keep(FIRM)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'r'")
        schema = url.rpartition("%3D")[2]
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader".encode())
    reading = f"postgresql://reader:r@127.0.0.1:{postgres.port}/postgres?{url.partition('?')[2]}"
    with closing(PostgresDirectory(reading)) as directory:
        assert [hit.name for hit in directory.search("甲乙").hits] == ["甲乙公司"]
    with pytest.raises(FatalError) as refused:
        PostgresKeeper(reading, BUS)
    assert refused.value.code == "directory_unusable"


def test_pieces_that_share_a_number_do_not_find_each_other(url: str) -> None:
    one, other = "腲暹備", "苹飬镭"
    assert set(pieces_of([one], "", 0)) & set(pieces_of([f"甲{other}乙"], "", 0)), "they share one"
    with closing(PostgresKeeper(url, BUS)) as keeper:
        keeper.keep(Intake(registered=[registered(1, f"某{one}公司")]))
        assert (len(keeper.search(one).hits), len(keeper.search(other).hits)) == (1, 0)
