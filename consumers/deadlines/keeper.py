"""The book of deadlines as the process that feeds it sees it: a batch and its offsets are one transaction, all or nothing."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from consumers.deadlines.book import DEADLINES, NO_TERM
from consumers.deadlines.intake import Claim, Decision, Taken
from exchange.domain.timeliness import Timeliness, timing_of
from exchange.fed_file import FedFile
from exchange.fed_folder import Bus, Offsets

_PUT = "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FIND = "SELECT * FROM decisions WHERE department = ? AND record_type = ? AND document = ? AND subject = ?"
_ADD_DAY = """
INSERT INTO days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    accepted = accepted + excluded.accepted, rejected = rejected + excluded.rejected,
    corrections = corrections + excluded.corrections, withdrawn = withdrawn + excluded.withdrawn,
    filled = filled + excluded.filled, asked = asked + excluded.asked"""
_ADD_TALLY = """
INSERT INTO tallies VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"""
_CLAIM = """
INSERT INTO claims SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
WHERE NOT EXISTS (SELECT 1 FROM decisions WHERE department = ?1 AND record_type = ?2 AND document = ?3)
ON CONFLICT DO UPDATE SET decided_on = excluded.decided_on, exact = excluded.exact, why = excluded.why
WHERE (excluded.exact, -excluded.decided_on) > (exact, -decided_on)"""
"""A decision that is public is owed no more. Of what is said of another its own day goes before a bound, and the earlier one first."""
_COUNTS = ("accepted", "rejected", "corrections", "withdrawn", "filled", "asked")
_PAGE = 10_000

Tally = tuple[str, str, int, str]
"""Department, record type, day of publication and timing."""


class DeadlineKeeper:
    """The one writer of a folder.

    Args:
        folder: made if need be.
        bus: that feeds it.
        timeliness: judges decisions.
        judged_by: names policy and calendar; where the file was judged by others, all of it is judged anew.
        on_step: told `keep`, `commit` and `kept`; fault tests end the process there.

    Raises:
        RequestError, FatalError: see `FedFile`.
    """

    def __init__(
        self, folder: Path, bus: Bus, timeliness: Timeliness, judged_by: str, on_step: Callable[[str], None] = lambda _: None
    ) -> None:  # fmt: skip
        self._timeliness = timeliness
        self._file = FedFile(folder, bus, DEADLINES, on_step)
        if self._file.all("SELECT value FROM about WHERE name = 'judged_by'") != [(judged_by,)]:
            self._judge_all(judged_by)

    def close(self) -> None:
        """Close the file, and leave the folder to another."""
        self._file.close()

    def size(self) -> int:
        """Bytes on disk."""
        return self._file.size()

    def offsets(self) -> Offsets:
        """Where to go on reading."""
        return self._file.offsets()

    def keep(self, taken: Taken) -> None:
        """Keep a batch, whole or not at all.

        Raises:
            FatalError: `deadlines_disk_failed`, `deadlines_corrupt`; nothing of the batch is kept.
        """
        with self._file.keeping(taken.offsets):
            writer = self._file.writer
            self._keep_decisions(taken.decisions)
            self._keep_claims(taken.claims)
            writer.executemany(
                _ADD_DAY, [(*day, *(counts[name] for name in _COUNTS)) for day, counts in taken.counts.items()]
            )

    def _keep_decisions(self, decisions: Iterable[Decision]) -> None:
        """The first accepted record says when a decision became public, the newest revision what was decided, and when."""
        tallies: Counter[Tally] = Counter()
        for one in decisions:
            for row in self._file.all(_FIND, *one[:4]):
                known, timing = Decision(*row[:-1]), row[-1]
                newer = (one.revision, one.digest) > (known.revision, known.digest)
                kept = one._replace(published_on=known.published_on) if newer else known
                tallies[_tally(known, timing)] -= 1
                break
            else:
                kept = one
            timing = self._timing(kept)
            self._file.writer.execute(_PUT, (*kept, timing))
            tallies[_tally(kept, timing)] += 1
            self._file.writer.execute(
                "DELETE FROM claims WHERE department = ? AND record_type = ? AND document = ?", one[:3]
            )
        self._file.writer.executemany(_ADD_TALLY, [(*key, count) for key, count in tallies.items() if count])

    def _keep_claims(self, claims: Iterable[Claim]) -> None:
        self._file.writer.executemany(_CLAIM, claims)

    def _timing(self, one: Decision) -> str:
        due = self._timeliness.due(one.record_type, one.decided_on, one.severity if one.severity >= 0 else None)
        return NO_TERM if due is None else timing_of(due, one.published_on)

    def _judge_all(self, judged_by: str) -> None:
        """Judge every decision by the policy and the calendar of now."""
        with self._file.keeping({}):
            writer = self._file.writer
            writer.execute("DELETE FROM tallies")
            tallies: Counter[Tally] = Counter()
            last = ("", "", "", "")
            while rows := self._file.all(
                "SELECT * FROM decisions WHERE (department, record_type, document, subject) > (?, ?, ?, ?)"
                " ORDER BY department, record_type, document, subject LIMIT ?", *last, _PAGE,
            ):  # fmt: skip
                judged = [(one := Decision(*row[:-1]), self._timing(one)) for row in rows]
                writer.executemany(_PUT, [(*one, timing) for one, timing in judged])
                tallies.update(_tally(one, timing) for one, timing in judged)
                last = judged[-1][0][:4]
            writer.executemany(_ADD_TALLY, [(*key, count) for key, count in tallies.items()])
            writer.execute("INSERT OR REPLACE INTO about VALUES ('judged_by', ?)", (judged_by,))


def _tally(one: Decision, timing: str) -> Tally:
    return one.department, one.record_type, one.published_on, timing
