"""What a comparison of the archive with the topics found, and the file in which the archive's process sees it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FILE = "verified.json"


class Count(NamedTuple):
    """Rows of one place in one table, and the sum of their checksums over all columns."""

    rows: int = 0
    checksum: int = 0

    def __add__(self, other: "Count") -> "Count":  # type: ignore[override] # not the tuple's
        return Count(self.rows + other.rows, self.checksum + other.checksum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place in which topic and table do not agree.

    Attributes:
        table, topic, partition: where.
        expected: rows by the topic; of a compacted topic, those that are still in it.
        found: rows in the table; of a compacted topic, those of the same messages.
        twice: rows of the table whose message has another row.
    """

    table: str
    topic: str
    partition: int
    expected: int
    found: int
    twice: int = 0

    def line(self) -> str:
        """For people."""
        what = f"{self.table}: {self.topic} [{self.partition}] has {self.expected:,}, the table {self.found:,}"
        if self.twice:
            return f"{what}, {self.twice:,} of them twice"
        return f"{what} with other values" if self.expected == self.found else what


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveVerdict:
    """What was compared and how it differs.

    Attributes:
        messages: read from the topics, up to what the archive has.
        rows: in the tables of the same places.
        refused: messages of departments that became no rows.
        refused_otherwise: messages that only one of archive and standing processor refused, as `credit.rejected.*` tells.
        differing: places that differ.
        verified_at: seconds since 1970-01-01 UTC.
    """

    messages: int
    rows: int
    refused: int
    refused_otherwise: int
    differing: tuple[Difference, ...]
    verified_at: float

    @property
    def is_good(self) -> bool:
        """Whether the tables have exactly what the topics say."""
        return not self.differing

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "good": self.is_good, "messages": self.messages, "rows": self.rows, "refused": self.refused,
            "refused_otherwise": self.refused_otherwise, "differences": [asdict(one) for one in self.differing],
            "verified_at": self.verified_at,
        }  # fmt: skip

    def keep(self, folder: Path) -> None:
        """Leave it for the archive's process, whose metrics tell it."""
        seen = {"differences": len(self.differing), "verified_at": self.verified_at}
        written = folder / f"{FILE}.new"
        written.write_text(json.dumps(seen), "utf-8")
        written.replace(folder / FILE)


class Verified(NamedTuple):
    """The last comparison, as the metrics show it."""

    differences: int
    verified_at: float


def read_verified(folder: Path) -> Verified | None:
    """The last comparison of an archive; None before the first."""
    try:
        return Verified(**json.loads((folder / FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@dataclass(slots=True)
class Counts:
    """Counts by table, topic and partition."""

    by_place: dict[tuple[str, str, int], Count] = field(default_factory=dict)

    def add(self, table: str, topic: str, partition: int, count: Count) -> None:
        """Add to a place."""
        place = (table, topic, partition)
        self.by_place[place] = self.by_place.get(place, Count()) + count

    def differences(self, found: "Counts") -> Iterator[Difference]:
        """Places that differ from what was found in the tables."""
        for place in sorted(self.by_place.keys() | found.by_place.keys()):
            expected, there = self.by_place.get(place, Count()), found.by_place.get(place, Count())
            if expected != there:
                table, topic, partition = place
                yield Difference(
                    table=table, topic=topic, partition=partition, expected=expected.rows, found=there.rows
                )
