"""The embedded stack through its real commands, each test in a home folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.local.folder import Folder
from deploy.local.processes import Identity
from deploy.local.stack import Stack
from deploy.local.state import ServerState, StackState, read_state, write
from exchange.brokers import Brokers
from exchange.errors import FatalError, RequestError
from exchange.kafka import open_admin
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import environment_of
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.drawn]
COMMAND = [sys.executable, "-m", "deploy.cli"]


class Home:
    """A home folder and the commands in it."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(home=root, partitions=1)
        self.folder = Folder(root=root)

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *arguments],
            env=environment_of(self.settings) | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def ok(self, *arguments: str) -> Any:
        """The JSON object that a command prints, without the time it took."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        found.pop("seconds", None)
        return found

    def state(self) -> StackState:
        state = read_state(self.folder.state)
        assert state
        return state

    def processes(self) -> list[Identity]:
        return self.state().processes()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = Home(tmp_path / "信用 home")
    yield found
    Stack(found.settings).down()


def all_gone(processes: list[Identity]) -> bool:
    return not any(process.is_running() for process in processes)


def test_up_down_up_status_reset(home: Home) -> None:
    first = home.ok("up")
    started = home.processes()
    assert home.ok("up") == first
    assert home.processes() == started, "a second up finds the first"

    status = home.ok("status")
    assert status["running"]
    assert status["kafka"]["answers"]
    assert status["kafka"]["memory_bytes"] > 2**20
    assert status["kafka"]["data_bytes"] > 0
    assert (status["kafka"]["version"], status["redis"]["version"][:2]) == ("4.2.2", "9.")
    apply_topics(open_admin(Brokers(first["kafka"])), ["gd.tax"], home.settings)

    assert home.run("down").stdout == "ended\n"
    assert all_gone(started)
    assert home.run("down").stdout == "nothing was running\n"
    after_down = home.run("status", "--json")
    assert after_down.returncode == 1
    assert not json.loads(after_down.stdout)["running"]

    assert home.ok("up") == first, "ports are kept"
    assert Topics("credit").standing in open_admin(Brokers(first["kafka"])).list_topics(timeout=10).topics
    assert home.ok("status")["cluster_id"] == status["cluster_id"]

    refused = home.run("reset")
    assert refused.returncode == 1
    assert home.folder.data.is_dir()
    assert home.run("reset", "--yes").returncode == 0
    assert not home.folder.data.exists()
    assert home.run("status").returncode == 1


def test_commands_without_servers_say_what_to_do(home: Home) -> None:
    done = home.run("topics", "apply")
    assert done.returncode == 1
    assert done.stderr.startswith("error[not_running]")
    assert "creditbus up" in done.stderr
    assert done.stderr.count("\n") == 1


def test_servers_die_with_a_killed_supervisor_and_up_starts_anew(home: Home) -> None:
    servers = Stack(home.settings).up()
    apply_topics(open_admin(servers.kafka), ["gd.tax"], home.settings)
    killed = home.processes()

    os.kill(home.state().supervisor.pid, signal.SIGKILL)
    if sys.platform == "linux":
        wait_until(lambda: all_gone(killed))
    assert home.run("status").returncode == 1

    assert Stack(home.settings).up() == servers
    assert all_gone(killed)
    assert Topics("credit").standing in open_admin(servers.kafka).list_topics(timeout=10).topics


def test_up_ends_servers_that_a_killed_run_left(home: Home) -> None:
    stack = Stack(home.settings)
    stack.up()
    plan = json.loads(home.folder.plan.read_text())
    stack.down()
    orphan = subprocess.Popen(plan["valkey"]["argv"], stdout=subprocess.DEVNULL)
    left = Identity.of(orphan.pid)
    port = plan["valkey"]["port"]
    us = Identity.of(os.getpid())
    reused = Identity(pid=us.pid, started=us.started - 100, since_boot=us.since_boot - 100)  # somebody before us
    servers = {"valkey": ServerState(port=port, process=left), "kafka": ServerState(port=1, process=reused)}
    write(home.folder.state, StackState(supervisor=reused, attached=False, servers=servers))

    found = stack.up()

    assert orphan.wait(5) is not None
    assert found.redis.endswith(f":{port}/0"), "its port is free again"
    assert home.ok("status")["running"]


def test_two_ups_at_once_start_one_stack(home: Home) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: home.ok("up"), range(2))
    assert first == second
    ours = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(home.folder.root) in (process.info["cmdline"] or [])
    ]
    assert len(ours) == 1, "one supervisor"


def test_attached_servers_end_when_their_owner_is_killed(home: Home) -> None:
    with subprocess.Popen(
        [*COMMAND, "up", "--foreground"],
        env=environment_of(home.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline().startswith(b"Kafka")
        started = home.processes()
        assert home.state().attached
        owner.kill()
    wait_until(lambda: all_gone(started))
    assert read_state(home.folder.state) is None


def test_foreground_ends_cleanly_with_ctrl_c(home: Home) -> None:
    with subprocess.Popen(
        [*COMMAND, "up", "--foreground"],
        env=environment_of(home.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline().startswith(b"Kafka")
        started = home.processes()
        owner.send_signal(signal.SIGINT)
        assert owner.wait(20) == 0
    assert all_gone(started)


def test_up_that_is_interrupted_leaves_nothing_running(home: Home) -> None:
    with subprocess.Popen([*COMMAND, "up"], env=environment_of(home.settings), stderr=subprocess.DEVNULL) as owner:
        wait_until(lambda: read_state(home.folder.state) is not None)
        started = home.processes()
        owner.send_signal(signal.SIGINT)
        assert owner.wait(20) != 0
    assert all_gone(started)
    assert read_state(home.folder.state) is None


def test_up_waits_for_a_start_whose_command_was_killed(home: Home) -> None:
    with subprocess.Popen([*COMMAND, "up"], env=environment_of(home.settings), stderr=subprocess.DEVNULL) as owner:
        wait_until(lambda: read_state(home.folder.state) is not None)
        owner.kill()
    started = home.processes()
    servers = Stack(home.settings).up()
    assert home.processes() == started
    assert open_admin(servers.kafka).list_topics(timeout=1).brokers


def test_a_given_port_that_is_taken_is_refused(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for setting in ("CREDITBUS_KAFKA_PORT", "CREDITBUS_REDIS_PORT"):
            done = home.run("up", **{setting: port})
            assert done.returncode == 1
            assert f"error[port_taken]: port {port}" in done.stderr
            assert setting in done.stderr
    assert read_state(home.folder.state) is None


def test_data_of_another_version_is_refused(home: Home) -> None:
    home.folder.create()
    write(home.folder.versions, {"kafka": "5.0.0", "valkey": "9.1.2"})
    done = home.run("up")
    assert done.returncode == 1
    assert "error[other_version]" in done.stderr
    assert "creditbus reset" in done.stderr


def test_a_failed_start_says_why_and_leaves_nothing_running(home: Home) -> None:
    wrong = home.settings.model_copy(update={"kafka_java_options": "-Xmx512m --nonsense"})
    with pytest.raises(RequestError) as caught:
        Stack(wrong).up()
    assert caught.value.code == "bad_java_options"
    assert read_state(home.folder.state) is None

    slow = home.settings.model_copy(update={"start_timeout_seconds": 0.3})
    with pytest.raises(FatalError, match="did not answer in time") as late:
        Stack(slow).up()
    assert late.value.code == "not_started"
    assert str(home.folder.logs) in late.value.remedy
    assert read_state(home.folder.state) is None


def test_only_what_is_not_external_is_started(home: Home) -> None:
    half = home.settings.model_copy(update={"kafka": Brokers("127.0.0.1:1")})
    stack = Stack(half)
    servers = stack.up()
    assert str(servers.kafka) == "127.0.0.1:1"
    assert set(home.state().servers) == {"valkey"}
    assert stack.down()
