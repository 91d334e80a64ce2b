"""The demonstration's processes: `creditbus run ...` as children that never outlive their parent.

Run as a module it is that child: it watches its standard input, which closes when the parent is gone, however it went.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.errors import FatalError, RequestError

END_WITHIN_SECONDS = 20.0
WITH_METRICS = (
    "standing", "dispatcher", "gateway", "inbox", "portal", "ledger", "directory", "deadlines", "archive", "risk-classes",
    "early-warning",
)  # fmt: skip
"""Where CREDITBUS_METRICS_PORT is set, each of these shows its metrics on a port of its own, counted from there, as
`deploy/prometheus/targets/one-machine.yml` has them."""


@contextmanager
def running(log: Path, *words: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the bus, such as `standing`, on the servers of this process's environment; ended in good order afterwards.

    Args:
        log: file that its output is appended to.
        words: of the command after `creditbus run`.
        settings: variables of its environment, beside those of this process.

    Raises:
        FatalError: `process_ended`, when it has ended by itself.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 # our own module
            [sys.executable, "-m", "deploy.demo.process", *words],
            env=os.environ | metrics_of(words[0]) | settings,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the demonstration, which ends this one last
        )
    try:
        yield process
        if process.poll() is not None:
            raise FatalError(
                f"`creditbus run {words[0]}` ended with code {process.returncode}", code="process_ended", remedy=f"read {log}"
            )  # fmt: skip
    finally:
        process.terminate()
        try:
            process.communicate(timeout=END_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def metrics_of(process: str) -> dict[str, str]:
    """Variables that give a process its port of metrics, and the portal everybody's; none where the demonstration was given no port."""
    first = int(os.environ.get("CREDITBUS_METRICS_PORT", "0"))
    if not first or process not in WITH_METRICS:
        return {"CREDITBUS_METRICS_PORT": "0"}
    ports = {name: first + number for number, name in enumerate(WITH_METRICS)}
    found = {"CREDITBUS_METRICS_PORT": str(ports[process])}
    if process == "portal":
        targets = [
            f"127.0.0.1:{port}" for name, port in ports.items() if name not in ("gateway", "inbox", "early-warning")
        ]
        found["CREDITBUS_OPERATIONS_TARGETS"] = ",".join(targets)
    return found


def free_port(wanted: int = 0) -> int:
    """The port that is wanted, or any free one where it is taken.

    Raises:
        RequestError: `port_taken`, when none is free.
    """
    for port in (wanted, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as found:
                return int(found.getsockname()[1])
        except OSError:
            continue
    raise RequestError("no port is free", code="port_taken", remedy="end what holds them, then try again")


def _end_with_parent() -> None:
    """Ask this process to stop once its input closes; insist when it does not."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(END_WITHIN_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    from deploy.cli.main import main

    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    sys.argv = ["creditbus", "run", *sys.argv[1:]]
    main()
