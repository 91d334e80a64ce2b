"""The monthly round: all subjects of the owned partitions, in the order of their ids, at a pace that spreads them over hours.

How far it has come is kept after each piece, so that whoever owns the partition next goes on there.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from exchange.domain.calendar import to_date
from exchange.risk_rounds import Round, Rounds
from exchange.standing_store import StandingStore

PIECE = 500
"""Subjects worked out at a time, so that events never wait long."""
SLOWEST = 100.0
"""Subjects a second, however few there are."""


class Piece(NamedTuple):
    """The next subjects of a partition's round."""

    partition: int
    subjects: list[str]


def month_of(day: int, month_day: int) -> str:
    """The month whose round is due on a day: the current one from its day on, before that the last.

    >>> month_of(20759, 1), month_of(20759, 3)  # 2026-11-02
    ('2026-11', '2026-10')
    """
    date = to_date(day)
    months = date.year * 12 + date.month - 1 - (date.day < month_day)
    return f"{months // 12}-{months % 12 + 1:02d}"


class MonthlyRound:
    """Walks through everybody once a month.

    Args:
        store: who there is.
        rounds: how far each partition has come.
        hours: over how long to spread it.
        clock: monotonic seconds.
    """

    def __init__(
        self, store: StandingStore, rounds: Rounds, hours: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._rounds = rounds
        self._seconds = hours * 3600
        self._clock = clock
        self._owned: dict[int, Round] = {}
        self._names: dict[int, list[str]] = {}
        self._pace = SLOWEST
        self._next_at = 0.0

    def own(self, partitions: Iterable[int]) -> None:
        """These partitions are ours now, and no others.

        Raises:
            RetryLaterError: Redis is away.
        """
        self._owned = {number: self._rounds.read(number) for number in sorted(partitions)}
        self._names = {}

    def rounds(self) -> Iterator[Round]:
        """How far each owned partition is."""
        return iter(self._owned.values())

    def left(self) -> int:
        """Subjects of the partitions under way that are still to come."""
        return sum(map(len, self._names.values()))

    def next(self, month: str, *, whole: Callable[[int], bool]) -> Piece | None:
        """The next piece that is due; None when there is none, or not yet.

        Args:
            month: of `month_of`, and whatever else makes it another round.
            whole: whether Redis has all of a partition; a round does not look at others.

        Raises:
            RetryLaterError: Redis is away.
        """
        if self._clock() < self._next_at:
            return None
        for number, state in self._owned.items():
            if state.month == month and state.done:
                continue
            if whole(number):
                return Piece(number, self._names_of(number, month)[:PIECE])
        return None

    def _names_of(self, number: int, month: str) -> list[str]:
        """Who of a partition is still to come in a month's round, in order."""
        if self._owned[number].month != month:
            self._owned[number] = Round(month=month)
            self._names.pop(number, None)
        if number not in self._names:
            names = sorted(name for name in self._store.subjects(number) if name.startswith("org:"))
            self._names[number] = names[bisect_right(names, self._owned[number].upto) :]
            everybody = len(names) * len(self._owned)
            self._pace = max(SLOWEST, everybody / self._seconds) if self._seconds else float("inf")
        return self._names[number]

    def done(self, piece: Piece, letters: dict[str, int]) -> None:
        """A piece is published: keep that, and how many firms of each class it had.

        Raises:
            RetryLaterError: Redis is away; the piece is done again.
        """
        state, names = self._owned[piece.partition], self._names[piece.partition]
        counts = {
            letter: state.letters.get(letter, 0) + letters.get(letter, 0) for letter in {*state.letters, *letters}
        }
        finished = len(piece.subjects) == len(names)
        upto = piece.subjects[-1] if piece.subjects else state.upto
        after = Round(month=state.month, upto=upto, done=finished, letters=counts)
        self._rounds.write(piece.partition, after)
        self._owned[piece.partition] = after
        del names[: len(piece.subjects)]
        if finished:
            del self._names[piece.partition]
        self._next_at = self._clock() + len(piece.subjects) / self._pace
