"""The image, built and run: no root, nothing written but where it may be, well by progress, ended by SIGTERM; a bus of it verifies.

Needs a Docker daemon. The base is `CREDITBUS_TEST_BASE`, else what an image registry gives, else one made of Debian's packages.
"""

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.demo.process import free_port
from deploy.local.door_certificates import write_door_certificates
from deploy.processes import PROCESSES, Process
from exchange.settings import Settings
from tests.conftest import environment_of

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
IMAGE = "creditbus:test"
LOCAL_BASE = "creditbus-base:bookworm"
REGISTRY_BASE = "python:3.12-slim"
KEYS = {
    f"CREDITBUS_{name}_KEYS": f"k1:{byte * 32}"
    for name, byte in (("SIGNING", "11"), ("PERSON", "22"), ("PORTAL", "33"))
}
WELL_WITHIN_SECONDS = 90


def docker(*words: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    found = shutil.which("docker")
    if found is None:
        pytest.skip("no image is built: there is no docker command")
    return subprocess.run([found, *words], capture_output=True, text=True, check=False, timeout=timeout)


@pytest.fixture(scope="module")
def image() -> str:
    """The image, built of this tree."""
    daemon = docker("version", "--format", "{{.Server.Version}}")
    if daemon.returncode:
        pytest.skip(f"no image is built: no Docker daemon answers ({daemon.stderr.strip().splitlines()[-1]})")
    build = (
        "build",
        "--network=host",
        "-f",
        "deploy/docker/Dockerfile",
        f"--build-arg=BASE={base()}",
        "-t",
        IMAGE,
        str(ROOT),
    )
    built = docker(*build, timeout=900)
    assert built.returncode == 0, (built.stdout + built.stderr)[-4000:]
    testcontainers_config.ryuk_disabled = True  # it is an image of its own, which no registry may give
    return IMAGE


def base() -> str:
    for name in filter(None, (os.environ.get("CREDITBUS_TEST_BASE"), REGISTRY_BASE, LOCAL_BASE)):
        if docker("image", "inspect", name).returncode == 0:
            return name
    if docker("pull", "--quiet", REGISTRY_BASE, timeout=300).returncode == 0:
        return REGISTRY_BASE
    if shutil.which("debootstrap") is None or os.geteuid():
        pytest.skip("no image is built: no registry gives a base, and making one takes root and debootstrap")
    subprocess.run([sys.executable, "-m", "deploy.docker.base", LOCAL_BASE], cwd=ROOT, check=True, timeout=600)
    return LOCAL_BASE


Start = Callable[..., DockerContainer]


@pytest.fixture
def start(image: str, bus_settings: Settings) -> Iterator[Start]:
    """Starts a container as compose and Kubernetes do, on the servers of the test."""
    started: list[DockerContainer] = []

    def run(*words: str, folder: Path | None = None, **settings: str) -> DockerContainer:
        given = {name: text for name, text in environment_of(bus_settings).items() if name.startswith("CREDITBUS_")}
        for left_out in ("CREDITBUS_CACHE", "CREDITBUS_MAVEN_URL"):
            given.pop(left_out, None)
        container = DockerContainer(image).with_command(list(words)).with_kwargs(
            network_mode="host", read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"],
            mem_limit="1g", pids_limit=256,
        )  # fmt: skip
        container.with_tmpfs_mount("/tmp", "size=256m,mode=1777")  # noqa: S108 # the container's own
        for name, text in (given | KEYS | {"CREDITBUS_METRICS_PORT": str(free_port())} | settings).items():
            container.with_env(name, text)
        if folder is not None:
            container.with_volume_mapping(str(folder), "/var/lib/creditbus/data", "rw")
        started.append(container.start())
        return container

    yield run
    for container in started:
        container.stop()


def inside(container: DockerContainer) -> Any:
    found = container.get_wrapped_container()
    found.reload()
    return found


def ended(container: DockerContainer) -> str:
    """What a container that runs once has printed, once it has ended well."""
    code = inside(container).wait(timeout=120)["StatusCode"]
    printed = inside(container).logs().decode()
    assert code == 0, printed[-2000:]
    return str(printed)


def wait_until_well(container: DockerContainer) -> None:
    give_up_at = time.monotonic() + WELL_WITHIN_SECONDS
    while inside(container).health != "healthy":
        assert time.monotonic() < give_up_at, inside(container).logs().decode()[-2000:]
        assert inside(container).status == "running", inside(container).logs().decode()[-2000:]
        time.sleep(0.5)


def test_a_bus_of_the_image_works_and_verifies(start: Start) -> None:
    ended(start("topics", "apply"))
    processes = [start("run", name) for name in ("standing", "ledger", "dispatcher")]
    ended(start("simulate", "--count", "500", "--subjects", "100", "--rate", "0"))
    for process in processes:
        wait_until_well(process)
    give_up_at = time.monotonic() + 60
    while True:  # until everything that was published is in
        verdict = start("verify")
        if inside(verdict).wait(timeout=120)["StatusCode"] == 0:
            break
        assert time.monotonic() < give_up_at, inside(verdict).logs().decode()[-2000:]
    for process in processes:
        began = time.monotonic()
        inside(process).stop(timeout=40)
        assert time.monotonic() - began < 40
        assert inside(process).attrs["State"]["ExitCode"] == 0


def test_the_image_gives_nothing_away_and_takes_no_liberties(start: Start, image: str) -> None:
    process = start("run", "standing")
    looks = {
        "id -u": "10001",
        "python -c 'import pip' 2>&1 | tail -1": "ModuleNotFoundError: No module named 'pip'",
        "touch /opt/creditbus/x 2>&1 | grep -c 'Read-only file system'": "1",
        "find / -xdev -type f -perm /6000 2>/dev/null | wc -l": "0",
    }
    for command, expected in looks.items():
        assert process.exec(["sh", "-c", command]).output.decode().strip() == expected, command
    told = docker("image", "inspect", "--format", "{{json .Config}}", image).stdout
    assert '"User":"10001:10001"' in told
    assert "KEYS" not in told


@pytest.mark.parametrize("process", [one for one in PROCESSES if one.port], ids=lambda one: one.name)
def test_a_door_is_ready_where_the_manifests_ask_it(start: Start, process: Process, tmp_path: Path) -> None:
    ended(start("topics", "apply"))
    write_door_certificates(tmp_path / "certificates", (), days=1)
    trust = ssl.create_default_context(cafile=tmp_path / "certificates" / "ca.pem")
    for path in (tmp_path / "certificates", *(tmp_path / "certificates" / process.name).iterdir()):
        path.chmod(0o755)
    tmp_path.chmod(0o777)  # the container's user is none of this machine's
    if process.name == "portal":
        wait_until_well(start("run", "directory", folder=tmp_path))
    port = free_port()
    own, setting = f"/var/lib/creditbus/data/certificates/{process.name}", f"CREDITBUS_{process.name.upper()}"
    given = {"PORT": str(port), "CERTIFICATE": f"{own}/certificate.pem", "KEY": f"{own}/key.pem"}
    container = start(
        "run", process.name, folder=tmp_path, **{f"{setting}_{name}": text for name, text in given.items()}
    )
    give_up_at = time.monotonic() + WELL_WITHIN_SECONDS
    while True:
        with contextlib.suppress(httpx2.HTTPError):
            answer = httpx2.get(f"https://127.0.0.1:{port}{process.ready}", timeout=10, verify=trust)
            if answer.status_code == httpx2.codes.OK:
                break
        assert time.monotonic() < give_up_at, inside(container).logs().decode()[-2000:]
        time.sleep(0.2)
    assert container.exec(["python", "-m", "deploy.health", str(port)]).exit_code == 0
