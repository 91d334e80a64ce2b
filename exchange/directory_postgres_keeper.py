"""The directory in PostgreSQL, as the process that feeds it sees it: a batch and its offsets are one transaction, all or nothing.

A batch takes a fixed number of statements, whatever its size: the server may be far.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any

import psycopg

from exchange.directory import Filed, Intake, Place
from exchange.directory_postgres import PostgresDirectory
from exchange.directory_tables import TABLES, pieces_of, spelt
from exchange.domain.enrolment import Amended, Claim, Enrolled, Registered, enrol, owner_of
from exchange.domain.identity import is_person
from exchange.fed_database import FedDatabase
from exchange.fed_folder import Bus, Offsets
from exchange.initials import spellings

_NEW_SOURCES = """
INSERT INTO sources (department, partition) SELECT * FROM unnest(%s::text[], %s::integer[]) ON CONFLICT DO NOTHING"""
_KEEP_RECORDS = """
INSERT INTO records SELECT s.id, new.at, new.raw
FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bytea[]) AS new (department, partition, at, raw)
JOIN sources s ON s.department = new.department AND s.partition = new.partition ON CONFLICT DO NOTHING"""
_KEEP_REGISTERED = """
INSERT INTO registered SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::integer[], %s::text[],
    %s::text[], %s::smallint[], %s::smallint[]) ON CONFLICT DO NOTHING"""
_KEEP_AMENDED = """
INSERT INTO amended SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::boolean[])
ON CONFLICT DO NOTHING"""
_KEEP_CLAIMS = """
INSERT INTO claims SELECT * FROM unnest(%s::text[], %s::text[], %s::integer[])
ON CONFLICT (alias, subject) DO UPDATE SET decided_on = least(claims.decided_on, excluded.decided_on)"""
_KEEP_FILED = """
INSERT INTO filed SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::bigint[], %s::bigint[])
ON CONFLICT (subject, entry) DO UPDATE SET kind = excluded.kind, decided_on = excluded.decided_on, topic = excluded.topic,
    department = excluded.department, division = excluded.division, revision = excluded.revision, digest = excluded.digest
