"""Waiting: subjects of whom a record has come, until the standing processor has folded it; then the store says what follows.

A record is *ready* when the offset that Redis keeps of its topic and partition is past it. Each topic waits by itself, so a department
that is held back holds up nobody else.
"""

from collections import deque
from collections.abc import Mapping

from confluent_kafka import TopicPartition

from exchange.standing_store import Cursor

Place = tuple[str, int]
"""Topic and partition."""


class Waiting:
    """What was read and is not done yet.

    Args:
        limit: subjects of one topic and partition that may wait; more are not read meanwhile.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queues: dict[Place, deque[tuple[int, str]]] = {}
        self._done: dict[Place, int] = {}

    def begin(self, places: Mapping[Place, int]) -> None:
        """Forget everything; from now on these places are read, from these offsets on."""
        self._queues = {place: deque() for place in places}
        self._done = dict(places)

    def add(self, topic: str, partition: int, offset: int, subject: str) -> None:
        """A record about a subject has come; one of a partition that is no longer ours says nothing."""
        queue = self._queues.get((topic, partition))
        if queue is not None:
            queue.append((offset, subject))

    def partitions(self) -> set[int]:
        """All that are owned."""
        return {partition for _, partition in self._queues}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def is_whole(self, partition: int, cursor: Cursor) -> bool:
        """Whether Redis has all of a partition that was done before: not after a rebuild, until it is replayed."""
        behind = any(
            cursor.offsets.get(topic, 0) < done for (topic, number), done in self._done.items() if number == partition
        )
        return not cursor.reconcile and not behind

    def ready(self, partition: int, cursor: Cursor, most: int) -> tuple[dict[str, None], dict[Place, int]]:
        """Subjects of a partition whose records are folded, each once, and the offsets that are done with them."""
        subjects: dict[str, None] = {}
        offsets: dict[Place, int] = {}
        for place, queue in self._queues.items():
            if place[1] != partition:
                continue
            folded = cursor.offsets.get(place[0], 0)
            for offset, subject in queue:
                if offset >= folded or len(subjects) >= most:
                    break
                subjects[subject] = None
                offsets[place] = offset + 1
        return subjects, offsets

    def done(self, offsets: Mapping[Place, int]) -> None:
        """Everything before these offsets is dealt with."""
        for place, upto in offsets.items():
            queue = self._queues.get(place)
            while queue and queue[0][0] < upto:
                queue.popleft()
            if queue is not None:
                self._done[place] = upto

    def crowded(self) -> tuple[list[TopicPartition], list[TopicPartition]]:
        """Places of which no more is to be read now, and places that may be read on."""
        full = [TopicPartition(*place) for place, queue in self._queues.items() if len(queue) >= self._limit]
        free = [TopicPartition(*place) for place, queue in self._queues.items() if len(queue) < self._limit // 2]
        return full, free
