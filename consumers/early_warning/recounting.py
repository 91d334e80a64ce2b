"""Recounting: when a day is over, one worker has everything counted anew, and shows how its windows differ."""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping

import msgspec

from consumers.early_warning.recount import Difference
from consumers.early_warning.report import EarlyWarningReport

PROGRAM = ("-m", "consumers.early_warning.reconcile")
AGAIN_SECONDS = 60.0

log = logging.getLogger("creditbus.early_warning")


class Recounting:
    """Runs recounts, one at a time.

    Args:
        environment: of the program: the servers of this bus.
        report: metrics.
    """

    def __init__(self, environment: Mapping[str, str], report: EarlyWarningReport) -> None:
        self._environment = environment
        self._report = report
        self._task: asyncio.Task[None] | None = None
        self._recounted_until = 0

    def look(self, closed_until: int) -> None:
        """Begin a recount when windows are over that were not at the last one.

        Args:
            closed_until: windows that end by then are over and published, milliseconds since 1970-01-01 UTC; 0 for none.
        """
        if closed_until > self._recounted_until and (self._task is None or self._task.done()):
            self._recounted_until = closed_until
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the recount under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        found = await self._recount()
        if (
            found is not None and found.total
        ):  # a record may have come late while it was counted: ask again before anybody is told
            await asyncio.sleep(AGAIN_SECONDS)
            found = await self._recount()
        if found is not None:
            self._report.recounted(found)

    async def _recount(self) -> Difference | None:
        program = await asyncio.create_subprocess_exec(
            sys.executable, *PROGRAM, env=os.environ | self._environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            said, _ = await program.communicate()
        except asyncio.CancelledError:
            program.kill()
            await program.wait()
            raise
        if program.returncode:
            log.warning("no recount code=%s", program.returncode)
            return None
        return msgspec.json.decode(said, type=Difference)
