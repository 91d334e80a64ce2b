"""The quarantine as `creditbus verify` reads it: every rejection by the place of its record, those of a bus that was copied apart."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from consumers.standing.consumed import MOVED_FROM, Consumed
from consumers.standing.decode import CLASSIFIED, Rejected
from consumers.standing.verdict import Verdict

Rejections = list[dict[str, Any]]
"""Of one record: one, if all is well."""


@dataclass(slots=True)
class Quarantine:
    """Rejections.

    Attributes:
        made: on this bus, by topic, partition and offset of the record.
        copied: with the bus it was before, by the place there, as in the header `moved-from`.
    """

    made: dict[tuple[str, int, int], Rejections] = field(default_factory=dict)
    copied: dict[bytes, Rejections] = field(default_factory=dict)

    def add(self, message: Consumed, value: dict[str, Any]) -> None:
        """Note a rejection, found in a message of `credit.rejected.*`."""
        topic, number, offset = place = value["topic"], value["partition"], value["offset"]
        if _origin(message):
            self.copied.setdefault(f"{topic}/{number}/{offset}".encode(), []).append(value)
        else:
            self.made.setdefault(place, []).append(value)

    def of(self, message: Consumed) -> Rejections:
        """The rejections of a department's message."""
        return self.made.get(_place(message), []) + self.copied.get(_origin(message), [])

    def compare(self, rejected: Iterable[Rejected], verdict: Verdict) -> None:
        """Every rejected record is in quarantine once, with its bytes, unless it is classified; and nothing else is.

        Only what was rejected before the bus was copied may lack its record: some of them were left behind.
        """
        seen = set()
        for one in rejected:
            place, found = _place(one.message), self.of(one.message)
            seen.add(place)
            classified = any(reason.code == CLASSIFIED for reason in one.reasons)
            if len(found) != 1:
                verdict.wrong("quarantine", f"{place} is there {len(found)} times")
            elif found[0]["raw"] != (b"" if classified else one.message.value() or b""):
                verdict.wrong("quarantine", f"{place} has other bytes")
        for place in self.made:
            if place not in seen:
                verdict.wrong("quarantine", f"{place} was not rejected")


def _place(message: Consumed) -> tuple[str, int, int]:
    return message.topic(), message.partition(), message.offset()


def _origin(message: Consumed) -> bytes:
    """Where a copied message was before; empty for one that was published here."""
    return dict(message.headers() or ()).get(MOVED_FROM, b"")
