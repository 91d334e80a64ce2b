"""Reference departments as processes of a test: started, found by the address that they log, ended."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Department:
    """A running program of a department.

    Args:
        command: after the Python interpreter.
        environment: None takes this process's.
    """

    def __init__(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *command], stderr=subprocess.PIPE, text=True, env=environment or dict(os.environ)
        )
        self._ready = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(30), self.text
        assert self.url, self.text

    @property
    def text(self) -> str:
        return "".join(self.log)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.log.append(line)
                found = re.search(r"listening .*url=(\S+)", line)
                if found:
                    self.url = found[1]
                    self._ready.set()
        self._ready.set()

    def end(self) -> int:
        """End it in good order; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        try:
            return self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()
            self._reader.join()


@contextmanager
def running(*command: str, environment: Mapping[str, str] | None = None) -> Iterator[Department]:
    """A department that runs during the block."""
    department = Department(*command, environment=environment)
    try:
        yield department
    finally:
        code = department.end()
    assert code == 0, department.text
