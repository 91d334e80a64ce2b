"""Closing: when windows of a partition are over, and what is told of them to who adds the partitions up.

The clock is the stream's: a window is over once every topic of the partition is read to a time behind its end. A topic that is read to
its end counts as read to the moment at which the broker was asked; one that is not, to its newest record. So windows close on
time when all is quiet, and in order when a backlog is read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from consumers.early_warning.intake import Window, is_over
from consumers.early_warning.spans import KEPT_DAYS, WIDTHS, midnight
from consumers.early_warning.state import Tables, read_entry
from exchange.domain.calendar import DAY_MS
from exchange.partitioner import partition_of

PART_COUNTS = 5000
"""Counts in one message, at most: about 300 kB."""

Place = tuple[str, int]
"""Topic and partition."""


class Ends(NamedTuple):
    """Where topics end, and up to where they are committed, asked of the broker at a moment (milliseconds)."""

    asked_at: int
    ends: Mapping[Place, int]
    committed: Mapping[Place, int]


class Part(NamedTuple):
    """A window_part and the partition of whoever adds it up."""

    partition: int
    value: dict[str, Any]


class Telling(NamedTuple):
    """What is being told of a partition: messages, of which windows, and up to when windows are over."""

    parts: tuple[Part, ...]
    windows: frozenset[Window]
    closed_until: int


@dataclass(slots=True)
class _Partition:
    """Progress of one partition: next offset and newest time by topic; windows that are there, and those that changed since told."""

    next: dict[str, int] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    told_until: int = 0
    windows: set[Window] = field(default_factory=set)
    changed: set[Window] = field(default_factory=set)


class Closing:
    """Knows what is over.

    Args:
        tables: of counts.
        partitions: of the bus.
        topics: of departments.
        grace_ms: a window stays open for so long, since records arrive a little out of order.
    """

    def __init__(self, tables: Tables, partitions: int, topics: Iterable[str], grace_ms: int) -> None:
        self._by_width = dict(zip(WIDTHS, (tables.days, tables.weeks), strict=True))
        self._count = partitions
        self._topics = tuple(topics)
        self._grace_ms = grace_ms
        self._partitions: dict[int, _Partition] = {}

    def forget(self) -> None:
        """Partitions are given and taken: whatever is ours then is loaded anew, and all that is over is told again."""
        self._partitions.clear()

    def taken(self, number: int, places: Iterable[tuple[str, int, int]], changed: set[Window]) -> None:
        """What a batch brought: topics with their offsets and times, and the windows that it changed."""
        found = self._of(number)
        for topic, offset, at in places:
            found.next[topic] = max(offset + 1, found.next.get(topic, 0))
            found.newest[topic] = max(at, found.newest.get(topic, 0))
        found.windows |= changed
        found.changed |= changed

    def tell(self, number: int, ends: Ends) -> Telling | None:
        """What is to be told of a partition now; nothing unless a window is over, or one that was over has changed.

        It is told again until `told` says that the broker has it.
        """
        found = self._of(number)
        read_to = min(self._read_to(found, topic, number, ends) for topic in self._topics)
        closed_until = max(midnight(read_to - self._grace_ms), found.told_until)
        over = frozenset(window for window in found.changed if is_over(window, closed_until))
        if closed_until == found.told_until and not over:
            return None
        counts: dict[int, list[dict[str, Any]]] = {target: [] for target in range(self._count)}
        for window in over:
            width, series, start = window
            count = read_entry(self._by_width[width].get(number, (series, start))).count
            target = partition_of(series, self._count)
            counts[target].append({"series": series, "start": start, "width": width, "count": count})
        found.changed -= over
        parts = [part for target, some in counts.items() for part in _parts(number, closed_until, target, some)]
        return Telling(tuple(parts), over, closed_until)

    def told(self, number: int, telling: Telling) -> None:
        """The broker has it: windows that nothing can change any more leave the tables."""
        found = self._of(number)
        found.told_until = telling.closed_until
        self._forget_old(number, found)

    def untold(self, number: int, telling: Telling) -> None:
        """The broker may not have it."""
        self._of(number).changed |= telling.windows

    def _read_to(self, found: _Partition, topic: str, number: int, ends: Ends) -> int:
        place = (topic, number)
        if max(found.next.get(topic, 0), ends.committed.get(place, 0)) >= ends.ends[place]:
            return ends.asked_at
        return found.newest.get(topic, 0)

    def _of(self, number: int) -> _Partition:
        found = self._partitions.get(number)
        if found is None:
            found = self._partitions[number] = _Partition()
            for width, table in self._by_width.items():
                found.windows |= {(width, *key) for key, _ in table.items(number) if isinstance(key, tuple)}
            found.changed |= found.windows
        return found

    def _forget_old(self, number: int, found: _Partition) -> None:
        """Windows that nothing can change any more leave the tables."""
        old = [window for window in found.windows if is_over(window, found.told_until - KEPT_DAYS * DAY_MS)]
        for window in old:
            width, series, start = window
            self._by_width[width].drop(number, (series, start))
        found.windows.difference_update(old)


def _parts(number: int, closed_until: int, target: int, counts: list[dict[str, Any]]) -> Iterator[Part]:
    """The messages to one target; only the last says that all is told."""
    for begin in range(0, max(1, len(counts)), PART_COUNTS):
        last = begin + PART_COUNTS >= len(counts)
        yield Part(
            target,
            {
                "partition": number,
                "closed_until": closed_until if last else 0,
                "counts": counts[begin : begin + PART_COUNTS],
            },
        )
