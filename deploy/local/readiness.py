"""Waits until a started server answers, or says why it does not."""

import socket
import time
from pathlib import Path

from deploy.local import reach
from deploy.local.failure import explain
from deploy.local.folder import Folder
from deploy.local.ports import HOST
from deploy.local.probe import kafka_is_whole, redis_answers
from deploy.local.state import read_state

POLL_SECONDS = 0.03
STATE_WITHIN_SECONDS = 10.0
"""The supervisor writes its state as soon as it runs."""
Marks = dict[Path, int]
"""Log files of a server with the size each had before the start."""


def mark_logs(folder: Folder, server: str) -> Marks:
    """Remember how long the logs of a server are, so that only what follows explains a failure."""
    paths = (folder.log_of(server), folder.output_of(server))
    return {path: path.stat().st_size if path.is_file() else 0 for path in paths}


def wait_ready(folder: Folder, server: str, port: int, marks: Marks, *, within_seconds: float) -> None:
    """Return when a server answers on its port.

    Raises:
        RequestError: it does not start, for a reason that the user can mend (`port_taken`, `disk_full`, ...).
        FatalError: `not_started`, with the last error of its log.
    """
    give_up_at = time.monotonic() + within_seconds
    seen_by = time.monotonic() + STATE_WITHIN_SECONDS
    while True:
        state = read_state(folder.state)
        now = time.monotonic()
        if state is None and now > seen_by:
            raise explain("supervisor", {folder.output_of("supervisor"): 0}, exit_code=None)
        exit_code = state.servers[server].exit_code if state else None
        if exit_code is not None or now > give_up_at:
            raise explain(server, marks, exit_code=exit_code)
        if state and state.servers[server].is_running() and _listens(port) and _answers(folder, server, port):
            return
        time.sleep(POLL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _answers(folder: Folder, server: str, port: int) -> bool:
    if server == "kafka":
        return kafka_is_whole(reach.brokers(folder, port))
    return redis_answers(reach.redis_url(folder, port))
