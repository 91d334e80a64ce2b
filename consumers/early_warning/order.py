"""Order: what a worker has been handed of each topic's partition, and how far it is done, in the topic's own order.

Windows say up to which offset they are made, so a message must never be counted before one that comes ahead of it. Faust promises no
such thing around a rebalance: it drops what it has fetched at four places, takes the hole for messages that compaction has removed, and
commits past it (`Consumer.getmany`, `_drain_messages`, `_add_gap`). Here nothing is done out of turn, nothing is committed that is not done,
and what has not come in its turn is asked for again.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

PASSED_SECONDS = 3.0
"""So long a place may stay as it is after something later came; then what is lacking is fetched again."""
SILENT_SECONDS = 30.0
"""So long when nothing came at all: a batch may wait behind others."""


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class _Line:
    """What has been fetched of one place and is not done, the next first."""

    __slots__ = ("done", "moved_at", "passed", "start", "waiting")

    def __init__(self, start: int | None, now: float) -> None:
        self.start = start
        self.done = start
        self.waiting: deque[int] = deque()
        self.passed = False
        self.moved_at = now


class Order:
    """The order of all places of a worker.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: dict[Place, _Line] = {}
        self._restarts: Counter[Place] = Counter()

    def restarted(self, place: Place, start: int | None) -> None:
        """Fetching goes on at an offset, wherever it was; None where that is not known."""
        self._restarts[place] += 1
        self._lines[place] = _Line(start, self._clock())

    def lost(self, places: Iterable[Place]) -> None:
        """Places are another's now."""
        for place in places:
            self._restarts[place] += 1
            self._lines.pop(place, None)

    def before(self) -> Mapping[Place, int]:
        """To be kept while a fetch is under way, for `fetched`."""
        return dict(self._restarts)

    def fetched(self, place: Place, offsets: Iterable[int], before: Mapping[Place, int]) -> bool:
        """Take what a fetch has brought; False where the place has begun anew meanwhile: it must not be handed on."""
        if self._restarts[place] != before.get(place, 0):
            return False
        line = self._lines.get(place)
        if line is None:
            line = self._lines[place] = _Line(None, self._clock())
        line.waiting.extend(offsets)
        return True

    def start(self, place: Place) -> int | None:
        """Where the place's fetching last began, if it is known."""
        line = self._lines.get(place)
        return line.start if line else None

    def in_turn(self, messages: Iterable[Any]) -> list[Any]:
        """Of messages those whose turn it is, all before them being done or among them; the rest is left out, and comes again."""
        ours = []
        for message in messages:
            line = self._lines.get(Place(message.topic, message.partition))
            if line is None or not line.waiting:
                continue
            if message.offset == line.waiting[0]:
                ours.append(message)
                line.waiting.popleft()
            elif message.offset > line.waiting[0]:
                line.passed = True
        return ours

    def done(self, messages: Iterable[Any]) -> None:
        """Messages that were in turn have been worked on."""
        now = self._clock()
        for message in messages:
            line = self._lines.get(Place(message.topic, message.partition))
            if line is not None:
                line.done, line.moved_at, line.passed = message.offset + 1, now, False

    def committable(self) -> dict[Place, int]:
        """Up to which offset each place is done."""
        return {place: line.done for place, line in self._lines.items() if line.done is not None}

    def done_until(self, place: Place) -> int | None:
        """Up to which offset a place is done, if that is known."""
        line = self._lines.get(place)
        return line.done if line else None

    def lacking(self) -> dict[Place, int]:
        """Places that do not get on, and from which offset they are to be fetched again."""
        now = self._clock()
        return {
            place: line.waiting[0]
            for place, line in self._lines.items()
            if line.waiting and now - line.moved_at > (PASSED_SECONDS if line.passed else SILENT_SECONDS)
        }
