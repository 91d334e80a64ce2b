"""The command line as a whole: its list of commands is right, and quick because nothing is imported before it is called."""

import socket
import subprocess
import sys
import time

import pytest

from consumers.standing.liveness import Liveness
from deploy.cli.main import COMMANDS, Command, Deferred
from deploy.cli.run import serve_metrics
from exchange.errors import RequestError
from exchange.metrics import StandingMetrics
from exchange.settings import Settings

HEAVY = ("confluent_kafka", "pydantic", "redis", "fastavro", "jgo", "prometheus_client")


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    script = f"import sys, deploy.cli.main as m; m.build(); print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"

    took = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run([sys.executable, "-m", "deploy.cli", "--help"], capture_output=True, check=True, timeout=60)
        took.append(time.monotonic() - started)
    assert min(took) < 1.5, "0.2 s on an idle machine"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_loads_and_explains_itself(command: Command) -> None:
    loaded = Deferred(command).load()
    assert (loaded.help or "").strip()
    assert not {"--install-completion", "--show-completion"} & {option for one in loaded.params for option in one.opts}
    for one in [loaded, *getattr(loaded, "commands", {}).values()]:
        assert "\n" not in (one.help or "").replace("\n\n", ""), "lines are broken where the terminal ends"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_help_is_cut_off(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    loaded = Deferred(command).load()
    for path in ([], *([name] for name in getattr(loaded, "commands", {}))):
        loaded.main([*path, "--help"], prog_name=command.name, standalone_mode=False)
    assert " …" not in capsys.readouterr().out


def test_wrong_setting_is_one_line_that_names_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "status"],
        env={"CREDITBUS_KAFKA_PORT": "many", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error[bad_setting]: CREDITBUS_KAFKA_PORT='many'")
    assert done.stderr.count("\n") == 1


def test_a_metrics_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RequestError) as failure:
            serve_metrics(StandingMetrics(), Liveness(), Settings(metrics_port=port))
    assert failure.value.line().startswith(f"error[port_taken]: port {port} ")
    assert "CREDITBUS_METRICS_PORT" in failure.value.line()
