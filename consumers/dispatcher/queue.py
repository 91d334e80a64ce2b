"""One endpoint's queue: the newest notice of each subject, when it is due, and what it has superseded. Pure.

At most one message of a subject is under way. A newer notice replaces one that waits and keeps its history; a sequence that is
not newer than what is known is stale.
"""

import heapq
from itertools import count

import msgspec

KEPT = 100
"""Superseded notices that a message names, the newest; of older ones it says only how many."""
LOOKED_AT = 100
Sequence = tuple[int, int]
"""Epoch and number."""


class Skipped(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A notice that a newer one has replaced before it was delivered. Changes are (measure, action) pairs."""

    notice: str
    epoch: int
    n: int
    issued_at: int
    changes: tuple[tuple[str, str], ...]

    @property
    def sequence(self) -> Sequence:
        """Where it stands among the subject's notices."""
        return self.epoch, self.n


class Pointer(msgspec.Struct, array_like=True, kw_only=True):
    """A notice that waits for delivery: where it lies in Kafka, and how it stands. Times in milliseconds.

    Attributes:
        attempts: that have failed.
        next_at: before which it is not tried.
        skipped: what it supersedes, oldest first; the newest hundred of `skipped_count`.
    """

    partition: int
    subject: str
    epoch: int
    n: int
    notice: str
    offset: int
    issued_at: int
    changes: tuple[tuple[str, str], ...] = ()
    urgent: bool = False
    attempts: int = 0
    next_at: int = 0
    skipped: tuple[Skipped, ...] = ()
    skipped_count: int = 0

    @property
    def sequence(self) -> Sequence:
        """Where it stands among the subject's notices."""
        return self.epoch, self.n

    @property
    def waits_since(self) -> int:
        """When the oldest notice that it stands for was issued."""
        return self.skipped[0].issued_at if self.skipped else self.issued_at

    def supersede(self, older: "Pointer") -> None:
        """Take over the history of a notice that is not delivered yet."""
        self.urgent = self.urgent or older.urgent
        itself = Skipped(older.notice, older.epoch, older.n, older.issued_at, older.changes)
        self.skipped = (*older.skipped, itself)[-KEPT:]
        self.skipped_count = older.skipped_count + 1

    def forget_until(self, delivered: Sequence) -> None:
        """Leave out of the history what has been delivered after all."""
        self.skipped = tuple(one for one in self.skipped if one.sequence > delivered)
        self.skipped_count = len(self.skipped)


class Queue:
    """What waits for one endpoint, of all partitions owned."""

    def __init__(self) -> None:
        self.waiting: dict[str, Pointer] = {}
        self.under_way: dict[str, Pointer] = {}
        self.collapsed = 0
        self._unsettled: dict[str, Pointer] = {}
        self._due: dict[int, list[tuple[int, int, str]]] = {}
        self._held: set[int] = set()
        self._numbers = count()

    def offer(self, new: Pointer, *, delivered: Sequence | None = None, again: bool = False) -> bool:
        """Take in a notice.

        Args:
            new: the notice, without history.
            delivered: the newest sequence of its subject known to be delivered.
            again: deliver it also when exactly it has been delivered before (recovery).

        Returns:
            Whether it is news, and so to be kept; a stale or known one is not.
        """
        unsettled = self._unsettled.get(new.subject)
        for known in (delivered, unsettled.sequence if unsettled is not None else None):
            if known is not None and (new.sequence < known or (new.sequence == known and not again)):
                return False
        flying = self.under_way.get(new.subject)
        older = self.waiting.get(new.subject) or flying
        if any(one is not None and one.sequence >= new.sequence for one in (older, flying)):
            return False
        if older is not None:
            new.supersede(older)
            self.collapsed += 1
        self._wait(new)
        return True

    def load(self, pointer: Pointer) -> None:
        """Take back a notice that was waiting in Redis."""
        self._wait(pointer)

    def take(self, now: int) -> Pointer | None:
        """The notice that has been due longest, now under way; None when none is."""
        best = self._first()
        if best is None or best[0] > now:
            return None
        _, _, subject, partition = best
        heapq.heappop(self._due[partition])
        pointer = self.waiting.pop(subject)
        self.under_way[subject] = pointer
        return pointer

    def next_at(self) -> int | None:
        """When the next notice is due, milliseconds; None when nothing waits."""
        best = self._first()
        return None if best is None else best[0]

    def succeeded(self, pointer: Pointer) -> Pointer | None:
        """A notice was delivered: what waits of its subject now, and is to be kept in its stead; None for nothing."""
        self._land(pointer)
        self._unsettled[pointer.subject] = pointer
        newer = self.waiting.get(pointer.subject)
        if newer is not None:
            newer.forget_until(pointer.sequence)
        return newer

    def failed(self, pointer: Pointer, *, next_at: int, attempts: int) -> Pointer | None:
        """An attempt failed: the notice to keep, or None when a newer one waits already, with this one in its history."""
        self._land(pointer)
        if pointer.subject in self.waiting:
            return None
        pointer.next_at, pointer.attempts = next_at, attempts
        self._wait(pointer)
        return pointer

    def settled(self, pointer: Pointer) -> None:
        """A delivery is written down."""
        if self._unsettled.get(pointer.subject) is pointer:
            del self._unsettled[pointer.subject]

    def discard(self, pointer: Pointer) -> Pointer | None:
        """A notice is no longer there: what waits of its subject now."""
        self._land(pointer)
        return self.waiting.get(pointer.subject)

    def make_due(self, now: int) -> None:
        """Everything that waits for its next attempt may be tried at once (an operator has resumed the endpoint)."""
        for pointer in list(self.waiting.values()):
            if pointer.next_at > now:
                pointer.next_at = now
                self._wait(pointer)

    def upcoming(self, partition: int, limit: int) -> list[Pointer]:
        """About the next notices of a partition that will be due."""
        entries = self._due.get(partition, [])[:limit]
        return [self.waiting[subject] for _, _, subject in entries if subject in self.waiting]

    def oldest(self) -> int | None:
        """About when the oldest notice that waits was issued; None when nothing does.

        Looks at the first few entries of each partition: those that have waited longest are tried first, or have failed.
        """
        ages = [one.waits_since for number in self._due for one in self.upcoming(number, LOOKED_AT)]
        ages += [one.waits_since for one in self.under_way.values()]
        return min(ages, default=None)

    def hold(self, partition: int) -> None:
        """Take nothing of a partition for now: it is not read to its end."""
        self._held.add(partition)

    def release(self, partition: int) -> None:
        """A partition is read to its end."""
        self._held.discard(partition)

    def drop(self, partition: int) -> None:
        """Forget what belongs to a partition: another process has it, or it is loaded anew."""
        for pointers in (self.waiting, self.under_way, self._unsettled):
            for subject in [one.subject for one in pointers.values() if one.partition == partition]:
                del pointers[subject]
        self._due.pop(partition, None)
        self._held.discard(partition)

    def _wait(self, pointer: Pointer) -> None:
        self.waiting[pointer.subject] = pointer
        if pointer.subject not in self.under_way:
            self._push(pointer)

    def _push(self, pointer: Pointer) -> None:
        due = self._due.setdefault(pointer.partition, [])
        heapq.heappush(due, (pointer.next_at, next(self._numbers), pointer.subject))

    def _land(self, pointer: Pointer) -> None:
        if self.under_way.get(pointer.subject) is pointer:
            del self.under_way[pointer.subject]
            newer = self.waiting.get(pointer.subject)
            if newer is not None:
                self._push(newer)

    def _first(self) -> tuple[int, int, str, int] | None:
        """The first entry that is still true: time, number, subject, partition."""
        best: tuple[int, int, str, int] | None = None
        for partition, due in self._due.items():
            if partition in self._held:
                continue
            while due and not self._is_true(due[0]):
                heapq.heappop(due)
            if due and (best is None or due[0] < best[:3]):
                best = (*due[0], partition)
        return best

    def _is_true(self, entry: tuple[int, int, str]) -> bool:
        pointer = self.waiting.get(entry[2])
        return pointer is not None and pointer.next_at == entry[0] and entry[2] not in self.under_way
