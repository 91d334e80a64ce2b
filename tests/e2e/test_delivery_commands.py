"""`creditbus endpoints`, `run dispatcher` and `deliveries` as an operator uses them, with a real endpoint."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.settings import Settings
from exchange.signatures import SigningKeys
from tests.conftest import environment_of
from tests.receiving import Desks, Pushed, subject

pytestmark = pytest.mark.servers
KEYS = "k1:" + "3c" * 32
FIN, RAILWAY = "gd.fin", "ext.railway"
COMMAND = (sys.executable, "-m", "deploy.cli.main")


@pytest.fixture
def pushed(bus_settings: Settings) -> Iterator[Pushed]:
    with Desks() as desks, Pushed(bus_settings, desks) as made:
        made.keys = SigningKeys.parse(KEYS)
        yield made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def creditbus(pushed: Pushed, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """Run a command; its JSON lines."""
    environment = environment_of(pushed.settings) | {"CREDITBUS_SIGNING_KEYS": KEYS}
    command = [*COMMAND, *arguments, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    assert code == 0 or done.stderr.count("\n") == 1, "an error is one line"
    return [json.loads(line) for line in done.stdout.splitlines()]


def on_a_terminal(pushed: Pushed, *arguments: str) -> str:
    """What a command shows people, on a terminal of the usual width."""
    environment = environment_of(pushed.settings) | {"CREDITBUS_SIGNING_KEYS": KEYS, "COLUMNS": "80"}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_an_operator_adds_an_endpoint_and_follows_its_deliveries(pushed: Pushed) -> None:
    url, desk = pushed.desks.url(FIN), pushed.desks.desks[FIN]
    (added,) = creditbus(pushed, "endpoints", "add", FIN, url)
    assert added["state"] == "unverified"
    assert (len(added["public_keys"]), added["secrets"][0][:6]) == (1, "whsec_")
    desk.keys = added["public_keys"]
    assert creditbus(pushed, "endpoints", "add", FIN, url) == [added], "the same command again changes nothing"
    (verified,) = creditbus(pushed, "endpoints", "verify", FIN)
    assert verified["state"] == "active"
    notice = pushed.put(FIN, 1, 1)
    pushed.flush()
    port = free_port()
    environment = environment_of(pushed.settings) | {
        "CREDITBUS_SIGNING_KEYS": KEYS,
        "CREDITBUS_METRICS_PORT": str(port),
    }
    running = subprocess.Popen([*COMMAND, "run", "dispatcher"], env=environment, stderr=subprocess.DEVNULL)
    try:
        pushed.all_arrived()
        pushed.wait(lambda: bool(creditbus(pushed, "deliveries", "list", "--notice", notice)))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            assert 'creditbus_delivered_total{department="gd.fin"} 1.0' in page.read().decode()
        (attempt,) = creditbus(
            pushed, "deliveries", "list", "--department", FIN, "--subject", subject(1).removeprefix("org:")
        )
        assert (attempt["notice"], attempt["status"], attempt["outcome"]) == (notice, 204, "delivered")
        shown = on_a_terminal(pushed, "deliveries", "list", "--department", FIN)
        assert "…" not in shown, "what is to be copied is there whole"
        assert notice[:16] in shown
        assert "delivered 204" in shown
        creditbus(pushed, "endpoints", "pause", FIN)
        time.sleep(0.6)
        pushed.put(FIN, 1, 2)
        pushed.flush()
        pushed.wait(lambda: bool(creditbus(pushed, "deliveries", "pending", "--department", FIN)))
        assert creditbus(pushed, "endpoints", "list")[0]["state"] == "paused"
        creditbus(pushed, "endpoints", "resume", FIN)
        pushed.all_arrived()
        (rotated,) = creditbus(pushed, "endpoints", "rotate", FIN)
        assert (rotated["key_number"], len(rotated["public_keys"])) == (2, 2)
        creditbus(pushed, "endpoints", "recover", FIN, "--since", "2026-01-01T00:00:00+08:00")
        pushed.wait(lambda: len(desk.taken) == 3)
        assert creditbus(pushed, "endpoints", "remove", FIN) == [{"department": FIN, "removed": True}]
        assert creditbus(pushed, "endpoints", "remove", FIN) == [{"department": FIN, "removed": False}]
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0


def test_the_catalogue_says_how_much_is_pushed(pushed: Pushed) -> None:
    def payload(department: str, *options: str) -> object:
        (added,) = creditbus(pushed, "endpoints", "add", department, pushed.desks.url(department), *options)
        return added["payload"]

    assert [payload(FIN), payload(FIN, "--payload", "thin"), payload(FIN, "--payload", "full")] == [
        "full",
        "thin",
        "full",
    ]
    assert [payload(RAILWAY), payload(RAILWAY, "--payload", "thin")] == ["thin", "thin"]


def test_wrong_requests_are_errors_of_one_line(pushed: Pushed) -> None:
    creditbus(pushed, "endpoints", "show", FIN, code=1)
    creditbus(pushed, "endpoints", "add", "gd.nobody", "https://credit.example/", code=1)
    creditbus(pushed, "endpoints", "add", FIN, "https://10.0.0.1/", code=1)
    creditbus(pushed, "endpoints", "recover", FIN, "--since", "yesterday", code=1)
    creditbus(pushed, "deliveries", "list", code=1)
    creditbus(pushed, "deliveries", "list", "--department", "gd.nobody", code=1)
    creditbus(pushed, "deliveries", "pending", "--department", "gd.nobody", code=1)
    creditbus(pushed, "endpoints", "add", RAILWAY, "https://credit.example/", "--payload", "full", code=1)
    creditbus(pushed, "endpoints", "add", FIN, pushed.desks.url(FIN))
    creditbus(pushed, "endpoints", "verify", FIN, code=1)


def test_a_shell_without_the_webhook_settings_leaves_the_endpoint_as_it_is(pushed: Pushed) -> None:
    creditbus(pushed, "endpoints", "add", FIN, pushed.desks.url(FIN))
    pushed.desks.desks[FIN].keys = creditbus(pushed, "endpoints", "show", FIN)[0]["public_keys"]
    (verified,) = creditbus(pushed, "endpoints", "verify", FIN)
    assert verified["state"] == "active"
    bare = {name: value for name, value in environment_of(pushed.settings).items() if "_WEBHOOK_" not in name}
    done = subprocess.run(
        [*COMMAND, "endpoints", "verify", FIN],
        env=bare | {"CREDITBUS_SIGNING_KEYS": KEYS},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error[not_asked]: ")
    assert "CREDITBUS_WEBHOOK_NETWORKS" in done.stderr
    assert creditbus(pushed, "endpoints", "show", FIN)[0]["state"] == "active"
