"""The archive as it is fed: batches are judged and made into columns at once; what was gathered is committed in a thread beside the loop.

One commit is under way at a time, in the order of the messages; if the disk is slower than Kafka, the loop waits for it.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from confluent_kafka import Consumer

from consumers.archive.folder import translating
from consumers.archive.intake import ArchiveIntake, Gathered
from consumers.archive.keeper import ArchiveKeeper
from consumers.archive.report import ArchiveReport
from consumers.archive.upkeep import Upkeep
from consumers.feeding.process import Places
from consumers.standing.consumed import Consumed
from exchange.archive_tables import INTAKE
from exchange.fed_folder import Offsets
from exchange.kafka_places import Place

BATCH = 5000
"""Messages whose columns are made together: few enough to be in the processor's caches still."""


class ArchiveFeed:
    """Feeds one archive.

    Args:
        keeper: of its folder.
        intake: messages to rows.
        report: metrics.
        progress: told of each commit, for health checks.
        commit_records, commit_seconds: a commit has so many messages, or is so old, at most.
        small_files: of a month, after which they are made into large ones.
        on_step: of the upkeep; fault tests end the process there.
    """

    def __init__(
        self,
        keeper: ArchiveKeeper,
        intake: ArchiveIntake,
        report: ArchiveReport,
        *,
        progress: Callable[[], None],
        commit_records: int,
        commit_seconds: float,
        small_files: int,
        on_step: Callable[[str], None],
    ) -> None:
        self._keeper = keeper
        self._intake = intake
        self._report = report
        self._progress = progress
        self._commit_records = commit_records
        self._commit_seconds = commit_seconds
        self._upkeep = Upkeep(keeper, small_files, on_step)
        self._gathered = Gathered()
        self._gathered_at = 0.0
        self._writer = ThreadPoolExecutor(1, "commit")
        self._committing: Future[None] | None = None

    def offsets(self, places: Iterable[Place]) -> Offsets:
        """See `Feed`."""
        with translating(self._keeper.folder):
            return {place: self._keeper.offset(place) for place in places}

    def take(self, messages: list[Consumed]) -> None:
        """Gather a batch."""
        if not self._gathered.offsets:
            self._gathered_at = time.monotonic()
        self._intake.take(messages, self._gathered)

    def turn(self) -> None:
        """Commit what is due; what is refused or says nothing counts too."""
        if self._committing is not None and self._committing.done():
            self._wait_committed()
        if not self._gathered.offsets:
            return
        is_old = time.monotonic() - self._gathered_at >= self._commit_seconds
        if is_old or self._gathered.messages >= self._commit_records:
            self._hand_over()

    def state(self, consumer: Consumer, places: Places) -> int:
        """See `Feed`."""
        unread = self._report.state(consumer, places, self._gathered, self._keeper.folder)
        return unread + (self._committing is not None)

    def finish(self) -> None:
        """Commit what is there."""
        self._hand_over()
        self._wait_committed()

    def close(self) -> None:
        """Leave the folder to another, once the commit under way has ended."""
        self._writer.shutdown()
        self._keeper.close()

    def _hand_over(self) -> None:
        self._wait_committed()
        if self._gathered.offsets:
            self._committing = self._writer.submit(self._commit, self._gathered)
            self._gathered = Gathered()

    def _wait_committed(self) -> None:
        """Until the commit under way is done; its error is raised here."""
        if self._committing is not None:
            self._committing.result()
            self._committing = None

    def _commit(self, gathered: Gathered) -> None:
        """In the writer's thread."""
        began_at = time.perf_counter()
        self._keeper.commit(gathered)
        self._progress()
        self._report.committed(gathered, time.perf_counter() - began_at)
        with translating(self._keeper.folder):
            self._report.compacted(self._upkeep.look([*gathered.pieces, INTAKE]))
