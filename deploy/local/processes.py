"""Processes of the stack, known by process id and start time, so that a reused id is never taken for ours."""

import signal
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

POLL_SECONDS = 0.02
KILL_WITHIN_SECONDS = 5.0
SAME_WITHIN_SECONDS = 0.5
"""Start times are counted in ticks of the clock; far more than that lies between two processes of one id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One process: its id and when it started, in seconds since 1970 and since the machine started.

    Either time is enough: setting the clock moves the first on Linux, the second on macOS.
    """

    pid: int
    started: float
    since_boot: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """The identity of a running process.

        Raises:
            psutil.NoSuchProcess: it has ended already.
        """
        started = psutil.Process(pid).create_time()
        return cls(pid=pid, started=started, since_boot=started - psutil.boot_time())

    def process(self) -> psutil.Process | None:
        """The process, or None when it has ended (a zombie that nobody has reaped has ended too)."""
        try:
            process = psutil.Process(self.pid)
            now = Identity.of(self.pid)
            moved = min(abs(now.started - self.started), abs(now.since_boot - self.since_boot))
            return process if moved < SAME_WITHIN_SECONDS and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def is_running(self) -> bool:
        """Whether the process still runs."""
        return self.process() is not None


def end(identities: list[Identity], *, within_seconds: float) -> list[int]:
    """End processes: SIGTERM, wait, then SIGKILL; the ids of those that had to be killed.

    Not `psutil.wait_procs`: it waits for zombies too, until their parent, which need not be us, reaps them.
    """
    for identity in identities:
        _send(identity, signal.SIGTERM)
    stubborn = _still_running(identities, within_seconds)
    for identity in stubborn:
        _send(identity, signal.SIGKILL)
    _still_running(stubborn, KILL_WITHIN_SECONDS)
    return [identity.pid for identity in stubborn]


def _still_running(identities: list[Identity], within_seconds: float) -> list[Identity]:
    """Wait for processes to end; those that have not in time."""
    give_up_at = time.monotonic() + within_seconds
    while running := [identity for identity in identities if identity.is_running()]:
        if time.monotonic() > give_up_at:
            break
        time.sleep(POLL_SECONDS)
    return running


def _send(identity: Identity, number: signal.Signals) -> None:
    process = identity.process()
    if process:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
