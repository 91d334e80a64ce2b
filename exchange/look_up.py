"""Looks a subject up: whatever people type leads to the canonical subject, its standing and its entries."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exchange.domain.handover import visible, visible_entries
from exchange.domain.identity import IdentityError, parse_subject
from exchange.domain.record import Entry
from exchange.domain.standing import EMPTY, Standing
from exchange.errors import RequestError
from exchange.partitioner import partition_of
from exchange.standing_store import StandingStore, Wanted

HOPS = 8
"""An alias leads to its subject in one step, an older code of an older code or a pseudonym of before in some more. Each is one round trip."""


class Found(NamedTuple):
    """A subject and all that the bus keeps of it; `standing` is EMPTY where nobody has said anything."""

    subject: str
    standing: Standing
    entries: Mapping[str, Entry]

    @property
    def is_person(self) -> bool:
        """Whether it is a natural person."""
        return self.subject.startswith("person:")

    @property
    def is_known(self) -> bool:
        """Whether the bus has any record of it."""
        return self.standing is not EMPTY


def subject_of(text: str) -> str:
    """The subject id that somebody means: an id as it is, a bare unified social credit code as an organisation's.

    Raises:
        RequestError: with the code of the `IdentityError`.
    """
    text = text.strip()
    try:
        return str(parse_subject(text if ":" in text else f"org:{text.upper()}"))
    except IdentityError as error:
        raise RequestError(f"{text!r} is no subject: {error}", code=error.code, remedy="check the code") from error


def look_up(store: StandingStore, partitions: int, subject: str) -> Found:
    """The canonical subject of an id; an alias leads to the subject it belongs to.

    Args:
        store: of the standings.
        partitions: of the bus.
        subject: a valid subject id.

    Raises:
        RetryLaterError: Redis is away.
    """
    for _ in range(HOPS):
        found, entries = store.all_of(partition_of(subject, partitions), subject)
        reached, standing = subject, found or EMPTY
        if not standing.merged_into:
            break
        subject = standing.merged_into
    return Found(reached, standing, visible_entries(entries))


def load_entries(store: StandingStore, partitions: int, wanted: Sequence[tuple[str, str]]) -> list[Entry | None]:
    """Entries of many subjects, all in one round trip; None where there is none.

    Args:
        store: of the standings.
        partitions: of the bus.
        wanted: (subject, entry key) of each.

    Raises:
        RetryLaterError: Redis is away.
    """
    by_partition: dict[int, list[int]] = {}
    for place, (subject, _) in enumerate(wanted):
        by_partition.setdefault(partition_of(subject, partitions), []).append(place)
    asked = [Wanted(number, (), [wanted[place] for place in places]) for number, places in by_partition.items()]
    entries: list[Entry | None] = [None] * len(wanted)
    for places, loaded in zip(by_partition.values(), store.load(asked), strict=True):
        for place, entry in zip(places, loaded.entries, strict=True):
            seen = visible(entry) if entry is not None else None
            entries[place] = seen if seen is not None and seen.versions else None
    return entries
