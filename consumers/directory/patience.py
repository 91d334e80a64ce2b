"""A directory's keeper that waits while its database is away: the same batch again, after longer and longer pauses."""

import time
from collections.abc import Callable
from typing import TypeVar

from consumers.standing.assignment import pauses
from exchange.directory import Intake
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.errors import CreditbusError, RetryLaterError
from exchange.fed_folder import Offsets

MOMENT = 0.1
"""Seconds after which who waits looks whether the process is to end."""
Answer = TypeVar("Answer")


class PatientKeeper:
    """Feeds a database over its absences. When the process is to end, what could not be kept is left for the next one to read.

    Args:
        open_keeper: connects.
        waiting: told why it waits.
        is_stopping: whether the process is to end.

    Raises:
        RequestError, FatalError: as the keeper.
    """

    def __init__(
        self,
        open_keeper: Callable[[], PostgresKeeper],
        waiting: Callable[[CreditbusError], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._waiting = waiting
        self._is_stopping = is_stopping
        self._keeper = self._patiently(open_keeper)
        self._known: tuple[Offsets, int] = ({}, 0)

    def close(self) -> None:
        """Leave the database to another."""
        if self._keeper is not None:
            self._keeper.close()

    def offsets(self) -> Offsets:
        """Where to go on; while the database is away as of the last time: what is read twice is kept once."""
        self._look()
        return self._known[0]

    def size(self) -> int:
        """Bytes on the server's disk; while it is away as of the last time."""
        return self._known[1]

    def keep(self, intake: Intake) -> None:
        """Keep a batch, however long it takes."""
        keeper = self._keeper
        if keeper is not None:
            self._patiently(lambda: keeper.keep(intake))

    def _look(self) -> None:
        try:
            if self._keeper is not None:
                self._known = self._keeper.offsets(), self._keeper.size()
        except RetryLaterError as error:
            self._waiting(error)

    def _patiently(self, act: Callable[[], Answer]) -> Answer | None:
        """What an act answers; None when the process is to end before."""
        for pause in pauses():
            try:
                return act()
            except RetryLaterError as error:
                self._waiting(error)
            until = time.monotonic() + pause
            while time.monotonic() < until:
                if self._is_stopping():
                    return None
                time.sleep(MOMENT)
        return None
