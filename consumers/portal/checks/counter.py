"""The counter: answers questions from Redis alone. Those that come at the same time share one round trip.

A question goes: load (standings, first use of its Idempotency-Key, the line of the access log, in one round trip) → judge →
keep (the answer, for repetition and for the decision) → answer. If it dies before keep nobody has seen an answer.
"""

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

import msgspec

from consumers.portal.checks.answers import Answered, Checker, Fault, Show, Wrong
from consumers.portal.checks.keeping import Kept, Once, get, keep, keep_once, once_key, pack, read_kept, read_once
from consumers.portal.checks.question import Question, digest_of
from consumers.portal.checks.reading import Command, StandingReader
from consumers.portal.checks.words import Names
from consumers.portal.parts import Books
from exchange.clock import now_ms
from exchange.domain.access import Visitor
from exchange.errors import RejectedError
from exchange.http.problems import RefusedError

CHUNK = 250
"""Subjects judged before others get their turn: some milliseconds."""
_ROUND = 64
"""Questions about one subject that share a round trip, at most."""
_ID_BYTES = 12


class Ask(NamedTuple):
    """A question by somebody.

    check_id: of the answer, unless the key was used before. key: his Idempotency-Key; empty where he gives none. show: how he knows
    a subject. log: commands that write down that he asked; they go with the load.
    """

    check_id: str
    question: Question
    visitor: Visitor
    show: Show
    key: str = ""
    log: Sequence[Command] = ()


class Judged(NamedTuple):
    """Answers in the order of the question, whose standings they are about ("" where the subject was wrong), and what else was answered."""

    results: list[Answered | Wrong]
    about: tuple[str, ...]
    beside: list[Any]


class _Waiting(NamedTuple):
    ask: Ask
    done: "asyncio.Future[Kept]"


