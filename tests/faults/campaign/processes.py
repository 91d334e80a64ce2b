"""A process that the campaign starts, kills, stops for a while and starts again; it dies with the campaign."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.faults.campaign.network import ROOT
from tests.waiting import wait_until

STOP_WITHIN_SECONDS = 60.0
READY_WITHIN_SECONDS = 240.0
"""Patient: two cores carry everything, and often more than that."""
_DYING_WITH_US = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
"""The kernel kills the process when we die. Python ignores SIGXFSZ, and so does what it becomes: a file that may not grow is an
error of the write then, as a full disk is, and not the process's end."""


class Process:
    """One process.

    Args:
        name: for people.
        argv: its command line.
        environment: beside the campaign's own.
        log: file for what it says.
        is_ready: whether it can be used; asked until it is.
    """

    def __init__(
        self,
        name: str,
        argv: list[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.argv = argv
        self.environment = dict(environment or {})
        self.log = log
        self.is_ready = is_ready
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = False

    @property
    def pid(self) -> int:
        """Its process id; 0 when it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def ended_by_itself(self) -> bool:
        """Whether it has ended although nobody told it to."""
        return self._is_wanted and not self.pid

    def last_line(self) -> str:
        """The last thing it said."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.is_file() else []
        return lines[-1][:200] if lines else ""

    def start(self) -> None:
        """Start it; returns at once."""
        if self.pid:
            return
        with self.log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", "-c", _DYING_WITH_US, *self.argv],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=ROOT, env=os.environ | self.environment,
                restore_signals=False,
            )  # fmt: skip
        self.starts += 1
        self._is_wanted = True

    def wait_ready(self, within_seconds: float = READY_WITHIN_SECONDS) -> None:
        """Until it can be used."""

        def is_there() -> bool:
            if self.ended_by_itself:
                self.start()
            return self.is_ready()

        wait_until(is_there, f"{self.name} is ready (log: {self.log})", within_seconds=within_seconds)

    def kill(self) -> None:
        """SIGKILL, as in a power cut; returns when it is gone."""
        self._is_wanted = False
        if self._process is not None and self.pid:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """SIGTERM; returns when it has ended.

        Raises:
            AssertionError: it does not; where it hangs is in its log, if it is one of ours.
        """
        self._is_wanted = False
        if self._process is None or not self.pid:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.say_where()
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self.name} does not end at SIGTERM, see {self.log}") from None

    def pause(self) -> None:
        """SIGSTOP."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)

    def say_where(self) -> None:
        """Have it write down where it is: Java's threads at SIGQUIT, ours at SIGUSR1."""
        if self.pid:
            self._send(signal.SIGUSR1 if Path(self.argv[0]).name.startswith("python") else signal.SIGQUIT)
            time.sleep(1)

    def limit_files(self, size: int = resource.RLIM_INFINITY) -> None:
        """No file of it may grow beyond so many bytes: writes fail, as on a full disk."""
        if self.pid:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self.pid:
            self._process.send_signal(number)
