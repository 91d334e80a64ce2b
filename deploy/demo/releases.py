"""Open data of the demonstration: released again and again while it runs, so that the portal's statistics have something to show."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FIRST_SECONDS, EVERY_SECONDS = 20.0, 60.0
"""When the first release is begun, and how long after one the next."""
_LOOK_SECONDS = 0.2


@contextmanager
def releasing(log: Path) -> Iterator[None]:
    """Run `creditbus open-data release` now and then, on the servers of this process's environment.

    Args:
        log: file that it prints to. A release that fails is told there; the next one is made all the same.
    """
    over = threading.Event()

    def work() -> None:
        pause = FIRST_SECONDS
        while not over.wait(pause):
            pause = EVERY_SECONDS
            with log.open("ab") as output:
                process = subprocess.Popen(  # our own command
                    [sys.executable, "-m", "deploy.cli", "open-data", "release"], stdout=output, stderr=output
                )
                while process.poll() is None:
                    if over.wait(_LOOK_SECONDS):
                        process.terminate()
                        process.wait()

    thread = threading.Thread(target=work, name="open-data", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
