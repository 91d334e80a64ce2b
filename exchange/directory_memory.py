"""A directory in memory, for tests and small programs; it passes the same contract suite as the one on disk."""

from collections import Counter
from collections.abc import Iterable, Iterator

from exchange.directory import FIRST, Filed, Intake, Page, Place, hit_of, searched_name
from exchange.domain.codes import normalise_code
from exchange.domain.enrolment import Amended, Claim, Enrolled, Registered, enrol, owner_of
from exchange.domain.identity import is_person
from exchange.domain.naming import SHORTEST_CODE, area_of, rank
from exchange.fed_folder import Offsets
from exchange.initials import spellings
from exchange.records.words import SubjectKind


class MemoryDirectory:
    """Keeps everything, and works out at each search who is called what."""

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, int], int] = {}
        self._records: dict[Place, bytes] = {}
        self._registered: set[Registered] = set()
        self._amended: set[Amended] = set()
        self._filed: dict[tuple[str, str], Filed] = {}

    def close(self) -> None:
        """See `Directory`."""

    def search(
        self,
        text: str,
        *,
        limit: int = 20,
        offset: int = 0,
        division: str | None = None,
        kind: SubjectKind | None = None,
    ) -> Page:
        """See `Directory`."""
        name, code = searched_name(text, limit=limit, offset=offset), normalise_code(text)
        everybody = list(self._everybody())
        coded = [one for one in everybody if any(own.startswith(code) for own in one.codes)]
        found = coded if coded and len(code) >= SHORTEST_CODE else _by_name(everybody, name)
        hits = [
            hit
            for hit in map(hit_of, found)
            if (not division or hit.division.startswith(area_of(division))) and kind in (None, hit.kind)
        ]
        return Page(
            tuple(hits[offset : offset + limit]), min(len(hits), offset + limit + 1) if offset < len(hits) else 0
        )

    def details(self, places: Iterable[Place]) -> dict[Place, bytes]:
        """See `Directory`."""
        return {place: self._records[place] for place in places if place in self._records}

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
        """See `Directory`."""
        area = area_of(division) if division else ""
        found = [
            one
            for one in self._filed.values()
            if one.kind == kind
            and (one.decided_on, one.entry, one.subject) < after
            and topic in ("", one.topic)
            and department in ("", one.department)
            and one.division.startswith(area)
        ]
        return sorted(found, key=lambda one: (one.decided_on, one.entry, one.subject), reverse=True)[:limit]

    def count_by_day(self, kind: str, first: int, last: int) -> dict[int, int]:
        """See `Directory`."""
        days = (one.decided_on for one in self._filed.values() if one.kind == kind)
        return dict(Counter(day for day in days if first <= day <= last))

    def offsets(self) -> Offsets:
        """See `DirectoryKeeper`."""
        return dict(self._offsets)

    def keep(self, intake: Intake) -> None:
        """See `DirectoryKeeper`."""
        self._records.update(intake.records)
        self._registered.update(one for one in intake.registered if not is_person(one.subject))
        self._amended.update(intake.amended)
        for one in intake.filed:
            known = self._filed.get((one.subject, one.entry))
            if not is_person(one.subject) and (known is None or known[-2:] < one[-2:]):
                self._filed[one.subject, one.entry] = one
        self._offsets.update(intake.offsets)

    def _everybody(self) -> Iterator[Enrolled]:
        claims: dict[str, list[Claim]] = {}
        for one in self._registered:
            for alias in one.aliases:
                claims.setdefault(alias, []).append(Claim(one.decided_on, one.subject))
        subjects = {one.subject for one in self._registered} | set(claims)
        owners = {subject: owner_of(subject, claims.get(subject, ())) for subject in subjects}
        for subject in sorted(set(owners.values())):
            own = {one for one, owner in owners.items() if owner == subject}
            enrolled = enrol(
                subject,
                [one for one in self._registered if one.subject in own],
                [one for one in self._amended if one.subject in own],
                own - {subject},
            )
            if enrolled is not None and owner_of(subject, claims.get(subject, ())) == subject:
                yield enrolled


def _by_name(everybody: Iterable[Enrolled], text: str) -> list[Enrolled]:
    """Those with a name, in characters or initials, that contains the text; the best first."""
    found: list[tuple[int, str, Enrolled]] = []
    for one in everybody:
        names = spellings(one.names)
        if any(text in name for name in names):
            found.append((rank(text, names), one.subject, one))
    return [one for _, _, one in sorted(found)]
