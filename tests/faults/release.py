"""The last release's own code, out of the repository's history, to write the state and the topics that an upgrade begins from."""

import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from exchange.settings import Settings
from tests.conftest import environment_of

ROOT = Path(__file__).parents[2]
LAST_RELEASE = "084853b"
"""0.1.0 of the changelog."""


def unpack_release(folder: Path, ref: str = LAST_RELEASE) -> str:
    """Put a release's code into a folder; why that cannot be done, or nothing.

    Args:
        folder: that is made.
        ref: of the release.
    """
    packed = subprocess.run(
        ["git", "archive", "--format=tar", ref, "exchange", "producers", "consumers", "deploy", "schemas"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if packed.returncode:
        return f"commit {ref} is not in this clone: {packed.stderr.decode().strip()}"
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return ""


class Release:
    """Runs commands of a release on a bus.

    Args:
        folder: of its code.
        settings: of the bus.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings

    def run(self, *words: str) -> str:
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            self._command(*words), env=self._environment(), cwd=self._folder, capture_output=True, text=True, check=False, timeout=120
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *words: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a process."""
        return subprocess.Popen(self._command(*words), env=self._environment() | settings, cwd=self._folder)

    @staticmethod
    def _command(*words: str) -> list[str]:
        return [sys.executable, "-m", "deploy.cli.main", *words]

    def _environment(self) -> dict[str, str]:
        """Its own folder comes first where modules are looked for."""
        return os.environ | environment_of(self._settings) | {"PYTHONPATH": str(self._folder)}
