"""Checks by file: a file of up to 10,000 subjects is checked piece by piece while its sender watches; any process shows how far it is."""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from consumers.portal.checks.answers import Answered, Wrong
from consumers.portal.checks.counter import CHUNK, Ask, Counter
from consumers.portal.checks.reading import Command, StandingReader
from consumers.portal.checks.sheet import Line
from exchange.clock import now_ms
from exchange.domain.access import Visitor
from exchange.errors import CreditbusError
from exchange.http.problems import RefusedError

LOST_MS = 30_000
"""A file that has not moved for so long has lost the process that worked at it."""
Shown = tuple[tuple[int, str], ...]
"""Of each row the line number, and the code as it may be shown again."""
log = logging.getLogger("creditbus.portal")


class Job(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How far a file is: `done` of `total` rows; `moved_at` in milliseconds since 1970-01-01 UTC. The check has the job's id."""

    id: str
    department: str
    matter: str
    name: str
    total: int
    done: int
    is_done: bool
    moved_at: int

    def is_lost(self, now: int) -> bool:
        """Whether the process that worked at it seems to be gone."""
        return not self.is_done and now - self.moved_at > LOST_MS


class Files:
    """Checks files.

    Args:
        counter: judges.
        reader: runs Redis commands.
        days: for which a file's answers are kept.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, counter: Counter, reader: StandingReader, days: int, *, now: Callable[[], int] = now_ms) -> None:
        self._counter = counter
        self._reader = reader
        self._days = days
        self._now = now
        self._going: set[asyncio.Task[None]] = set()

    async def begin(self, ask: Ask, name: str, lines: list[Line]) -> None:
        """Begin with a file; it goes on behind this call.

        Raises:
            RetryLaterError: Redis is away.
        """
        job = Job(
            id=ask.check_id, department=ask.visitor.department, matter=ask.question.matter, name=name[:200],
            total=len(lines), done=0, is_done=False, moved_at=self._now(),
        )  # fmt: skip
        shown = tuple((line.number, line.shown) for line in lines)
        await self._reader.run([*ask.log, self._keep("lines", job.id, shown), self._keep("job", job.id, job)])
        task = asyncio.get_running_loop().create_task(self._work(ask, job))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def find(self, check_id: str, visitor: Visitor) -> Job:
        """How far a file of the visitor's department is.

        Raises:
            RefusedError: 404 `unknown_check`.
            RetryLaterError: Redis is away.
        """
        (raw,) = await self._reader.run([("GET", _key("job", check_id))])
        job = msgspec.msgpack.decode(raw, type=Job) if raw else None
        if job is None or job.department != visitor.department:
            raise RefusedError(
                404,
                f"没有此核查 no check {check_id[:64]!r}",
                code="unknown_check",
                remedy="请重新上传 send the file again",
            )
        return job

    async def lines(self, check_id: str) -> Shown:
        """The rows of a file, as they may be shown again."""
        (raw,) = await self._reader.run([("GET", _key("lines", check_id))])
        return msgspec.msgpack.decode(raw, type=Shown) if raw else ()

    async def _work(self, ask: Ask, job: Job) -> None:
        """Piece by piece. If it dies, or Redis does, the job moves no more, and its page says that the file must be sent again."""
        results: list[Answered | Wrong] = []
        about: tuple[str, ...] = ()
        try:
            for begin in range(0, job.total, CHUNK):
                judged = await self._counter.judge(
                    job.matter, ask.question.subjects[begin : begin + CHUNK], ask.show,
                    [self._keep("job", job.id, self._moved(job, len(results)))],
                )  # fmt: skip
                results += judged.results
                about += judged.about
            await self._counter.finish(ask, results, about)
            await self._reader.run([self._keep("job", job.id, self._moved(job, job.total, is_done=True))])
        except CreditbusError as error:
            log.error("file failed check=%s code=%s", job.id, error.code)  # noqa: TRY400 # a server was away: no trace helps

    def _moved(self, job: Job, done: int, *, is_done: bool = False) -> Job:
        return msgspec.structs.replace(job, done=done, is_done=is_done, moved_at=self._now())

    def _keep(self, what: str, check_id: str, value: Job | Shown) -> Command:
        return ("SET", _key(what, check_id), msgspec.msgpack.encode(value), "EX", self._days * 86_400)


def _key(what: str, check_id: str) -> str:
    return f"{{check}}:{what}:{check_id}"
