"""Parts of the embedded stack that need no server: ports, state, processes, locks, disk, explanations."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local import kafka
from deploy.local.failure import explain
from deploy.local.folder import Folder, check_space, held, translating_os_errors
from deploy.local.launch import check_versions, embedded, installed_versions
from deploy.local.ports import HOST, choose, is_free
from deploy.local.processes import Identity, end
from deploy.local.servers import without_password
from deploy.local.state import ServerState, StackState, read_numbers, read_state, write
from exchange.errors import FatalError, RequestError
from exchange.settings import Settings

PROCESS = Identity(pid=11, started=2.5, since_boot=1.5)
STATE = StackState(
    supervisor=Identity(pid=10, started=1.5, since_boot=0.5),
    attached=True,
    servers={"kafka": ServerState(port=9, process=PROCESS), "valkey": ServerState(port=8, exit_code=1)},
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(root=tmp_path / "home")
    found.create()
    return found


def test_state_comes_back_as_written(folder: Folder) -> None:
    write(folder.state, STATE)
    assert read_state(folder.state) == STATE


@pytest.mark.parametrize("content", [b"", b'{"pid": 10, "start', b"[]", b'{"pid": "ten"}'])
def test_a_state_cut_short_by_a_crash_counts_as_none(folder: Folder, content: bytes) -> None:
    folder.state.write_bytes(content)
    assert read_state(folder.state) is None
    assert read_numbers(folder.state) == {}


def test_given_port_that_is_taken_is_refused() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(RequestError, match=str(port)) as caught:
            choose("kafka", "CREDITBUS_KAFKA_PORT", given=port, remembered=None)
    assert caught.value.code == "port_taken"
    assert "CREDITBUS_KAFKA_PORT" in caught.value.remedy


def test_remembered_port_is_taken_again_only_when_free() -> None:
    free = choose("kafka", "", given=0, remembered=None)
    assert choose("kafka", "", given=0, remembered=free) == free
    assert choose("kafka", "", given=0, remembered=free, avoid=frozenset([free])) != free
    with socket.socket() as other:
        other.bind((HOST, free))
        other.listen()
        assert choose("kafka", "", given=0, remembered=free) != free


def test_another_process_with_a_reused_id_is_not_ours() -> None:
    own = Identity.of(os.getpid())
    before = Identity(pid=own.pid, started=own.started - 60, since_boot=own.since_boot - 60)
    assert own.is_running()
    assert not before.is_running()
    assert end([before], within_seconds=1) == []  # and so this test still runs


def test_a_process_is_known_again_after_the_clock_was_set() -> None:
    own = Identity.of(os.getpid())
    assert Identity(pid=own.pid, started=own.started - 3600, since_boot=own.since_boot).is_running()


def test_end_kills_what_does_not_listen() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert end([Identity.of(process.pid)], within_seconds=0.2) == [process.pid]
        assert process.wait(5) == -9


def test_lock_is_held_once_and_freed_by_death(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    hold = (
        "import sys, time; from pathlib import Path; from deploy.local.folder import held\n"
        "with held(Path(sys.argv[1]), within_seconds=1, doing='testing'): print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", hold, str(lock)], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        with (
            pytest.raises(RequestError, match="another process") as caught,
            held(lock, within_seconds=0.1, doing="testing"),
        ):
            pass
        assert caught.value.code == "busy"
        other.kill()
        other.wait(5)
        started = time.monotonic()
        with held(lock, within_seconds=5, doing="testing"):
            assert time.monotonic() - started < 1


def test_little_space_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="MiB free") as caught:
        check_space(tmp_path, 2**60)
    assert caught.value.code == "disk_full"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_full_disk_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is full") as caught, translating_os_errors(tmp_path):
        Path("/dev/full").write_text("x")
    assert caught.value.code == "disk_full"


def test_home_that_is_a_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(RequestError, match="cannot be written") as caught:
        Folder(root=tmp_path / "home").create()
    assert caught.value.code == "home_unusable"


def test_home_with_a_comma_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="comma"):
        Folder(root=tmp_path / "a,b").create()


def test_data_of_another_line_of_versions_is_refused(folder: Folder) -> None:
    write(folder.versions, {"kafka": "3.9.1", "valkey": installed_versions()["valkey"]})
    with pytest.raises(RequestError, match=r"kafka 3\.9\.1") as caught:
        check_versions(folder)
    assert caught.value.code == "other_version"
    assert "creditbus reset" in caught.value.remedy


def test_data_of_another_patch_release_is_taken(folder: Folder) -> None:
    line = ".".join(installed_versions()["kafka"].split(".")[:2])
    write(folder.versions, {"kafka": f"{line}.99"})
    check_versions(folder)


def test_kafka_settings_hold_any_path(tmp_path: Path) -> None:
    folder = Folder(root=tmp_path / "信用 bus\\1")
    folder.create()
    text = kafka.write_settings(folder, port=1, certificate_port=3, controller_port=2).read_text("ascii")
    assert "\\u4fe1\\u7528 bus\\\\1" in text
    assert "advertised.listeners=BROKER://127.0.0.1:1\n" in text


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("java.net.BindException: Address already in use", "port_taken"),
        ("java.io.IOException: No space left on device", "disk_full"),
        ("Unrecognized VM option 'Xmy1'", "bad_java_options"),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
    ],
)
def test_failed_start_is_explained_from_the_log(tmp_path: Path, said: str, code: str) -> None:
    log = tmp_path / "kafka.log"
    log.write_text(f"old line: {'Address already in use'}\n")
    mark = log.stat().st_size
    with log.open("a") as file:
        file.write(f"ERROR {said}\n")
    error = explain("kafka", {log: mark}, exit_code=1)
    assert isinstance(error, RequestError)
    assert error.code == code
    assert str(log) in error.line()


def test_unknown_failure_shows_the_last_error(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("INFO fine\nERROR something new\nINFO bye\n")
    error = explain("kafka", {log: 0}, exit_code=3)
    assert isinstance(error, FatalError)
    assert "something new" in str(error)
    assert str(log) in error.remedy


def test_external_servers_are_left_out_of_the_stack() -> None:
    assert set(embedded(Settings())) == {"kafka", "valkey"}
    assert embedded(Settings(kafka="broker:9092")) == ("valkey",)
    assert embedded(Settings(kafka="broker:9092", redis="redis://store")) == ()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:p@host:1/2", "redis://host:1/2"),
        ("redis://host:1/2", "redis://host:1/2"),
        ("rediss://:a@b@h", "rediss://h"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
