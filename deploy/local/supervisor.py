"""The parent of the embedded servers: starts them, writes down who runs, ends them when told or when its own owner dies.

Run as `python -m deploy.local.supervisor HOME --attached|--detached`; detached, it goes on in the background at once. It is told what to do by signals, so that any process
may tell it: SIGTERM ends the stack, SIGUSR1 starts Kafka and SIGUSR2 starts Valkey if they do not run. Attached, it
also ends when its standard input closes, which is when the process that started it is gone, however it went.
On Linux a server dies with the supervisor even at SIGKILL; elsewhere the next `up` finds and ends what was left.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.folder import Folder
from deploy.local.kafka import LOCALE
from deploy.local.processes import Identity
from deploy.local.state import ServerPlan, ServerState, StackState, read_plan, write

START_SIGNALS = {signal.SIGUSR1: "kafka", signal.SIGUSR2: "valkey"}
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOP_WITHIN_SECONDS = 20.0
PR_SET_PDEATHSIG = 1


class Supervisor:
    """One loop over signals and the owner's pipe; a single thread, because a server dies with the thread that forked it."""

    def __init__(self, folder: Folder, plan: dict[str, ServerPlan], *, attached: bool) -> None:
        self._folder = folder
        self._plan = plan
        self._attached = attached
        self._own = Identity.of(os.getpid())
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._states = {name: ServerState(port=server.port) for name, server in plan.items()}
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)

    def run(self) -> None:
        """Start every server, serve signals until told to end, end the servers, remove the state."""
        for number in (*STOP_SIGNALS, *START_SIGNALS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for name in self._plan:
            self._start(name)
        self._write()  # of all at once: who reads it must not take a start for a stack that has lost a server
        try:
            self._serve()
        finally:
            self._end()
            self._folder.state.unlink(missing_ok=True)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._read_end, selectors.EVENT_READ)
            if self._attached:
                selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    received = os.read(key.fd, 512)
                    if key.fd != self._read_end:
                        if not received:
                            return
                        continue
                    if any(number in received for number in STOP_SIGNALS):
                        return
                    self._reap()
                    for number, name in START_SIGNALS.items():
                        if number in received:
                            self._start(name)
                            self._write()

    def _start(self, name: str) -> None:
        if name in self._children or name not in self._plan:
            return
        server = self._plan[name]
        with Path(server.output).open("ab") as output:
            child = subprocess.Popen(  # noqa: S603 # the command line is the stack's own
                server.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | LOCALE,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 # safe: this process has one thread
            )
        self._children[name] = child
        self._states[name] = ServerState(port=server.port, process=Identity.of(child.pid))

    def _reap(self) -> None:
        for name, child in list(self._children.items()):
            code = child.poll()
            if code is not None:
                del self._children[name]
                self._states[name] = ServerState(port=self._plan[name].port, exit_code=code)
                self._write()

    def _end(self) -> None:
        for child in self._children.values():
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGCONT)
        give_up_at = time.monotonic() + STOP_WITHIN_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, give_up_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _write(self) -> None:
        write(
            self._folder.state,
            StackState(supervisor=self._own, attached=self._attached, servers=self._states),
        )


def _die_with_parent() -> None:
    """Runs in the child between fork and exec: the kernel kills it when the supervisor dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)


def main() -> None:
    """Run the supervisor of the home folder given on the command line."""
    folder, attached = Folder(root=Path(sys.argv[1])), sys.argv[2] == "--attached"
    if not attached and os.fork():
        os._exit(0)
    Supervisor(folder, read_plan(folder.plan), attached=attached).run()


if __name__ == "__main__":
    main()
