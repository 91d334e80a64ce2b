"""What tests of early warning share: records with their times, as messages of topics, and the pure parts over tables in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from consumers.early_warning.adding import Adding
from consumers.early_warning.closing import Closing, Ends
from consumers.early_warning.findings import Finding
from consumers.early_warning.intake import Intake, Taken, Window
from consumers.early_warning.recount import Recount
from consumers.early_warning.season import Seasons
from consumers.early_warning.sightings import Looker
from consumers.early_warning.spans import midnight
from consumers.early_warning.state import Key, MemoryTable, MemoryTables, write
from consumers.standing.acceptance import NEVER_HELD
from consumers.standing.decode import Decoder
from exchange.catalogue import load_catalogue
from exchange.clock import now_ms
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.topics import Topics
from exchange.working_days import load_working_days

TODAY = midnight(int(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1000))
"""Midnight in China of the day on which tests play."""
CODEC = Codec.from_files(SCHEMAS)
CATALOGUE = load_catalogue(SCHEMAS)
POLICY = load_policy(SCHEMAS, CATALOGUE)
TOPICS = Topics("credit")
DEPARTMENTS = {TOPICS.into(slug): slug for slug in sorted(CATALOGUE.departments)}
PARTITIONS = 4
SEASONS = Seasons(load_working_days())


class Happening(NamedTuple):
    """A record and when it came."""

    department: str
    record_type: str
    value: dict[str, Any]
    at: int


def organisation(number: int) -> str:
    return f"org:{synthetic_uscc(number)}"


def header(number: int, department: str, document: str, at: int, revision: int = 1) -> dict[str, Any]:
    return {
        "subject": organisation(number), "subject_name": f"合成{number}公司", "department": department, "document": document,
        "revision": revision, "decided_on": datetime.fromtimestamp(at / 1000, UTC).date(),
        "published_at": datetime.fromtimestamp(at / 1000, UTC),
    }  # fmt: skip


def penalty(number: int, document: str, at: int, department: str = "gd.amr", **changes: Any) -> Happening:
    value = header(number, department, document, at) | {"division": "440106"} | changes
    return Happening(department, "penalty", value, at)


def registration(
    number: int, at: int, *, industry: str = "F5111", division: str = "440300", **changes: Any
) -> Happening:
    value = header(number, "gd.amr", f"登{number}-{at}", at) | {
        "kind": "ENTERPRISE",
        "industry": industry,
        "division": division,
    }
    return Happening("gd.amr", "registration", value | changes, at)


class FakeMessage:
    """A message with the methods of confluent-kafka's."""

    def __init__(self, happening: Happening, partition: int, offset: int) -> None:
        self._raw: bytes = CODEC.encode(happening.record_type, happening.value)
        self._key: bytes = happening.value["subject"].encode()
        self._topic, self._partition, self._offset, self._at = (
            TOPICS.into(happening.department),
            partition,
            offset,
            happening.at,
        )

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._raw

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, self._at)


def messages_of(happenings: Iterable[Happening]) -> list[FakeMessage]:
    """As they lie in the topics; offsets rise by one in each partition of each."""
    ends: Counter[tuple[str, int]] = Counter()
    messages = []
    for one in happenings:
        place = (one.department, partition_of(one.value["subject"], PARTITIONS))
        messages.append(FakeMessage(one, place[1], ends[place]))
        ends[place] += 1
    return messages


