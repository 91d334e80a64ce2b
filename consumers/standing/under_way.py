"""Commits under way: sent to Redis and not answered yet, so that the loop can fold and decode meanwhile (step 1).

If it dies here, nobody knows which of them went through: the next owner finds out from Redis' cursor.
"""

from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from consumers.standing.report import BatchClock
from consumers.standing.work import Work
from exchange.errors import FencedError
from exchange.standing_store import Answer, Commit, StandingStore


class Sent(NamedTuple):
    """Part of a batch that Redis is committing, and whose partitions it is about."""

    numbers: AbstractSet[int]
    batch: list[Work]
    commits: list[Commit]
    answer: Answer
    clock: BatchClock


class CommitsUnderWay:
    """A queue of commits; a partition is never in it twice, as its next commit needs the answer to the last.

    Args:
        store: where they are sent.
        on_answer: told what was sent and, for each commit, None or that it was FENCED.
        on_step: told "commit" before one is sent, "sent" after, and "committed" when it is answered.
    """

    def __init__(
        self,
        store: StandingStore,
        on_answer: Callable[[Sent, list[FencedError | None]], None],
        on_step: Callable[[str], None],
    ) -> None:
        self._store = store
        self._on_answer = on_answer
        self._on_step = on_step
        self._sent: deque[Sent] = deque()

    def __bool__(self) -> bool:
        return bool(self._sent)

    def send(self, batch: list[Work], commits: list[Commit], clock: BatchClock) -> None:
        """Commit a part of a batch; its answer is not waited for."""
        self._on_step("commit")
        answer = self._store.begin_commit(commits)
        numbers = frozenset(work.partition.number for work in batch)
        self._sent.append(Sent(numbers, batch, commits, answer, clock))
        clock.stage("send")
        self._on_step("sent")

    def settle(self, numbers: AbstractSet[int] | None = None) -> None:
        """Take the answers for some partitions (and what was sent before them), or for all.

        Raises:
            RetryLaterError: Redis gave no answer, so nobody here knows whether a commit went through.
        """
        while any(numbers is None or numbers & sent.numbers for sent in self._sent):
            sent = self._sent.popleft()
            sent.clock.restart()
            answers = sent.answer()
            self._on_step("committed")
            sent.clock.stage("commit")
            self._on_answer(sent, answers)
