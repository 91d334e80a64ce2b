"""The directory: who is on the bus, found by name or code, and the full text of records by where they lie (a port).

Redis keeps what the join needs of a record; a name to look for and the text to show are here. Which records count is decided by
the standing, whose versions name their places: the directory keeps every valid record, and never says what is in force.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from exchange.domain.enrolment import Amended, Enrolled, Registered
from exchange.domain.naming import LONGEST, SHORTEST, normalise_name
from exchange.errors import RequestError
from exchange.fed_folder import Offsets
from exchange.records.words import SubjectKind, SubjectStatus

Place = tuple[str, int, int]
"""Where a raw record lies: department, partition and offset in the department's topic."""

DEEPEST = 10_000
"""Hits that can be paged through: who needs more of them narrows the search, and nobody copies the register page by page."""

KINDS = tuple(SubjectKind)
STATUSES = tuple(SubjectStatus)


class Hit(NamedTuple):
    """A registered subject that a search found, by its newest name; `division` is six digits or empty."""

    subject: str
    name: str
    division: str
    kind: SubjectKind
    status: SubjectStatus


class Page(NamedTuple):
    """Some hits of a search, the best first.

    total_at_least: how many there are up to this page, and one more if there is a next page; 0 for a page beyond the last.
    """

    hits: tuple[Hit, ...]
    total_at_least: int


class Filed(NamedTuple):
    """A document of an organisation that disclosure may be about; whether it may be shown today the standing says.

    entry: its key in the standing. topic: the list that it puts the subject on, or "". decided_on: days since 1970-01-01.
    """

    kind: str
    decided_on: int
    entry: str
    subject: str
    topic: str
    department: str
    division: str
    revision: int
    digest: int


FIRST: tuple[int, str, str] = (1 << 40, "", "")
"""Where the newest documents begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a batch of valid records brings; `offsets` are the next ones to read once it is kept."""

    records: Collection[tuple[Place, bytes]] = ()
    registered: Collection[Registered] = ()
    amended: Collection[Amended] = ()
    filed: Collection[Filed] = ()
    offsets: Offsets = field(default_factory=dict)


class Directory(Protocol):
    """What readers ask; a `RetryLaterError`, `directory_unavailable`, says that its database is away."""

    def close(self) -> None:
        """Let go of what is held open."""

    def search(
        self,
        text: str,
        *,
        limit: int = 20,
        offset: int = 0,
        division: str | None = None,
        kind: SubjectKind | None = None,
    ) -> Page:
        """Registered organisations by name, pinyin initials or code; natural persons are never found.

        A text of 6 characters or more that begins a code finds by that code. Any other finds by name, former names too: names that are
        the text come first, then those that begin with it, then those that contain it.

        Args:
            text: part of a name (2 characters or more), initials such as `gdjm`, or the beginning of a code.
            limit: hits of a page, at most.
            offset: hits to skip.
            division: six digits; a province's or a city's (`440000`, `440300`) covers what lies in it.
            kind: of subject.

        Raises:
            RequestError: `search_text_short`, `search_too_deep`.
            FatalError: `directory_corrupt`.
        """

    def details(self, places: Iterable[Place]) -> dict[Place, bytes]:
        """The raw messages at these places, as far as they are known.

        Raises:
            FatalError: `directory_corrupt`.
        """

    def recent(
        self,
        kind: str,
        *,
        after: tuple[int, str, str] = FIRST,
        limit: int = 20,
        topic: str = "",
        department: str = "",
        division: str = "",
    ) -> list[Filed]:
        """Documents of one record type, the newest decision first, by their newest revision.

        Args:
            kind: record type, such as `penalty`.
            after: (day, entry, subject) of the last one of the page before.
            limit: documents, at most.
            topic: code of the list that they put on; empty for any.
            department: whose; empty for anybody's.
            division: six digits; a province's or a city's covers what lies in it.

        Raises:
            FatalError: `directory_corrupt`.
        """

    def count_by_day(self, kind: str, first: int, last: int) -> dict[int, int]:
        """How many documents of one record type were decided on each day from the first to the last (since 1970-01-01).

        Raises:
            FatalError: `directory_corrupt`.
        """


class DirectoryKeeper(Directory, Protocol):
    """What the process asks that feeds it."""

    def offsets(self) -> Offsets:
        """Where to go on reading."""

    def keep(self, intake: Intake) -> None:
        """Keep a batch, whole or not at all; what is there already changes nothing.

        Raises:
            FatalError: `directory_disk_failed`, `directory_corrupt`; nothing of the batch is kept.
            RetryLaterError: `directory_unavailable`; keep the same once more, whether or not it is there already.
        """


def searched_name(text: str, *, limit: int, offset: int) -> str:
    """The text of a search as names are compared, once the search is seen to be one.

    Raises:
        RequestError: `search_text_short`, `search_too_deep`.
    """
    name = normalise_name(text)[:LONGEST]
    if len(name) < SHORTEST:
        raise RequestError(
            f"search text {text!r} has fewer than {SHORTEST} characters that names are made of",
            code="search_text_short",
            remedy="give more of the name, its pinyin initials, or a code",
        )
    if offset + limit > DEEPEST:
        raise RequestError(
            f"offset {offset} and limit {limit} lead beyond the first {DEEPEST} hits",
            code="search_too_deep",
            remedy="give more of the name, a division or a kind",
        )
    return name


def hit_of(one: Enrolled) -> Hit:
    """An enrolled subject as a search shows it."""
    return Hit(one.subject, one.name, one.division, KINDS[one.kind], STATUSES[one.status])
