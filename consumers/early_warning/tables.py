"""Tables in Faust: RocksDB on this machine, a changelog in Kafka, and the partition of a key said by us.

Faust takes a key's partition from the event at hand. Batches and closing have none, so the one that is meant is put there.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from weakref import ref

import faust
from faust.streams import _current_event  # Faust has no other way to say which partition a key of a table belongs to

from consumers.early_warning.spans import WEEK_MS
from consumers.early_warning.state import Key
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS

NAMES = ("documents", "subjects", "days", "weeks", "sums", "frontiers", "signals", "groups")
_MS = 1000
_ROCKSDB = {"write_buffer_size": 8 * 2**20, "block_cache_size": 16 * 2**20}
"""For each partition of each table; Faust's 64 MiB and 2 GiB are meant for a single one."""


class _Event:
    """What Faust looks at of an event when a table is written."""

    __slots__ = ("__weakref__", "message")

    def __init__(self, topic: str, partition: int) -> None:
        self.message = SimpleNamespace(topic=topic, partition=partition)


class FaustTable:
    """One table. Its keys begin with the partition, so that everything of a partition can be found after a rebalance.

    Args:
        table: Faust's, plain or windowed.
        events: stand-ins by partition.
        windowed: whether keys are of a text and a time.
    """

    def __init__(self, table: Any, events: dict[int, _Event], *, windowed: bool) -> None:
        self._table = table.table if windowed else table
        self._window = table.table.window if windowed else None
        self._events = events

    def get(self, partition: int, key: Key) -> bytes | None:
        """See the port."""
        token = _current_event.set(ref(self._events[partition]))
        try:
            found: bytes | None = self._table.get(self._key(partition, key))
        finally:
            _current_event.reset(token)
        return found

    def put(self, partition: int, key: Key, value: bytes) -> None:
        """See the port."""
        token = _current_event.set(ref(self._events[partition]))
        try:
            self._table[self._key(partition, key)] = value
        finally:
            _current_event.reset(token)

    def drop(self, partition: int, key: Key) -> None:
        """See the port."""
        token = _current_event.set(ref(self._events[partition]))
        try:
            self._table.pop(self._key(partition, key), None)
        finally:
            _current_event.reset(token)

    def items(self, partition: int) -> Iterator[tuple[Key, bytes]]:
        """See the port."""
        for key, value in self._table.items():
            if self._window is None:
                number, _, text = key.partition(" ")
                if int(number) == partition:
                    yield text, value
            else:
                (number, text), (begins, _) = key
                if number == partition:
                    yield (text, round(begins * _MS) - CHINA_OFFSET_MS), value

    def _key(self, partition: int, key: Key) -> Any:
        if self._window is None:
            return f"{partition} {key}"
        text, start = cast("tuple[str, int]", key)
        # The window that begins then: of those that the moment lies in, the last.
        return (partition, text), tuple(self._window.ranges((start + CHINA_OFFSET_MS) / _MS)[-1])


class FaustTables:
    """All tables of an application.

    No table expires keys by Faust: its clock is the wall's, so a backlog's windows would go before they are over, and after a
    restart it forgets which there are. `closing` and `adding` drop what is old, by the stream's clock.

    Args:
        app: that they belong to.
        topic: one that has all partitions.
        partitions: of the bus.
    """

    def __init__(self, app: faust.App, topic: str, partitions: int) -> None:
        events = {number: _Event(topic, number) for number in range(partitions)}

        def make(name: str) -> Any:  # the options are a dictionary each, since Faust takes things out of it
            return app.Table(name, value_type=bytes, partitions=partitions, options=dict(_ROCKSDB))

        def plain(name: str) -> FaustTable:
            return FaustTable(make(name), events, windowed=False)

        self.documents = plain("documents")
        self.subjects = plain("subjects")
        self.sums = plain("sums")
        self.frontiers = plain("frontiers")
        self.signals = plain("signals")
        self.groups = plain("groups")
        days = make("days").tumbling(DAY_MS / _MS)
        weeks = make("weeks").hopping(WEEK_MS / _MS, DAY_MS / _MS)
        self.days = FaustTable(days, events, windowed=True)
        self.weeks = FaustTable(weeks, events, windowed=True)