class LoggedTable(MemoryTable):
    """A table that remembers each change in order, as a changelog does."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[int, Key, bytes | None]] = []

    def put(self, partition: int, key: Key, value: bytes) -> None:
        self.log.append((partition, key, value))
        super().put(partition, key, value)

    def drop(self, partition: int, key: Key) -> None:
        self.log.append((partition, key, None))
        super().drop(partition, key)

    def lose(self, length: int) -> None:
        """The log keeps the first so many changes; what is here stays, as on a machine whose worker was killed."""
        del self.log[length:]

    def catch_up(self, begin: int = 0) -> None:
        """Take what the log says from so many changes on; what is not in it stays."""
        for partition, key, value in self.log[begin:]:
            if value is None:
                super().drop(partition, key)
            else:
                super().put(partition, key, value)

    def fall_back(self, length: int) -> None:
        """Be again what the first so many changes make, as on another machine."""
        self.lose(length)
        self.kept.clear()
        self.catch_up()


NAMES = ("documents", "subjects", "days", "weeks", "sums", "frontiers")


class LoggedTables(MemoryTables):
    """All tables, each with its own log."""

    def __init__(self) -> None:
        super().__init__()
        for name in NAMES:
            setattr(self, name, LoggedTable())

    def lengths(self) -> dict[str, int]:
        """How much each log holds."""
        return {name: len(getattr(self, name).log) for name in NAMES}


def found_bytes(finding: Finding) -> bytes:
    return f"{finding.series.id} {finding.start} {finding.count} {finding.level.name} {finding.ended}".encode()


class Worker:
    """The pure parts of a worker over tables; what Kafka would hold is in `parts` and `published`.

    Args:
        tables: that it finds.
        grace_ms: of closing.
        encode: what a finding becomes.
    """

    def __init__(
        self, tables: MemoryTables, grace_ms: int = 0, encode: Callable[[Finding], bytes] = found_bytes
    ) -> None:
        self.intake = Intake(decoder(), looker(), tables, DEPARTMENTS, now_ms)
        self.closing = Closing(tables, PARTITIONS, DEPARTMENTS, grace_ms)
        self.adding = Adding(tables, PARTITIONS, SEASONS, encode)
        self.published: dict[Window, int] = {}
        self.warnings: list[bytes] = []

    def take(self, messages: list[FakeMessage], before_stage: Callable[[], None] = lambda: None) -> Taken:
        """Count a batch.

        Args:
            messages: of it.
            before_stage: called before each stage is written; may raise as a process may die.
        """
        taken = self.intake.take(messages)
        for changes in taken.stages.values():
            before_stage()
            write(changes)
        for message in messages:
            place = (message.topic(), message.offset(), message.timestamp()[1])
            number = message.partition()
            self.closing.taken(number, [place], taken.changed.get(number, set()))
        return taken

    def close(
        self,
        now: int,
        ends: dict[tuple[str, int], int] | None = None,
        committed: dict[tuple[str, int], int] | None = None,
        before_stage: Callable[[], None] = lambda: None,
    ) -> None:
        """Close what is over, everything having been read to its end where nothing else is said."""
        known = {(topic, number): 0 for topic in DEPARTMENTS for number in range(PARTITIONS)}
        asked = Ends(now, known | (ends or {}), committed or {})
        for number in range(PARTITIONS):
            telling = self.closing.tell(number, asked)
            if telling is not None:
                for part in telling.parts:
                    plain = CODEC.decode_plain(CODEC.encode_plain("window_part", part.value))[1]
                    self.adding.take(part.partition, plain)
                    if self.adding.is_further(part.partition, plain):
                        before_stage()
                        self.adding.reached(part.partition, plain)
                self.closing.told(number, telling)
        for number in range(PARTITIONS):
            for found in list(self.adding.look(number)):
                for one in found.counts:
                    self.published[one["width"], one["series"], one["start"]] = one["count"]
                self.adding.told(number, found)
            for series, warnings in list(self.adding.unsent(number)):
                self.warnings += warnings
                self.adding.sent(number, series, warnings)


def decoder() -> Decoder:
    return Decoder(CODEC, CATALOGUE, TOPICS, POLICY, partitions=PARTITIONS, limit=NEVER_HELD)


def looker() -> Looker:
    return Looker(POLICY, CODEC.symbols("social_report", "origin"))


def recounted(messages: Iterable[FakeMessage]) -> Counter[Window]:
    """What is right."""
    return Recount(decoder(), looker(), DEPARTMENTS, now_ms).count(messages)[0]


def over(counted: Counter[Window], closed_until: int) -> dict[Window, int]:
    """Those windows that are over."""
    return {one: count for one, count in counted.items() if one[0] + one[2] <= closed_until}


def ends_of(messages: Iterable[FakeMessage]) -> dict[tuple[str, int], int]:
    """Where the topics end."""
    ends: dict[tuple[str, int], int] = {}
    for message in messages:
        ends[message.topic(), message.partition()] = message.offset() + 1
    return ends


def in_batches(messages: list[FakeMessage], size: int) -> Iterator[list[FakeMessage]]:
    for begin in range(0, len(messages), size):
        yield messages[begin : begin + size]
