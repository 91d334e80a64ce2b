"""State: what early warning keeps, value by value, and the keyed tables that it keeps it in (a port; Faust's are in `tables`).

Faust delivers at least once and writes each table's changes to a topic of its own, so after a crash a message comes again to
tables of which some have it and some do not. Therefore each value says itself up to which message of each department it is made:
a message that comes again changes only what lacks it. Messages of two departments may come again in another order than before; so that
this changes nothing either, a batch is written in stages, each of which is on the broker before the next begins (see `intake`).
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import msgspec

from exchange.errors import FatalError

Key = str | tuple[str, int]
"""A text; of windows a text and when the window begins."""


class Entry(msgspec.Struct, array_like=True):
    """A window of a series in one partition.

    upto: of each department, the offset of its last message that is counted here.
    """

    count: int = 0
    upto: dict[str, int] = {}

    def add(self, department: str, offset: int, number: int) -> bool:
        """Count what a message brings, if it is not counted yet."""
        if offset <= self.upto.get(department, -1):
            return False
        self.upto[department] = offset
        self.count += number
        return True


class Document(msgspec.Struct, array_like=True):
    """A record at its first arrival: its offset, and what its subject's registration said then, so that it counts the same again."""

    offset: int
    industry: str = ""
    region: str = ""


UNWANTED, UNSETTLED = -2, -1


class Waiting(msgspec.Struct, array_like=True):
    """A record that came before its subject's registration.

    industry, region: UNWANTED where the record needs none, UNSETTLED while none is known, else the offset of the registration that
    it was counted with. It is kept then: either message may come again.
    """

    key: str
    signal: str
    at: int
    industry: int
    region: int


class Subject(msgspec.Struct, array_like=True):
    """What is known about a subject from its registration.

    industry_since, region_since: when the first registration came that says it, milliseconds; 0 while none has.
    """

    industry: str = ""
    region: str = ""
    waiting: list[Waiting] = []
    industry_since: int = 0
    region_since: int = 0


class Sums(msgspec.Struct, array_like=True):
    """A series, added up over all partitions.

    closed: windows that end by then were looked at, milliseconds. counts: of each window, by `width/start`, what each partition
    counted. untold: windows whose count is not on the bus yet. baseline: the detector's own state. unsent: warnings that are not
    on the bus yet; they and the state that gave rise to them are written as one.
    """

    closed: int = 0
    counts: dict[str, dict[int, int]] = {}
    untold: list[str] = []
    baseline: bytes = b""
    unsent: list[bytes] = []


class Watched(msgspec.Struct, array_like=True):
    """A subject, or what several share: the signs' own state, and what follows from it and is not on the bus yet.

    due: when something changes by itself, milliseconds; 0 for never. links: key and fact of what is passed on.
    """

    state: bytes = b""
    due: int = 0
    unsent: list[bytes] = []
    links: list[tuple[str, bytes]] = []


class Table(Protocol):
    """A table of values by key, each in the partition that it is made from."""

    def get(self, partition: int, key: Key) -> bytes | None:
        """A value."""

    def put(self, partition: int, key: Key, value: bytes) -> None:
        """Set a value."""

    def drop(self, partition: int, key: Key) -> None:
        """Forget a key."""

    def items(self, partition: int) -> Iterator[tuple[Key, bytes]]:
        """Everything of a partition; slow, for the beginning only."""


class Change(NamedTuple):
    """What is to be written to a table."""

    table: Table
    partition: int
    key: Key
    value: bytes


def write(changes: Iterable[Change]) -> None:
    """Write changes in their order."""
    for one in changes:
        one.table.put(one.partition, one.key, one.value)


class Tables(Protocol):
    """All tables of early warning, by name."""

    @property
    def documents(self) -> Table: ...  # noqa: D102 # subject and document to Document
    @property
    def subjects(self) -> Table: ...  # noqa: D102 # subject id to Subject
    @property
    def days(self) -> Table: ...  # noqa: D102 # (series, start) to Entry
    @property
    def weeks(self) -> Table: ...  # noqa: D102 # likewise
    @property
    def sums(self) -> Table: ...  # noqa: D102 # series to Sums
    @property
    def frontiers(self) -> Table: ...  # noqa: D102 # partition to what it has closed
    @property
    def signals(self) -> Table: ...  # noqa: D102 # subject to Watched
    @property
    def groups(self) -> Table: ...  # noqa: D102 # address or representative to Watched


class MemoryTable:
    """The port's twin in memory."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[Key, bytes]] = {}

    def get(self, partition: int, key: Key) -> bytes | None:
        """See the port."""
        return self.kept.get(partition, {}).get(key)

    def put(self, partition: int, key: Key, value: bytes) -> None:
        """See the port."""
        self.kept.setdefault(partition, {})[key] = value

    def drop(self, partition: int, key: Key) -> None:
        """See the port."""
        self.kept.get(partition, {}).pop(key, None)

    def items(self, partition: int) -> Iterator[tuple[Key, bytes]]:
        """See the port."""
        yield from list(self.kept.get(partition, {}).items())


class MemoryTables:
    """All tables in memory."""

    def __init__(self) -> None:
        self.documents = MemoryTable()
        self.subjects = MemoryTable()
        self.days = MemoryTable()
        self.weeks = MemoryTable()
        self.sums = MemoryTable()
        self.frontiers = MemoryTable()
        self.signals = MemoryTable()
        self.groups = MemoryTable()


encode = msgspec.msgpack.Encoder().encode
_entry = msgspec.msgpack.Decoder(Entry).decode
_document = msgspec.msgpack.Decoder(Document).decode
_subject = msgspec.msgpack.Decoder(Subject).decode
_sums = msgspec.msgpack.Decoder(Sums).decode
_watched = msgspec.msgpack.Decoder(Watched).decode


def read_entry(raw: bytes | None) -> Entry:
    """A window's value, a new one where there is none.

    Raises:
        FatalError: `state_corrupt`; likewise of the others.
    """
    return Entry(0, {}) if raw is None else _read(_entry, raw)


def read_document(raw: bytes | None) -> Document | None:
    """A record's value, if it has come before."""
    return None if raw is None else _read(_document, raw)


def read_subject(raw: bytes | None) -> Subject:
    """A subject's value."""
    return Subject("", "", []) if raw is None else _read(_subject, raw)


def read_sums(raw: bytes | None) -> Sums:
    """A series' value."""
    return Sums(0, {}, [], b"", []) if raw is None else _read(_sums, raw)


def read_watched(raw: bytes | None) -> Watched:
    """What is watched."""
    return Watched(b"", 0, [], []) if raw is None else _read(_watched, raw)


def _read(decode: Any, raw: bytes) -> Any:
    try:
        return decode(raw)
    except msgspec.DecodeError as error:
        raise FatalError(
            f"a value of early warning cannot be read: {error}",
            code="state_corrupt",
            remedy="stop all its workers, delete their folders and the topics <prefix>.early-warning*; all is counted anew",
        ) from error
