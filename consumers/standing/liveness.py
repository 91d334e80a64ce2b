"""Liveness by progress: a processor that has records waiting and commits nothing is stuck, however alive its threads are."""

import faulthandler
import sys
import time
from collections.abc import Callable

STUCK_AFTER = 30.0
"""Seconds without a commit while records wait."""


class Liveness:
    """Knows when the last progress was made, and whether there was anything to do.

    Args:
        stuck_after: seconds.
        clock: monotonic seconds.
    """

    def __init__(self, stuck_after: float = STUCK_AFTER, clock: Callable[[], float] = time.monotonic) -> None:
        self._stuck_after = stuck_after
        self._clock = clock
        self._progress_at = clock()
        self._waiting = 0
        self._dumped = False

    def progress(self) -> None:
        """A commit went through."""
        self._progress_at = self._clock()
        self._dumped = False

    def lag(self, records: int) -> None:
        """So many records wait; with none, standing still is progress."""
        self._waiting = records
        if not records:
            self._progress_at = self._clock()

    def is_stuck(self) -> bool:
        """Whether records wait and nothing was committed for too long; the first time all stacks go to stderr."""
        stuck = self._waiting > 0 and self._clock() - self._progress_at > self._stuck_after
        if stuck and not self._dumped:
            self._dumped = True
            faulthandler.dump_traceback(file=sys.stderr)
        return stuck
