"""The directory on disk, as the process that feeds it sees it: a batch and its offsets are one transaction, all or nothing."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from exchange.directory import Intake, Place
from exchange.directory_files import DIRECTORY, KEEP
from exchange.directory_sqlite import SqliteDirectory, row_of
from exchange.domain.enrolment import Amended, Claim, Enrolled, Registered, enrol, owner_of
from exchange.domain.identity import is_person
from exchange.domain.naming import cut, facets
from exchange.fed_file import FedFile
from exchange.fed_folder import Bus, Offsets
from exchange.initials import spellings


class SqliteKeeper(SqliteDirectory):
    """The one writer of a folder.

    Args:
        folder: made if need be.
        bus: that feeds it.
        on_step: told `keep`, `commit` and `kept`; fault tests end the process there.

    Raises:
        RequestError: `directory_in_use`.
        FatalError: `directory_of_another_bus`, `directory_format`, `directory_corrupt`, `directory_unusable`,
            `directory_disk_failed`.
    """

    def __init__(self, folder: Path, bus: Bus, on_step: Callable[[str], None] = lambda _: None) -> None:
        self._file = FedFile(folder, bus, DIRECTORY, on_step)
        self._writer = self._file.writer
        try:
            super().__init__(folder)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file, and leave the folder to another."""
        super().close()
        self._file.close()

    def size(self) -> int:
        """Bytes on disk."""
        return self._file.size()

    def offsets(self) -> Offsets:
        """See `DirectoryKeeper`."""
        return self._file.offsets()

    def keep(self, intake: Intake) -> None:
        """See `DirectoryKeeper`."""
        with self._file.keeping(intake.offsets):
            self._keep_records(intake.records)
            self._keep_names(intake.registered, intake.amended)
            self._writer.executemany(KEEP, [one for one in intake.filed if not is_person(one.subject)])

    def _keep_records(self, records: Iterable[tuple[Place, bytes]]) -> None:
        sources: dict[tuple[str, int], int] = {}
        rows = []
        for (department, partition, offset), raw in records:
            source = sources.get((department, partition))
            if source is None:
                where = (department, partition)
                self._writer.execute("INSERT OR IGNORE INTO sources (department, partition) VALUES (?, ?)", where)
                ((source,),) = self._all("SELECT id FROM sources WHERE department = ? AND partition = ?", *where)
                sources[where] = source
            rows.append((row_of(source, offset), raw))
        self._writer.executemany("INSERT OR IGNORE INTO records VALUES (?, ?)", rows)

    def _keep_names(self, registered: Iterable[Registered], amended: Iterable[Amended]) -> None:
        organisations = [one for one in registered if not is_person(one.subject)]
        claims = [(alias, one.subject, one.decided_on) for one in organisations for alias in one.aliases]
        self._writer.executemany(
            "INSERT OR IGNORE INTO registered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [one[:-1] for one in organisations]
        )
        self._writer.executemany("INSERT OR IGNORE INTO amended VALUES (?, ?, ?, ?, ?, ?)", amended)
        self._writer.executemany(
            "INSERT INTO claims VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET decided_on = min(decided_on, excluded.decided_on)",
            claims,
        )
        named = {one.subject for one in organisations} | {one.subject for one in amended}
        named |= {alias for alias, _, _ in claims}
        claimants = {claim.subject for subject in named for claim in self._claims(subject)}
        for subject in sorted(named | claimants):
            self._enrol(subject)

    def _claims(self, alias: str) -> list[Claim]:
        return [Claim(*row) for row in self._all("SELECT decided_on, subject FROM claims WHERE alias = ?", alias)]

    def _enrol(self, subject: str) -> None:
        """Bring what is found of a subject up to date with all that is known of it."""
        enrolled = self._enrolled(subject) if owner_of(subject, self._claims(subject)) == subject else None
        kept = self._all(
            "SELECT id, name, division, kind, status, names, codes FROM subjects WHERE subject = ?", subject
        )
        shown = None if enrolled is None else (*enrolled[1:5], "\n".join(enrolled.names), "\n".join(enrolled.codes))
        if (kept[0][1:] if kept else None) == shown:
            return
        number = None
        if kept:
            number, _, division, kind, _, names, codes = kept[0]
            self._writer.executemany(
                "DELETE FROM codes WHERE code = ? AND subject = ?", [(one, number) for one in codes.split("\n")]
            )
            self._writer.execute("DELETE FROM subjects WHERE id = ?", (number,))
            if shown is None or (division, kind, names) != (shown[1], shown[2], shown[4]):
                number = None
        if enrolled is not None and shown is not None:
            self._write(enrolled, number, shown)

    def _enrolled(self, subject: str) -> Enrolled | None:
        claimed = [alias for (alias,) in self._all("SELECT alias FROM claims WHERE subject = ?", subject)]
        aliases = [alias for alias in claimed if owner_of(alias, self._claims(alias)) == subject]
        registered: list[Registered] = []
        amended: list[Amended] = []
        for one in (subject, *aliases):
            registered += [
                Registered._make((*row, ())) for row in self._all("SELECT * FROM registered WHERE subject = ?", one)
            ]
            amended += [Amended(*row) for row in self._all("SELECT * FROM amended WHERE subject = ?", one)]
        return enrol(subject, registered, amended, aliases)

    def _write(self, enrolled: Enrolled, number: int | None, shown: tuple[Any, ...]) -> None:
        """Write a subject, and its names too if it has no number yet."""
        row = self._writer.execute(
            "INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, enrolled.subject, *shown)
        ).lastrowid
        division, kind = enrolled.division, enrolled.kind
        self._writer.executemany(
            "INSERT INTO codes VALUES (?, ?, ?, ?)", [(one, row, division, kind) for one in enrolled.codes]
        )
        if number is None:
            pieces = [piece for name in sorted(spellings(enrolled.names)) for piece in cut(name)]
            self._writer.execute(
                "INSERT INTO names (rowid, pieces) VALUES (?, ?)", (row, " ".join((*pieces, *facets(division, kind))))
            )

    def _all(self, sql: str, *values: Any) -> list[Any]:
        return self._file.all(sql, *values)
