"""The office at work: takes notices, acts on what is due, sends feedback; one loop, one book, for each department's program."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from consumers.reference import outbox, register
from consumers.reference.book import Obligation, State, transaction
from consumers.reference.obligations import Notice, Obligations, Taken
from consumers.reference.practice import Advice, Practice, advise
from exchange.clock import now_ms
from exchange.domain.calendar import day_of, to_date
from exchange.errors import RejectedError, RetryLaterError

log = logging.getLogger("creditbus.reference")
_IDLE_SECONDS = 0.5
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 0.5, 30.0

OnStep = Callable[[str], None]
"""Hears `received`, `durable`, `acted` and `sent`: where a process may die, for tests that make it die there."""


class Office:
    """One department's program. Everything runs in one event loop, so the book has one user; a commit takes it a few ms.

    Args:
        practice: whose office.
        database: its book, open.
        send_feedback: the way to the bus.
        delay_ms: how long after a notice its measures are acted on.
        on_step: for tests.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        practice: Practice,
        database: sqlite3.Connection,
        send_feedback: outbox.SendFeedback,
        *,
        delay_ms: int = 0,
        on_step: OnStep = lambda _step: None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self.practice = practice
        self.obligations = Obligations(database, practice.department, officer=practice.officer, delay_ms=delay_ms)
        self.on_step = on_step
        self.now = now
        self._database = database
        self._send_feedback = send_feedback
        self._to_act, self._to_tell = asyncio.Event(), asyncio.Event()
        self._backoff_seconds = 0.0

    def take(self, notice: Notice) -> Taken:
        """Store a notice; on return it is on disk, and the sender may be answered."""
        self.on_step("received")
        taken = self.obligations.take(notice, self.now())
        self.on_step("durable")
        self._to_act.set()
        self._to_tell.set()  # the acknowledgement
        return taken

    def advise(self, subjects: Iterable[str]) -> Advice:
        """Answer the counter's question from this department's own obligations."""
        return advise(self.practice, self.obligations, subjects)

    def state(self) -> dict[str, Any]:
        """What there is, counted: for /health."""
        return {
            "department": self.practice.department,
            "obligations": self.obligations.counts(),
            "feedback": outbox.counts(self._database),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Act and tell, until told to stop. What is left over is in the book for the next start.

        Two tasks, so that a bus that is slow or away holds up no act; ending one in the middle loses nothing.
        """
        works = [asyncio.create_task(self._keep_acting()), asyncio.create_task(self._keep_telling())]
        waits = [*works, asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        for work in works:
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _keep_acting(self) -> None:
        while True:
            self._to_act.clear()
            acted = self.act()
            if acted:
                self._to_tell.set()
            await _wait(self._to_act, 0 if acted else _IDLE_SECONDS)

    async def _keep_telling(self) -> None:
        while True:
            self._to_tell.clear()
            await self.tell()
            if self._backoff_seconds:
                await asyncio.sleep(self._backoff_seconds)
            else:
                await _wait(self._to_tell, _IDLE_SECONDS)

    def act(self) -> int:
        """Act on what is due, some at a time so that requests are answered between; how many obligations that were.

        Each is one transaction of the act, the obligation's state and the feedback. If it dies before the commit nothing was
        done, and it is done at the next start; if it dies after it, the feedback is in the outbox and goes from there.
        """
        due = self.obligations.due(self.now())
        for one in due:
            with transaction(self._database):
                if one.state is State.TO_END:
                    self._end(one)
                else:
                    self._execute(one)
            self.on_step("acted")
        return len(due)

    def _execute(self, obligation: Obligation) -> None:
        declined = self.practice.declines(obligation)
        if declined is not None:
            self.obligations.settle(obligation, declined.state)
            self._feed_back(obligation, declined.state.name, declined.reason)
            return
        number = register.record(self._database, obligation, to_date(day_of(self.now())))
        self.obligations.settle(obligation, State.EXECUTED)
        duty = self.practice.duties.get(obligation.measure)
        detail = f"已登记执行 recorded: {duty.name_zh if duty else obligation.measure}"
        self._feed_back(obligation, "EXECUTED", detail, evidence=self._evidence(number))

    def _end(self, obligation: Obligation) -> None:
        number = register.strike(self._database, obligation, to_date(day_of(self.now())))
        self.obligations.settle(obligation, State.ENDED)
        if obligation.lift is None:
            return  # the bus does not wait for this end: imposed anew meanwhile, or replaced
        detail = "已解除 struck out" if number else "未登记，无须解除 nothing was recorded"
        self._feed_back(obligation, "ENDED", detail, evidence=self._evidence(number) if number else "")

    def _evidence(self, number: int) -> str:
        return f"{self.practice.mark}〔{to_date(day_of(self.now())).year}〕{number}号"

    def _feed_back(self, obligation: Obligation, state: str, detail: str, *, evidence: str = "") -> None:
        outbox.add_feedback(
            self._database, self.practice.department, obligation, state,
            now_ms=self.now(), detail=detail, officer=self.practice.officer, evidence=evidence,
        )  # fmt: skip

    async def tell(self) -> None:
        """Send the feedback that waits. If it dies after sending and before marking, the same goes again and counts once."""
        while batch := outbox.waiting(self._database):
            try:
                await self._send(batch)
            except RetryLaterError as error:
                self._backoff_seconds = min(
                    max(2 * self._backoff_seconds, _FIRST_BACKOFF_SECONDS), _LONGEST_BACKOFF_SECONDS
                )
                log.warning("feedback_waits retry_seconds=%g error=%s", self._backoff_seconds, error.line())
                return
            self._backoff_seconds = 0.0

    async def _send(self, batch: list[outbox.Waiting]) -> None:
        try:
            await self._send_feedback([one.record for one in batch])
        except RejectedError as error:
            if len(batch) > 1:  # find the one that is refused, and let the others through
                for one in batch:
                    await self._send([one])
                return
            outbox.mark_refused(self._database, batch[0].number, str(error))
            log.error("feedback_refused document=%s error=%s", batch[0].record["document"], error.line())  # noqa: TRY400 # no trace: the reason is in the line
            return
        self.on_step("sent")
        with transaction(self._database):
            outbox.mark_sent(self._database, [one.number for one in batch], self.now())


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until something happens, or may be due."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
