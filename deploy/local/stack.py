"""The embedded stack: Kafka and Valkey as one thing that goes up and down. `creditbus up` and the tests start here."""

import shutil
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path

from deploy.local import kafka, reach
from deploy.local.folder import Folder, held, translating_os_errors
from deploy.local.jars import Advance
from deploy.local.launch import embedded, plan_servers, prepare, spawn_supervisor
from deploy.local.processes import end
from deploy.local.progress import silent
from deploy.local.readiness import Marks, mark_logs, wait_ready
from deploy.local.secured import Secured
from deploy.local.servers import Server, Servers, ValkeyServer
from deploy.local.state import StackState, read_state
from exchange.catalogue import load_catalogue
from exchange.errors import CreditbusError, FatalError, RequestError
from exchange.grants import grants_of
from exchange.paths import SCHEMAS
from exchange.settings import Settings

DOWN_WITHIN_SECONDS = 30.0
LOCK_WITHIN_SECONDS = 180.0
WATCH_SECONDS = 0.2
LAUNCHES = 3
"""A port that was free when chosen may be taken before the server binds it: then the launch is tried again."""


class Stack:
    """The embedded servers of one home folder.

    Args:
        settings: home folder, ports, Java options, cache.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = Folder(root=settings.home.expanduser().absolute())
        within = settings.start_timeout_seconds
        self.kafka = Server("kafka", self.folder, signal.SIGUSR1, start_within_seconds=within)
        self.valkey = ValkeyServer("valkey", self.folder, signal.SIGUSR2, start_within_seconds=within)
        self._supervisor: subprocess.Popen[bytes] | None = None

    def up(self, advance: Advance = silent, *, attached: bool = False, secured: bool = False) -> Servers:
        """Start the servers, or find them running; external ones (`CREDITBUS_KAFKA`, `CREDITBUS_REDIS`) are left alone.

        Args:
            advance: told what is being done.
            attached: the servers end with this process, however it ends; else they run until `down`.
            secured: make it a secured stack, if it has no data yet; one that is secured stays so.

        Raises:
            RequestError: `port_taken`, `disk_full`, `other_version`, `already_running`, `busy`, ...: the user can mend it.
            RetryLaterError: `download_failed`.
            FatalError: `checksum_mismatch`, `format_failed`, `not_started`.
        """
        if not embedded(self._settings):
            return self.servers()
        with self._locked("starting"):
            if secured:
                self._secure()
            state = self._running()
            if state:
                self._check_found(state, attached=attached)
                self._wait_found(state)
            else:
                self._clean_up()
                self._launch(advance, attached=attached)
            return self.servers()

    def down(self) -> bool:
        """End the servers cleanly; whether there was anything to end."""
        with self._locked("ending"):
            return self._clean_up()

    def wait(self) -> None:
        """Return when a server or the supervisor has ended, whoever ended it.

        Raises:
            FatalError: `server_ended`, when a server ended by itself while the supervisor goes on.
        """
        while state := read_state(self.folder.state):
            if not state.supervisor.is_running():
                return
            for name, one in state.servers.items():
                if one.exit_code is not None:
                    raise FatalError(
                        f"{name} ended with code {one.exit_code}",
                        code="server_ended",
                        remedy=f"read {self.folder.log_of(name)}, then run `creditbus up` again",
                    )
            time.sleep(WATCH_SECONDS)

    def reset(self) -> None:
        """End the servers and delete their data; ports, logs and jars stay."""
        with self._locked("resetting"):
            self._clean_up()
            with translating_os_errors(self.folder.data):
                if self.folder.data.is_dir():
                    shutil.rmtree(self.folder.data)

    def servers(self) -> Servers:
        """Where the servers are: external ones by the settings, else those that run here.

        Raises:
            RequestError: `not_running`.
        """
        brokers, redis = self._settings.kafka, self._settings.redis
        if brokers and redis:
            return Servers(kafka=brokers, redis=redis)
        state = self._running()
        if state is None:
            raise RequestError(
                f"the servers of {self.folder.root} do not run",
                code="not_running",
                remedy="run `creditbus up`, or set CREDITBUS_KAFKA and CREDITBUS_REDIS to servers of your own",
            )
        return Servers(
            kafka=brokers or reach.brokers(self.folder, state.servers["kafka"].port),
            redis=redis or reach.redis_url(self.folder, state.servers["valkey"].port),
        )

    def _secure(self) -> None:
        """Make what a secured stack needs before it starts.

        Raises:
            RequestError: `open_data`, when its data was written by an open stack.
        """
        where = Secured(folder=self.folder.security)
        if kafka.cluster_id_of(self.folder) and not where.is_there:
            raise RequestError(
                f"the data in {self.folder.data} is of a stack that is not secured",
                code="open_data",
                remedy="set CREDITBUS_HOME to another folder, or run `creditbus reset`",
            )
        with translating_os_errors(self.folder.root):
            where.make(grants_of(self._settings, load_catalogue(SCHEMAS).departments))

    def _locked(self, doing: str) -> AbstractContextManager[None]:
        return held(self.folder.lock, within_seconds=LOCK_WITHIN_SECONDS, doing=f"{doing} the stack")

    def _running(self) -> StackState | None:
        """The state, if the supervisor and every server that is wanted here run."""
        state = read_state(self.folder.state)
        if state is None or not state.supervisor.is_running():
            return None
        wanted = embedded(self._settings)
        running = all(name in state.servers and state.servers[name].is_running() for name in wanted)
        return state if running else None

    def _check_found(self, state: StackState, *, attached: bool) -> None:
        given = {"kafka": self._settings.kafka_port, "valkey": self._settings.redis_port}
        ports = {name: one.port for name, one in state.servers.items()}
        if attached or any(port not in (0, ports.get(name, port)) for name, port in given.items()):
            where = ", ".join(f"{name} on port {port}" for name, port in ports.items())
            raise RequestError(
                f"the servers of {self.folder.root} run already: {where}",
                code="already_running",
                remedy="run `creditbus down` first",
            )

    def _wait_found(self, state: StackState) -> None:
        """The run that is found may be starting still, when the command that started it was killed."""
        ports = {name: state.servers[name].port for name in embedded(self._settings)}
        self._wait_ready(ports, {name: mark_logs(self.folder, name) for name in ports})

    def _launch(self, advance: Advance, *, attached: bool) -> None:
        jars = prepare(self.folder, self._settings, advance)
        for attempt in range(1, LAUNCHES + 1):
            try:
                with translating_os_errors(self.folder.root):
                    self._launch_once(jars, advance, attached=attached)
            except BaseException as error:  # Ctrl-C too: nothing half started may stay
                self._clean_up()
                again = isinstance(error, CreditbusError) and error.code == "port_taken" and attempt < LAUNCHES
                if not again:
                    raise
            else:
                return

    def _launch_once(self, jars: list[Path], advance: Advance, *, attached: bool) -> None:
        plan = plan_servers(self.folder, self._settings, jars, advance)
        marks = {name: mark_logs(self.folder, name) for name in plan}
        advance(f"starting {' and '.join(name.capitalize() for name in plan)}", 0, 1)
        self._supervisor = spawn_supervisor(self.folder, attached=attached)
        self._wait_ready({name: one.port for name, one in plan.items()}, marks)

    def _wait_ready(self, ports: dict[str, int], marks: dict[str, Marks]) -> None:
        within = self._settings.start_timeout_seconds
        for name, port in ports.items():
            wait_ready(self.folder, name, port, marks[name], within_seconds=within)

    def _clean_up(self) -> bool:
        """End what runs of this home, also what a killed run left behind; whether anything ran."""
        state = read_state(self.folder.state)
        ran = False
        if state:
            ran = any(process.is_running() for process in state.processes())
            end([state.supervisor], within_seconds=DOWN_WITHIN_SECONDS)
            end(state.processes(), within_seconds=DOWN_WITHIN_SECONDS)
            self.folder.state.unlink(missing_ok=True)
        if self._supervisor:
            self._supervisor.communicate(timeout=DOWN_WITHIN_SECONDS)
            self._supervisor = None
        return ran
