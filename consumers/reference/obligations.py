"""Obligations by sequence: what a department owes now, whatever order notices come in and however often.

A notice holds every measure in force, so the newest replaces all that was known of its subject; an older or repeated one is
counted and changes nothing. What is new is acknowledged in the same transaction.
"""

import json
import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from consumers.reference.book import Obligation, Sequence, State, transaction
from consumers.reference.outbox import add_feedback, document_of, send_again
from exchange.json_form import to_json

Notice = Mapping[str, Any]
"""The fields of schemas/records/notice.avsc."""


class Taken(StrEnum):
    """What became of a notice."""

    NEW = "new"
    REPEATED = "repeated"
    STALE = "stale"


class Obligations:
    """A department's obligations in its book.

    Args:
        database: see `book.open_book`.
        department: slug of whose they are.
        officer: post that answers for them.
        delay_ms: how long after a notice its measures are acted on.
    """

    def __init__(self, database: sqlite3.Connection, department: str, *, officer: str, delay_ms: int = 0) -> None:
        self._database = database
        self._department = department
        self._officer = officer
        self._delay_ms = delay_ms

    def take(self, notice: Notice, now_ms: int) -> Taken:
        """Make the book what a notice says, when it is newer than all before; durable on return.

        If it dies before the commit, the book is as before and the notice, unanswered, comes again. If it dies after it, the
        notice comes again too, and is a repetition.
        """
        with transaction(self._database):
            taken = self._judge(notice)
            if taken is Taken.NEW:
                self._replace(notice, now_ms)
            self._database.execute(
                "INSERT INTO notices VALUES (?, 1) ON CONFLICT (outcome) DO UPDATE SET count = count + 1", (taken,)
            )
        return taken

    def _judge(self, notice: Notice) -> Taken:
        row = self._database.execute("SELECT epoch, n FROM subjects WHERE subject = ?", (notice["subject"],)).fetchone()
        at = Sequence(notice["epoch"], notice["n"])
        if row is None or tuple(row) < at:
            return Taken.NEW
        return Taken.REPEATED if tuple(row) == at else Taken.STALE

    def _replace(self, notice: Notice, now_ms: int) -> None:
        subject = notice["subject"]
        self._database.execute(
            "INSERT OR REPLACE INTO subjects VALUES (?, ?, ?, ?, ?)",
            (subject, notice["subject_name"], notice["epoch"], notice["n"], notice["id"]),
        )
        in_force = {(one["measure"], one["since_epoch"], one["since_n"]) for one in notice["measures"]}
        for one in self.of(subject):
            gone = (one.measure, *one.since) not in in_force
            if gone and one.state not in (State.TO_END, State.ENDED):
                self._database.execute(
                    "UPDATE obligations SET state = 'to_end', due_at_ms = ? WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?)",
                    (now_ms, *one.key),
                )
        for measure in notice["measures"]:
            self._impose(notice, measure, now_ms)
        for measure in notice["lifted"]:
            self._lift(notice, measure, now_ms)
        for overdue in notice["overdue"]:
            if overdue["department"] == self._department:
                self._answer_again(subject, overdue["measure"])

    def _impose(self, notice: Notice, measure: Notice, now_ms: int) -> None:
        """A measure in force: what supports it may have changed; a new one is to be acted on, and acknowledged."""
        key = (notice["subject"], measure["measure"], measure["since_epoch"], measure["since_n"])
        support = (
            notice["subject_name"], measure["basis"], json.dumps(to_json(measure["listings"]), ensure_ascii=False),
            to_json(measure["respond_by"]),
        )  # fmt: skip
        known = self.find(*key)
        if known is not None and known.state not in (State.TO_END, State.ENDED):
            self._database.execute(
                "UPDATE obligations SET name = ?, basis = ?, listings = ?, respond_by = ?"
                " WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?)",
                (*support, *key),
            )
            return
        self._write(key, support, State.TO_DO, notice, now_ms + self._delay_ms)
        obligation = self.find(*key)
        assert obligation is not None, "just written"  # noqa: S101 # for the type checker
        add_feedback(
            self._database, self._department, obligation, "ACKNOWLEDGED",
            now_ms=now_ms, detail="已签收 received", officer=self._officer,
        )  # fmt: skip

    def _lift(self, notice: Notice, lifted: Notice, now_ms: int) -> None:
        """A lift that awaits its confirmation; one that is known already is only said again."""
        subject, measure = notice["subject"], lifted["measure"]
        lift = Sequence(lifted["since_epoch"], lifted["since_n"])
        same = [one for one in self.of(subject) if one.measure == measure]
        if any(one.lift == lift for one in same):
            return
        open_ones = [one for one in same if one.lift is None and one.since <= lift]
        if not open_ones:  # imposed and lifted before this department was told anything: confirm all the same
            key = (subject, measure, *lift)
            self._write(key, (notice["subject_name"], "", "[]", None), State.TO_END, notice, now_ms)
        else:
            key = open_ones[-1].key
        self._database.execute(
            "UPDATE obligations SET state = 'to_end', due_at_ms = ?, lift_epoch = ?, lift_n = ?, notice_id = ?, notice_epoch = ?,"
            " notice_n = ? WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?)",
            (now_ms, *lift, notice["id"], notice["epoch"], notice["n"], *key),
        )

    def _write(
        self, key: tuple[str, str, int, int], support: tuple[Any, ...], state: State, notice: Notice, due_at_ms: int
    ) -> None:
        self._database.execute(
            "INSERT INTO obligations (subject, measure, since_epoch, since_n, name, basis, listings, respond_by, state, due_at_ms,"
            " notice_id, notice_epoch, notice_n) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (subject, measure, since_epoch, since_n) DO UPDATE SET name = excluded.name, basis = excluded.basis,"
            " listings = excluded.listings, respond_by = excluded.respond_by, state = excluded.state, due_at_ms = excluded.due_at_ms,"
            " notice_id = excluded.notice_id, notice_epoch = excluded.notice_epoch, notice_n = excluded.notice_n,"
            " lift_epoch = NULL, lift_n = NULL",
            (*key, *support, state, due_at_ms, notice["id"], notice["epoch"], notice["n"]),
        )

    def _answer_again(self, subject: str, measure: str) -> None:
        for one in self.of(subject):
            if one.measure == measure:
                send_again(self._database, document_of(self._department, one))

    def settle(self, obligation: Obligation, state: State) -> None:
        """Note what became of an obligation; within the transaction of the act."""
        self._database.execute(
            "UPDATE obligations SET state = ? WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?)",
            (state, *obligation.key),
        )

    def find(self, subject: str, measure: str, since_epoch: int, since_n: int) -> Obligation | None:
        """One obligation."""
        row = self._database.execute(
            "SELECT * FROM obligations WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?)",
            (subject, measure, since_epoch, since_n),
        ).fetchone()
        return None if row is None else Obligation.from_row(row)

    def of(self, subject: str) -> list[Obligation]:
        """All obligations of a subject, ended ones too, by sequence."""
        rows = self._database.execute(
            "SELECT * FROM obligations WHERE subject = ? ORDER BY since_epoch, since_n, measure", (subject,)
        )
        return [Obligation.from_row(row) for row in rows]

    def in_force(self, subject: str) -> list[Obligation]:
        """What holds against or for a subject now, and was not declined."""
        return [one for one in self.of(subject) if one.state in (State.TO_DO, State.EXECUTED)]

    def newest(self, limit: int = 200) -> list[Obligation]:
        """The obligations that came last."""
        rows = self._database.execute("SELECT * FROM obligations ORDER BY number DESC LIMIT ?", (limit,))
        return [Obligation.from_row(row) for row in rows]

    def due(self, now_ms: int, limit: int = 50) -> list[Obligation]:
        """What is to be acted on now, the oldest first; ends before beginnings of the same moment."""
        rows = self._database.execute(
            "SELECT * FROM obligations WHERE state IN ('to_do', 'to_end') AND due_at_ms <= ?"
            " ORDER BY due_at_ms, since_epoch, since_n LIMIT ?",
            (now_ms, limit),
        )
        return [Obligation.from_row(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Obligations by state, and notices by what became of them."""
        states = self._database.execute("SELECT state, count(*) FROM obligations GROUP BY state")
        notices = self._database.execute("SELECT 'notices_' || outcome, count FROM notices")
        return dict(tuple(row) for row in (*states, *notices))