class Counter:
    """Answers questions.

    Args:
        reader: of standings.
        books: of the policy.
        names: of lists, departments, matters.
        days: for which answers are kept.
    """

    def __init__(self, reader: StandingReader, books: Books, names: Names, days: int) -> None:
        self._reader = reader
        self._books = books
        self._names = names
        self._days = days
        self._checker = Checker(books.today(), names)
        self._waiting: list[_Waiting] = []
        self._going: set[asyncio.Task[None]] = set()
        self._gathering = False

    async def ask(self, ask: Ask) -> Kept:
        """The answer to a question; the first one again where its key was used before.

        Raises:
            RejectedError: the one subject that is asked about is wrong.
            RefusedError: 422 `idempotency_key_reused`.
            RetryLaterError: Redis is away.
        """
        if ask.question.is_batch:
            return await self._ask_many(ask)
        (subject,) = ask.question.subjects
        if isinstance(subject, Fault):
            raise RejectedError((subject.as_reason(),))
        done: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(ask, done))
        if not self._gathering:
            self._gathering = True
            self._start(self._gather())
        return await done

    async def find(self, check_id: str, visitor: Visitor) -> Kept:
        """A check that the visitor's department has asked for.

        Raises:
            RefusedError: 404 `unknown_check`.
            RetryLaterError: Redis is away.
        """
        (raw,) = await self._reader.run([get(check_id)])
        kept = read_kept(raw)
        if kept is None or kept.department != visitor.department:
            raise RefusedError(
                404, f"没有此核查 no check {check_id[:64]!r}", code="unknown_check",
                remedy=f"核查保留 {self._days} 天，请重新核查 checks are kept for {self._days} days: ask again",
            )  # fmt: skip
        return kept

    def checker(self) -> Checker:
        """Answers by the rule book of today."""
        book = self._books.today()
        if self._checker.book is not book:
            self._checker = Checker(book, self._names)
        return self._checker

    async def judge(
        self, matter: str, subjects: Sequence[str | Fault], show: Show, beside: Sequence[Command] = ()
    ) -> Judged:
        """Answers about some subjects, in their order.

        Args:
            matter: a code of the policy.
            subjects: valid subject ids, or what is wrong with them.
            show: how the visitor knows a subject.
            beside: commands that go in the same round trip.

        Raises:
            RetryLaterError: Redis is away.
        """
        found, beside_answers = await self._reader.read([one for one in subjects if isinstance(one, str)], beside)
        checker = self.checker()
        results = [
            Wrong(error=one) if isinstance(one, Fault) else checker.answer(found[one], matter, show) for one in subjects
        ]
        about = tuple(found[one].subject if isinstance(one, str) else "" for one in subjects)
        return Judged(results, about, beside_answers)

    async def finish(self, ask: Ask, results: list[Answered | Wrong], about: tuple[str, ...]) -> Kept:
        """Keep the answer to a question about many, and give it; the first one where its key was used meanwhile.

        Raises:
            RefusedError: 422 `idempotency_key_reused`.
            RetryLaterError: Redis is away.
        """
        body = msgspec.json.encode(self.checker().batch(ask.check_id, ask.question.matter, results))
        packed, is_packed = await asyncio.to_thread(pack, body)
        kept = _kept(ask, about, packed, packed=is_packed)
        (once,) = await self._keep([(ask, kept)])
        return kept if once is None else await self._repeat(ask, once)

    async def _ask_many(self, ask: Ask) -> Kept:
        if ask.key:
            (raw,) = await self._reader.run([("GET", once_key(ask.visitor, ask.key))])
            if (once := read_once(raw)) is not None:
                return await self._repeat(ask, once)
        results: list[Answered | Wrong] = []
        about: tuple[str, ...] = ()
        subjects, log = ask.question.subjects, ask.log
        for begin in range(0, len(subjects), CHUNK):
            judged = await self.judge(ask.question.matter, subjects[begin : begin + CHUNK], ask.show, log)
            results += judged.results
            about += judged.about
            log = ()
        return await self.finish(ask, results, about)

    async def _gather(self) -> None:
        """Answer what waits, round by round; whoever asks meanwhile joins the next."""
        await asyncio.sleep(0)
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:_ROUND], self._waiting[_ROUND:]
                try:
                    await self._answer(together)
                except Exception as error:  # noqa: BLE001 # each of them is told
                    _tell(together, error)
        finally:
            self._gathering = False

    async def _answer(self, together: list[_Waiting]) -> None:
        keys = [once_key(one.ask.visitor, one.ask.key) for one in together if one.ask.key]
        commands: list[Command] = [("MGET", *keys)] if keys else []
        commands += [command for one in together for command in one.ask.log]
        subjects = [str(one.ask.question.subjects[0]) for one in together]
        found, answers = await self._reader.read(list(dict.fromkeys(subjects)), commands)
        firsts = iter(answers[0] if keys else ())
        checker, fresh = self.checker(), []
        for one, subject in zip(together, subjects, strict=True):
            once = read_once(next(firsts)) if one.ask.key else None
            if once is not None:
                self._start(self._settle(one, once))
                continue
            located, matter = found[subject], one.ask.question.matter
            answered = checker.answer(located, matter, one.ask.show)
            body = msgspec.json.encode(checker.single(one.ask.check_id, matter, answered))
            fresh.append((one, _kept(one.ask, (located.subject,), body)))
        if fresh:
            self._start(self._finish(fresh))

    async def _finish(self, fresh: list[tuple[_Waiting, Kept]]) -> None:
        """Keep answers, then give them; the next round is under way meanwhile."""
        together = [one for one, _ in fresh]
        try:
            firsts = await self._keep([(one.ask, kept) for one, kept in fresh])
        except Exception as error:  # noqa: BLE001 # each of them is told
            _tell(together, error)
            return
        for (one, kept), once in zip(fresh, firsts, strict=True):
            if once is not None:
                self._start(self._settle(one, once))
            elif not one.done.done():
                one.done.set_result(kept)

    async def _keep(self, answered: list[tuple[Ask, Kept]]) -> list[Once | None]:
        """Keep answers; for each what its key had been used for before, if it had."""
        commands: list[Command] = []
        for ask, kept in answered:
            commands.append(keep(kept, self._days))
            if ask.key:
                once = Once(digest_of(ask.question), kept.id)
                commands.append(keep_once(once_key(ask.visitor, ask.key), once))
        raw = iter(await self._reader.run(commands))
        firsts = []
        for ask, _ in answered:
            next(raw)
            firsts.append(read_once(next(raw)) if ask.key else None)
        return firsts

    async def _settle(self, one: _Waiting, once: Once) -> None:
        try:
            kept = await self._repeat(one.ask, once)
        except Exception as error:  # noqa: BLE001 # he is told
            _tell([one], error)
        else:
            if not one.done.done():
                one.done.set_result(kept)

    async def _repeat(self, ask: Ask, once: Once) -> Kept:
        """The first answer to a key that comes again."""
        if once.digest != digest_of(ask.question):
            raise RefusedError(
                422, "此幂等键已用于另一问题 the Idempotency-Key was used for another question", code="idempotency_key_reused",
                remedy="give each question a key of its own",
            )  # fmt: skip
        return await self.find(once.check_id, ask.visitor)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._going.add(task)
        task.add_done_callback(self._going.discard)


def _tell(together: list[_Waiting], error: Exception) -> None:
    for one in together:
        if not one.done.done():
            one.done.set_exception(error)


def new_id() -> str:
    """A name for a check."""
    return secrets.token_hex(_ID_BYTES)


def _kept(ask: Ask, about: tuple[str, ...], body: bytes, *, packed: bool = False) -> Kept:
    visitor = ask.visitor
    return Kept(
        id=ask.check_id, department=visitor.department, account=visitor.account, asked_at=now_ms(), matter=ask.question.matter,
        subjects=about, body=body, packed=packed,
    )  # fmt: skip
