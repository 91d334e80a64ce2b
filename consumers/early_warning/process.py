"""The process of early warning: one event loop with Faust in it, begun anew when Faust fails, ended in good order by SIGTERM."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from consumers.early_warning.ends import AskEnds
from consumers.early_warning.recounting import Recounting
from consumers.early_warning.report import EarlyWarningReport
from consumers.early_warning.work import Work
from consumers.standing.assignment import pauses
from consumers.standing.liveness import Liveness
from exchange.errors import CreditbusError, FatalError, RequestError, RetryLaterError

LOOK_EVERY = 2.0
"""Seconds between looks at what is over; each asks the broker about every partition."""
STOP_SECONDS = 20.0
"""Faust has so long to end; what it has not committed by then is delivered again."""
CANCEL_SECONDS = 5.0
"""What is still running then has so long to take its cancelling."""
STEADY_SECONDS = 60.0
"""Who ran so long before failing begins anew at once."""

log = logging.getLogger("creditbus.early_warning")


class EarlyWarningProcess:
    """Runs one worker.

    Args:
        prepare: makes topics where needed; may block.
        make: a new application with its work.
        ends: asks the broker.
        recounting: counts anew; None for not at all.
        report: metrics.
        liveness: progress, for health checks.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[], None],
        make: Callable[[Callable[[BaseException], None]], tuple[Any, Work]],
        ends: AskEnds,
        recounting: Recounting | None,
        report: EarlyWarningReport,
        liveness: Liveness,
    ) -> None:
        self._prepare = prepare
        self._make = make
        self._ends = ends
        self._recounting = recounting
        self._report = report
        self._liveness = liveness
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._committed = -1

    def stop(self) -> None:
        """End in good order; safe in a signal handler."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def run(self) -> None:
        """Work until stopped.

        Raises:
            FatalError: `early_warning_failed`: going on could count wrongly; nothing of the batch under way is committed.
        """
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._serve())
        finally:
            _close(loop)

    def failed(self, error: BaseException) -> None:
        """Something is wrong that waiting does not mend."""
        self._failure = self._failure or error
        self._stopping.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        waits = pauses()
        while not self._stopping.is_set():
            began_at = self._loop.time()
            try:
                await self._run_faust()
            except (RetryLaterError, OSError, ConnectionError) as error:
                self._raise_failure()
                if self._loop.time() - began_at > STEADY_SECONDS:
                    waits = pauses()
                pause = next(waits)
                self._report.restarting(error, pause)
                await self._sleep(pause)
        if self._recounting is not None:
            await self._recounting.stop()
        self._raise_failure()

    async def _run_faust(self) -> None:
        await asyncio.to_thread(self._prepare)
        application, work = self._make(self.failed)
        starting = asyncio.create_task(application.start())
        try:
            while not self._stopping.is_set():
                await self._sleep(LOOK_EVERY)
                if application.crashed:
                    raise _crash(application)
                if starting.done() and (error := starting.exception()):
                    raise RetryLaterError(f"Faust does not start: {error!r}", code="faust_failed") from error
                await self._unless_stopped(self._look(work))
        finally:
            await self._end(application, starting)

    async def _look(self, work: Work) -> None:
        try:
            ends = await asyncio.to_thread(self._ends.ask)
            waiting = self._report.waits(ends, work.partitions(), ready=work.is_ready())
            committed = sum(ends.committed.values())
            if committed != self._committed:
                self._committed = committed
                self._liveness.progress()
            self._liveness.lag(waiting)
            await work.look(ends)
            if self._recounting is not None and not waiting:
                self._recounting.look(work.closed_until())
        except RetryLaterError as error:
            self._report.waiting(error)
        except CreditbusError as error:
            raise FatalError(
                str(error), code="early_warning_failed", remedy="read the log, mend it, start again"
            ) from error

    async def _end(self, application: Any, starting: "asyncio.Task[Any]") -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await application.stop()
        except TimeoutError:
            log.warning("faust does not end within_seconds=%g", STOP_SECONDS)
        starting.cancel()
        ended, _ = await asyncio.wait({starting}, timeout=CANCEL_SECONDS)
        await asyncio.gather(*ended, return_exceptions=True)  # what it says then is of no interest

    async def _unless_stopped(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do something, and leave it where it stands when the process is to end: the next worker's look does the rest."""
        task, stopping = asyncio.create_task(doing), asyncio.create_task(self._stopping.wait())
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _raise_failure(self) -> None:
        error = self._failure
        if error is None:
            return
        if isinstance(error, FatalError | RequestError):
            raise error
        raise FatalError(
            f"early warning cannot count: {error!r}",
            code="early_warning_failed",
            remedy="nothing of the batch under way is committed; read the log, mend it, start again",
        ) from error


def _crash(application: Any) -> RetryLaterError:
    reason = application.crash_reason
    return RetryLaterError(f"Faust has failed: {reason!r}", code="faust_failed", remedy="it is begun anew")


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left; of Faust some waits for Kafka whatever it is told, so unlike `asyncio.run` this does not wait for all."""
    left = asyncio.all_tasks(loop)
    for one in left:
        one.cancel()
    _, hanging = loop.run_until_complete(asyncio.wait(left, timeout=CANCEL_SECONDS)) if left else (left, left)
    if hanging:
        log.warning("left as they hang tasks=%d", len(hanging))
        loop.set_exception_handler(lambda *_: None)  # nobody need be told of them again
    else:
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
