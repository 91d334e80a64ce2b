"""Liveness by progress: a processor that has records waiting and commits nothing is stuck, however alive its threads are."""

import faulthandler
import sys
import time
from collections.abc import Callable, Mapping

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


class Standstill:
    """Knows for how long each partition has had records waiting and taken none in, while others may get on.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moved: dict[int, tuple[int, float]] = {}

    @property
    def known(self) -> set[int]:
        """Partitions that were noted last."""
        return set(self._moved)

    def note(self, waiting: Mapping[int, int], taken: Mapping[int, int]) -> dict[int, float]:
        """Look at the owned partitions.

        Args:
            waiting: records of each that are not taken in.
            taken: a number for each that changes whenever some are.

        Returns:
            Seconds of each; 0 where nothing waits.
        """
        now = self._clock()
        self._moved = {
            number: self._moved[number]
            if records and self._moved.get(number, (None,))[0] == taken[number]
            else (taken[number], now)
            for number, records in waiting.items()
        }
        return {number: now - since for number, (_, since) in self._moved.items()}
