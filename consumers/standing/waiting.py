"""How the loop waits, or does something that takes long, and stays a member of its group meanwhile."""

import time
from collections.abc import Callable

from consumers.standing.assignment import Assignment, pauses
from consumers.standing.lanes import PublishingLanes
from consumers.standing.liveness import Liveness
from consumers.standing.partition import Partition
from consumers.standing.report import Report
from exchange.errors import FencedError, RetryLaterError

ANSWER_EVERY = 1.0
"""Seconds after which the group is answered in between while a partition is reconciled."""


class Waits:
    """Waits of the standing processor. While one lasts, input is held and the group is answered.

    Args:
        assignment: the input.
        publisher: of outboxes.
        report: metrics.
        liveness: progress, for health checks.
    """

    def __init__(self, assignment: Assignment, publisher: PublishingLanes, report: Report, liveness: Liveness) -> None:
        self._input = assignment
        self._publisher = publisher
        self._report = report
        self._liveness = liveness

    def until_published(self, below: int) -> None:
        """Until fewer messages than `below` are still to be published."""
        if not self._publisher.drain(below=below, timeout=0.0):
            with self._input.paused():
                while self._may_last() and not self._publisher.drain(below=below, timeout=0.2):
                    self._input.stay()

    def out(self, error: RetryLaterError) -> None:
        """A server is away: until it answers; then attach again."""
        with self._input.paused():
            for pause in pauses():
                self._report.waiting(error)
                until = time.monotonic() + pause
                while time.monotonic() < until and self._may_last():
                    self._input.stay()
                if not self._may_last():
                    return
                try:
                    self._input.attach_again(self._input.partitions)
                except RetryLaterError as again:
                    error = again
                else:
                    return

    def between(self, partition: Partition) -> Callable[[], None]:
        """What is to be done again and again while a partition is reconciled, which may take long: the group is answered.

        It raises FencedError when the partition was given away.
        """
        answered_at = time.monotonic()

        def between() -> None:
            nonlocal answered_at
            if time.monotonic() - answered_at > ANSWER_EVERY:
                self._input.stay()
                self._liveness.progress()
                answered_at = time.monotonic()
            if self._input.partitions.get(partition.number) is not partition:
                raise FencedError(f"partition {partition.number} was given away")

        return between

    def _may_last(self) -> bool:
        """Whether there is nothing more urgent than a server that is away or slow."""
        return not self._input.stopping and not self._input.broken
