"""One embedded server as others see it: where it is, whether it runs, and how to kill, end and start it."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.folder import Folder
from deploy.local.processes import Identity, end
from deploy.local.readiness import mark_logs, wait_ready
from deploy.local.state import ServerState, read_state
from exchange.brokers import Brokers
from exchange.errors import RequestError

STOP_WITHIN_SECONDS = 20.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the servers of the bus are: Kafka as host:port (several with commas), Redis as a URL."""

    kafka: Brokers
    redis: str


def without_password(url: str) -> str:
    """A server's URL as it may be shown: user name and password left out."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else url


class Server:
    """A server of the running stack.

    Args:
        name: `kafka` or `valkey`.
        folder: of the stack.
        start_signal: what tells the supervisor to start it.
        start_within_seconds: it must answer so soon after its start.
    """

    def __init__(self, name: str, folder: Folder, start_signal: signal.Signals, *, start_within_seconds: float) -> None:
        self.name = name
        self._folder = folder
        self._start_signal = start_signal
        self._start_within_seconds = start_within_seconds

    @property
    def port(self) -> int:
        """Its port, the same over restarts."""
        return self._state().port

    @property
    def pid(self) -> int:
        """Its process id; 0 when it does not run."""
        state = self._state()
        return state.pid if state.is_running() else 0

    def is_running(self) -> bool:
        """Whether its process runs."""
        return self._state().is_running()

    def kill(self) -> None:
        """SIGKILL, as in a power cut; returns when it is gone."""
        state = self._state()
        if state.process and state.is_running():
            os.kill(state.pid, signal.SIGKILL)
            self._wait_gone(state.process)

    def stop(self) -> None:
        """End it cleanly; returns when it is gone."""
        state = self._state()
        if state.process:
            end([state.process], within_seconds=STOP_WITHIN_SECONDS)
            self._wait_gone(state.process)

    def start(self) -> None:
        """Start it again after `kill` or `stop`, on its old port and data; returns when it answers.

        Raises:
            RequestError: `not_running`, when the stack as a whole does not run; or why the server does not start.
        """
        stack = read_state(self._folder.state)
        if stack is None or not stack.supervisor.is_running():
            raise RequestError("the stack does not run", code="not_running", remedy="run `creditbus up`")
        marks = mark_logs(self._folder, self.name)
        if not self.is_running():
            before = self._state()
            os.kill(stack.supervisor.pid, self._start_signal)
            _wait_until(lambda: self._state() != before)
        wait_ready(self._folder, self.name, self.port, marks, within_seconds=self._start_within_seconds)

    def _state(self) -> ServerState:
        stack = read_state(self._folder.state)
        return (stack.servers if stack else {}).get(self.name, ServerState(port=0))

    def _wait_gone(self, process: Identity) -> None:
        """Until the supervisor has noticed too, so that a start that follows is not taken for one too many."""
        _wait_until(lambda: not process.is_running() and self._state().process != process)


class ValkeyServer(Server):
    """Valkey, whose append-only files a test may copy and put back while it does not run."""

    @property
    def aof(self) -> Path:
        """Folder of its append-only files."""
        return self._folder.valkey_data / "appendonlydir"


def _wait_until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + STOP_WITHIN_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            raise RequestError(
                "the supervisor of the stack does not react",
                code="supervisor_stuck",
                remedy="run `creditbus down`, then `creditbus up`",
            )
        time.sleep(POLL_SECONDS)