WHERE (excluded.revision, excluded.digest) > (filed.revision, filed.digest)"""
_CLAIMS = "SELECT alias, decided_on, subject FROM claims WHERE alias = ANY(%s)"
_CLAIMED = "SELECT subject, alias FROM claims WHERE subject = ANY(%s)"
_REGISTERED = "SELECT * FROM registered WHERE subject = ANY(%s)"
_AMENDED = "SELECT * FROM amended WHERE subject = ANY(%s)"
_SHOWN = "SELECT subject, id, name, division, kind, status, names, codes FROM subjects WHERE subject = ANY(%s)"
_FORGET_CODES = """
DELETE FROM codes USING unnest(%s::text[], %s::bigint[]) AS gone (code, subject)
WHERE codes.code = gone.code AND codes.subject = gone.subject"""
_ENROL = """
INSERT INTO subjects (subject, name, division, kind, status, names, codes, spellings, pieces)
SELECT subject, name, division, kind, status, names, codes, spellings, pieces::integer[]
FROM unnest(%s::text[], %s::text[], %s::text[], %s::smallint[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS new (subject, name, division, kind, status, names, codes, spellings, pieces, place) ORDER BY place
ON CONFLICT (subject) DO UPDATE SET name = excluded.name, division = excluded.division, kind = excluded.kind,
    status = excluded.status, names = excluded.names, codes = excluded.codes, spellings = excluded.spellings,
    pieces = excluded.pieces
RETURNING subject, id"""
_KEEP_CODES = "INSERT INTO codes SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::smallint[])"

Writer = psycopg.Connection


class PostgresKeeper(PostgresDirectory):
    """The one writer of a database's schema.

    Args:
        url: of the database; its role makes the tables if need be.
        bus: that feeds it.
        on_step: told `keep`, `commit` and `kept`; fault tests end the process there.

    Raises:
        RequestError: `directory_in_use`, `bad_setting`.
        RetryLaterError: `directory_unavailable`.
        FatalError: `directory_of_another_bus`, `directory_format`, `directory_unusable`.
    """

    def __init__(self, url: str, bus: Bus, on_step: Callable[[str], None] = lambda _: None) -> None:
        self._database = FedDatabase(url, bus, TABLES, on_step)
        try:
            super().__init__(url)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the connections, and leave the database to another."""
        super().close()
        self._database.close()

    def size(self) -> int:
        """Bytes on the server's disk."""
        return self._database.size()

    def offsets(self) -> Offsets:
        """See `DirectoryKeeper`."""
        return self._database.offsets()

    def keep(self, intake: Intake) -> None:
        """See `DirectoryKeeper`.

        Raises:
            RetryLaterError: `directory_unavailable`; keep the same once more, it may be there already.
        """
        with self._database.keeping(intake.offsets) as writer:
            _keep_records(writer, intake.records)
            _keep_names(writer, intake.registered, intake.amended)
            _keep_filed(writer, intake.filed)


def _keep_records(writer: Writer, records: Collection[tuple[Place, bytes]]) -> None:
    if not records:
        return
    places = [place for place, _ in records]
    known = {
        (department, partition) for department, partition in writer.execute("SELECT department, partition FROM sources")
    }
    new = sorted(
        {place[:2] for place in places} - known
    )  # looked for first: to no avail would use up a number each time
    if new:
        writer.execute(_NEW_SOURCES, _columns(new))
    writer.execute(_KEEP_RECORDS, [*_columns(places), [raw for _, raw in records]])


def _keep_names(writer: Writer, registered: Iterable[Registered], amended: Collection[Amended]) -> None:
    organisations = [one for one in registered if not is_person(one.subject)]
    claims: dict[tuple[str, str], int] = {}
    for one in organisations:
        for alias in one.aliases:
            claims[alias, one.subject] = min(one.decided_on, claims.get((alias, one.subject), one.decided_on))
    named = {one.subject for one in organisations} | {one.subject for one in amended} | {alias for alias, _ in claims}
    if not named:
        return
    if organisations:
        writer.execute(_KEEP_REGISTERED, _columns([one[:-1] for one in organisations]))
    if amended:
        writer.execute(_KEEP_AMENDED, _columns(amended))
    if claims:
        writer.execute(_KEEP_CLAIMS, _columns([(*pair, day) for pair, day in sorted(claims.items())]))
    claimants = {claim.subject for of_one in _claims(writer, named).values() for claim in of_one}
    _enrol(writer, sorted(named | claimants))


def _keep_filed(writer: Writer, filed: Iterable[Filed]) -> None:
    newest: dict[tuple[str, str], Filed] = {}
    for one in filed:
        known = newest.get((one.subject, one.entry))
        if not is_person(one.subject) and (known is None or known[-2:] < one[-2:]):
            newest[one.subject, one.entry] = one
    if newest:
        writer.execute(_KEEP_FILED, _columns(list(newest.values())))


def _enrol(writer: Writer, subjects: list[str]) -> None:
    """Bring what is found of subjects up to date with all that is known of them."""
    shown = {subject: row for subject, *row in writer.execute(_SHOWN, (subjects,))}
    gone: list[str] = []
    rows: dict[str, tuple[Any, ...]] = {}
    for subject, enrolled in _enrolled(writer, subjects).items():
        kept = shown.get(subject)
        if enrolled is None:
            gone += [subject] if kept else []
            continue
        row = (*enrolled[1:5], "\n".join(enrolled.names), "\n".join(enrolled.codes))
        if kept is None or (*kept[1:],) != row:
            spelling = spellings(enrolled.names)
            pieces = "{" + ",".join(map(str, pieces_of(spelling, enrolled.division, enrolled.kind))) + "}"
            rows[subject] = (subject, *row, spelt(spelling), pieces)
    old = [(code, shown[one][0]) for one in (*gone, *rows) if one in shown for code in shown[one][-1].split("\n")]
    if old:
        writer.execute(_FORGET_CODES, _columns(old))
    if gone:
        writer.execute("DELETE FROM subjects WHERE subject = ANY(%s)", (gone,))
    if rows:
        numbers: dict[str, int] = dict(writer.execute(_ENROL, _columns(list(rows.values()))).fetchall())
        codes = [(code, numbers[one], row[2], row[3]) for one, row in rows.items() for code in row[6].split("\n")]
        writer.execute(_KEEP_CODES, _columns(codes))


def _enrolled(writer: Writer, subjects: list[str]) -> dict[str, Enrolled | None]:
    """Each subject as it is found, by all that is known of it and of the older codes that are its own."""
    claimed: dict[str, list[str]] = defaultdict(list)
    for subject, alias in writer.execute(_CLAIMED, (subjects,)):
        claimed[subject].append(alias)
    claims = _claims(writer, {alias for of_one in claimed.values() for alias in of_one}.union(subjects))
    own = {
        subject: [alias for alias in claimed[subject] if owner_of(alias, claims[alias]) == subject]
        for subject in subjects
        if owner_of(subject, claims[subject]) == subject
    }
    everybody = [*own, *{alias for aliases in own.values() for alias in aliases}]
    registered: dict[str, list[Registered]] = defaultdict(list)
    for row in writer.execute(_REGISTERED, (everybody,)):
        registered[row[0]].append(Registered._make((*row, ())))
    amended: dict[str, list[Amended]] = defaultdict(list)
    for row in writer.execute(_AMENDED, (everybody,)):
        amended[row[0]].append(Amended._make(row))
    return {
        subject: enrol(
            subject,
            [one for name in (subject, *own[subject]) for one in registered[name]],
            [one for name in (subject, *own[subject]) for one in amended[name]],
            own[subject],
        )
        if subject in own
        else None
        for subject in subjects
    }


def _claims(writer: Writer, aliases: Collection[str]) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = defaultdict(list)
    for alias, decided_on, subject in writer.execute(_CLAIMS, (list(aliases),)):
        found[alias].append(Claim(decided_on, subject))
    return found


def _columns(rows: Collection[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
