"""Lag: what lies on the topics and is not taken in, by the brokers' own word.

A consumer that has lost sight of a partition believes that it has read all of it (docs/faults.md), so the ends are asked of the
brokers, beside it. If it dies here: nothing is kept but what is shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka.admin import AdminClient

from consumers.dispatcher.intake import Place
from consumers.dispatcher.report import DispatcherReport
from consumers.standing.liveness import Standstill
from exchange.errors import CreditbusError
from exchange.kafka_places import ends

ANSWER_SECONDS = 5.0


class Lag:
    """Looks how far the ends of the topics are, and shows it.

    Args:
        new_admin: makes a client to ask with.
        topic_of: a department's topic of notices.
        report: metrics.
    """

    def __init__(
        self, new_admin: Callable[[], AdminClient], topic_of: Callable[[str], str], report: DispatcherReport
    ) -> None:
        self._new_admin = new_admin
        self._admin: AdminClient | None = None
        self._topic_of = topic_of
        self._report = report
        self._standstill = Standstill()

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Where each place ends; blocks.

        Raises:
            RetryLaterError: Kafka is away.
        """
        place_of = {(self._topic_of(department), number): (department, number) for department, number in places}
        self._admin = self._admin or self._new_admin()
        try:
            found = ends(self._admin, place_of, within_seconds=ANSWER_SECONDS)
        except CreditbusError:
            self._admin = None  # it may go on naming a leader that is gone
            raise
        return {place_of[where]: end for where, end in found.items()}

    def show(self, ends: Mapping[Place, int], taken: Mapping[Place, int]) -> None:
        """Show what is left of partitions, and for how long nothing of it was taken in.

        Args:
            ends: of places, asked before what was taken in was looked at.
            taken: the offset up to which each is read.
        """
        waiting: Counter[int] = Counter()
        moved: Counter[int] = Counter()
        for (department, number), offset in taken.items():
            waiting[number] += max(0, ends.get((department, number), 0) - offset)
            moved[number] += offset
        gone = self._standstill.known - waiting.keys()
        self._report.behind(sum(waiting.values()), self._standstill.note(waiting, moved), gone)
