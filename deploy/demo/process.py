"""The demonstration's processes: `creditbus run ...` as children that never outlive their parent.

Run as a module it is that child: it watches its standard input, which closes when the parent is gone, however it went.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.errors import FatalError

END_WITHIN_SECONDS = 20.0


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
            env=os.environ | settings,
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
