"""The book of deadlines as its readers see it: one SQLite file, beside whatever process feeds it."""

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from consumers.deadlines.intake import Claim
from exchange.catalogue import Catalogue
from exchange.domain.cycles import Pace, pace_of
from exchange.domain.league import Conduct
from exchange.domain.timeliness import Due, Timeliness, Timing
from exchange.errors import RequestError
from exchange.fed_file import Kept, connect, translating

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    department TEXT, record_type TEXT, document TEXT, subject TEXT, decided_on INTEGER, revision INTEGER, digest INTEGER,
    severity INTEGER, published_on INTEGER, timing TEXT, PRIMARY KEY (department, record_type, document, subject)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (
    department TEXT, record_type TEXT, published_on INTEGER, timing TEXT, count INTEGER NOT NULL,
    PRIMARY KEY (department, record_type, published_on, timing)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    department TEXT, record_type TEXT, document TEXT, decided_on INTEGER, exact INTEGER, why TEXT, seen_on INTEGER,
    PRIMARY KEY (department, record_type, document)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (
    department TEXT, record_type TEXT, day INTEGER, accepted INTEGER, rejected INTEGER, corrections INTEGER, withdrawn INTEGER,
    filled INTEGER, asked INTEGER, PRIMARY KEY (department, record_type, day)) WITHOUT ROWID;
"""
DEADLINES = Kept(
    name="deadlines", setting="CREDITBUS_DEADLINES_FOLDER", file="deadlines.sqlite", format="1", schema=_SCHEMA
)
NO_TERM = "none"
"""The timing of a decision that no rule asks to be public."""


class Open(NamedTuple):
    """A decision that the bus knows of and that is not public: by when it must be, and how that stands today."""

    claim: Claim
    due: Due
    timing: Timing


class Disclosures(NamedTuple):
    """Decisions of one type of a department, by how their publication stands to its term."""

    department: str
    record_type: str
    counts: dict[Timing, int]


class Cycle(NamedTuple):
    """A resource of a department and the pace at which it is updated."""

    department: str
    record_type: str
    update_cycle: int
    pace: Pace


class DeadlineBook:
    """Reads the file; for one thread.

    Args:
        folder: of the file.
        timeliness: judges what is open today.
        catalogue: resources, with their promised cycles.

    Raises:
        RequestError: `deadlines_absent`.
        FatalError: `deadlines_corrupt`, `deadlines_unusable`.
    """

    def __init__(self, folder: Path, timeliness: Timeliness, catalogue: Catalogue) -> None:
        self._path = folder / DEADLINES.file
        self._timeliness = timeliness
        self._catalogue = catalogue
        if not self._path.exists():
            raise RequestError(
                f"there are no deadlines in {folder}", code="deadlines_absent",
                remedy="start `creditbus run deadlines`, or set CREDITBUS_DEADLINES_FOLDER to where they are",
            )  # fmt: skip

    def open_decisions(self, today: int, department: str = "") -> list[Open]:
        """Decisions that are known by a day and not public, the most urgent first; one that became public since is not among them."""
        rows = self._all("SELECT * FROM claims WHERE ? IN ('', department) AND seen_on <= ?", department, today)
        found = []
        for claim in (Claim(*row) for row in rows):
            due = self._timeliness.due(claim.record_type, claim.decided_on)
            if due is not None:
                found.append(Open(claim, due, self._timeliness.open_timing(due, today)))
        return sorted(found, key=lambda one: (one.due.by, one.claim))

    def disclosures(self, today: int, since: int = 0, department: str = "") -> list[Disclosures]:
        """Each department's decisions with a term: published from a day on, and open."""
        counts: dict[tuple[str, str], dict[Timing, int]] = {}
        rows = self._all(
            "SELECT department, record_type, timing, sum(count) FROM tallies WHERE published_on BETWEEN ? AND ? AND timing != ?"
            " AND ? IN ('', department) GROUP BY 1, 2, 3 HAVING sum(count) > 0", since, today, NO_TERM, department,
        )  # fmt: skip
        for slug, record_type, timing, count in rows:
            counts.setdefault((slug, record_type), {})[Timing(timing)] = count
        for one in self.open_decisions(today, department):
            of_resource = counts.setdefault((one.claim.department, one.claim.record_type), {})
            of_resource[one.timing] = of_resource.get(one.timing, 0) + 1
        return [Disclosures(*key, found) for key, found in sorted(counts.items())]

    def cycles(self, today: int, since: int = 0) -> list[Cycle]:
        """Every resource of every department that exists, and its pace from a day on."""
        days: dict[tuple[str, str], list[int]] = {}
        for slug, record_type, day in self._all(
            "SELECT department, record_type, day FROM days WHERE accepted > 0 AND day BETWEEN ? AND ?",
            since,
            today,
        ):
            days.setdefault((slug, record_type), []).append(day)
        return [
            Cycle(slug, one.record_type, one.update_cycle, pace_of(one.update_cycle, days.get((slug, one.record_type), ()), today))
            for slug in sorted(self._catalogue.departments)
            if self._catalogue.departments[slug].existed_to > today
            for one in self._catalogue.resources
            if slug in one.providers
        ]  # fmt: skip

    def conducts(self, today: int, since: int = 0) -> list[Conduct]:
        """What each department did from a day on: those that published anything, or owe something."""
        found: dict[str, dict[str, int]] = {}

        def add(slug: str, **amounts: int) -> None:
            of_department = found.setdefault(slug, {})
            for name, amount in amounts.items():
                of_department[name] = of_department.get(name, 0) + amount

        for slug, record_type, accepted, rejected, corrections, withdrawn, filled, asked in self._all(
            "SELECT department, record_type, sum(accepted), sum(rejected), sum(corrections), sum(withdrawn), sum(filled),"
            " sum(asked) FROM days WHERE day BETWEEN ? AND ? GROUP BY 1, 2", since, today,
        ):  # fmt: skip
            decisions = accepted if record_type in self._timeliness.record_types else 0
            add(slug, accepted=accepted, rejected=rejected, decisions=decisions, corrections=corrections,
                withdrawn=withdrawn, filled=filled, asked=asked)  # fmt: skip
        for one in self.disclosures(today, since):
            counts = one.counts
            add(one.department, on_time=counts.get(Timing.ON_TIME, 0), late=counts.get(Timing.LATE, 0),
                overdue=counts.get(Timing.OVERDUE, 0))  # fmt: skip
        for cycle in self.cycles(today, since):
            if cycle.department in found and cycle.pace.promised is not None and cycle.pace.since is not None:
                add(cycle.department, cycles=1, cycles_kept=int(not cycle.pace.is_late))
        return [Conduct(slug, **amounts) for slug, amounts in sorted(found.items())]

    def _all(self, sql: str, *values: Any) -> list[Any]:
        with translating(self._path, DEADLINES), closing(connect(self._path, "ro")) as connection:
            return connection.execute(sql, values).fetchall()
