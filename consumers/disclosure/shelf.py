"""What may be public today of one kind of document, page by page: the directory says what there is, the standing whether it counts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from consumers.disclosure.documents import Document, documents_of
from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.directory import FIRST, Directory, Filed
from exchange.domain.access import PUBLIC
from exchange.domain.judge import RuleBook
from exchange.domain.policy import Policy
from exchange.domain.projection import project
from exchange.domain.record import DOCUMENT, Entry
from exchange.domain.terms import holdings
from exchange.look_up import load_entries
from exchange.standing_store import StandingStore

_LOOKED_THROUGH = 50
"""Pages that are looked through for one page of what may be shown; then the visitor goes on by hand."""
After = tuple[int, str, str]


def kind_of_list(list_code: str, policy: Policy) -> str:
    """The record type whose documents put on a list."""
    if list_code in policy.rating_lists.values():
        return "rating"
    return "abnormal_entry" if list_code == "ABN" else "listing"


class Choice(NamedTuple):
    """What a visitor wants to see: a record type, and what the directory narrows it by (empty for all)."""

    kind: str
    topic: str = ""
    department: str = ""
    division: str = ""


class Disclosed(NamedTuple):
    """A document that may be public today. until: first day on which it is not (days since 1970-01-01); None where no day is set."""

    filed: Filed
    document: Document
    name: str
    until: int | None


class Shelfful(NamedTuple):
    """A page; `after` leads to the next one, None at the end."""

    items: list[Disclosed]
    after: After | None


class Shelf:
    """Reads disclosure pages.

    Args:
        directory: of documents by day.
        store: of the standings.
        partitions: of the bus.
        codec: of the contracts.
        catalogue: with the grants.
    """

    def __init__(
        self, directory: Directory, store: StandingStore, partitions: int, codec: Codec, catalogue: Catalogue
    ) -> None:
        self._directory = directory
        self._store = store
        self._partitions = partitions
        self._codec = codec
        self._catalogue = catalogue

    def page(self, choice: Choice, book: RuleBook, *, after: After = FIRST, limit: int = 20) -> Shelfful:
        """Documents that may be public today, the newest decision first.

        Args:
            choice: which.
            book: policy and day.
            after: of the page before.
            limit: documents, at most.
        """
        items: list[Disclosed] = []
        for _ in range(_LOOKED_THROUGH):
            found = self._directory.recent(
                choice.kind, after=after, limit=limit, topic=choice.topic, department=choice.department,
                division=choice.division,
            )  # fmt: skip
            for one, shown in zip(found, self._shown(found, book), strict=True):
                if len(items) == limit:
                    return Shelfful(items, after)
                after = (one.decided_on, one.entry, one.subject)
                if shown is not None:
                    items.append(shown)
            if len(found) < limit:
                return Shelfful(items, None)
        return Shelfful(items, after)

    def all(self, choice: Choice, book: RuleBook, *, most: int, chunk: int = 500) -> Iterator[Disclosed]:
        """Everything of a choice, for a download; `most` at most."""
        after: After | None = FIRST
        while after is not None and most > 0:
            page = self.page(choice, book, after=after, limit=min(chunk, most))
            yield from page.items
            most -= len(page.items)
            after = page.after

    def _shown(self, found: Sequence[Filed], book: RuleBook) -> list[Disclosed | None]:
        entries = load_entries(self._store, self._partitions, [(one.subject, one.entry) for one in found])
        shown = [
            self._disclosed(one, entry, book) if entry is not None and DOCUMENT in entry.versions else None
            for one, entry in zip(found, entries, strict=True)
        ]
        places = {(one.filed.department, *_place(one.document)): one for one in shown if one is not None}
        texts = self._directory.details(places)
        return [self._with_text(one, texts) if one is not None else None for one in shown]

    def _disclosed(self, one: Filed, entry: Entry, book: RuleBook) -> Disclosed | None:
        """The document, if it may be shown today."""
        documents = documents_of({one.entry: entry}, {}, book.policy, book.as_of)
        if not documents or not documents[0].is_public:
            return None
        document = documents[0]
        if document.publicity is not None:
            return Disclosed(one, document, "", document.publicity.until)
        if not one.topic:
            return Disclosed(one, document, "", None)
        held = holdings({one.entry: entry}, book.policy)
        in_force = [
            h for h in held
            if h.list_code == one.topic and h.decided_on <= book.as_of and (h.until is None or book.as_of < h.until)
        ]  # fmt: skip
        return Disclosed(one, document, "", in_force[0].until) if in_force else None

    def _with_text(self, one: Disclosed, texts: Mapping[tuple[str, int, int], bytes]) -> Disclosed:
        """With the fields that the public may see, once the directory has them."""
        raw = texts.get((one.filed.department, *_place(one.document)))
        if raw is None:
            return one
        record_type, record = self._codec.decode(raw)
        seen: Mapping[str, Any] = (
            project(record, self._catalogue.read_grant(record_type), PUBLIC, show_person=str, opened=True) or {}
        )
        return one._replace(document=one.document._replace(fields=seen), name=str(record.get("subject_name", "")))


def _place(document: Document) -> tuple[int, int]:
    return document.version.partition, document.version.offset
