"""Probes: small records about a subject in each partition, sent all the time, whose notices say how long the bus was away.

Each enters its subject on the list of abnormal operations by a new document and removes the one before, so that the newest document of
a notice says which probes have come through. One eye looks at the department that reads Kafka, one at a department that is pushed to.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from exchange.domain.synthetic import synthetic_uscc
from exchange.partitioner import partition_of

Send = Callable[[str, str, dict[str, Any]], None]
"""Takes department, record type and record."""
READER, DESK = "gd.dnr", "gd.fin"
"""Whose notices the probes cause: a department that reads Kafka, and one that has an endpoint."""
MARK = "探测"
EVERY_SECONDS = 0.4
FIRST = 90_000
"""Synthetic firms from this number on are the probes'."""


class Eye:
    """Where probes come through: which are still on their way, and how long the others took."""

    def __init__(self) -> None:
        self.on_the_way: dict[int, deque[tuple[int, float]]] = defaultdict(deque)
        self.through: dict[int, deque[tuple[float, float]]] = defaultdict(deque)


class Probes:
    """Sends probes in a thread until stopped.

    Args:
        partitions: of the bus.
        send: publishes a record.
    """

    def __init__(self, partitions: int, send: Send) -> None:
        self.subjects = _one_in_each(partitions)
        self._send = send
        self._numbers = dict.fromkeys(self.subjects, 0)
        self._lock = threading.Lock()
        self._eyes = {READER: Eye(), DESK: Eye()}
        self._over = threading.Event()
        self._resting = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def rest(self, *, resting: bool) -> None:
        """Send nothing for a while, or go on."""
        (self._resting.set if resting else self._resting.clear)()

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            for partition in self.subjects:
                if not self._resting.is_set():
                    self._probe(partition)

    def _probe(self, partition: int) -> None:
        number = self._numbers[partition] = self._numbers[partition] + 1
        with self._lock:
            for eye in self._eyes.values():
                eye.on_the_way[partition].append((number, time.monotonic()))
        self._send("gd.amr", "abnormal_entry", self._entry(partition, number, revision=1, state="ENTERED"))
        if number > 1:
            self._send("gd.amr", "abnormal_entry", self._entry(partition, number - 1, revision=2, state="REMOVED"))

    def _entry(self, partition: int, number: int, *, revision: int, state: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "subject": self.subjects[partition], "department": "gd.amr", "document": f"{MARK}-{partition}-{number}",
            "revision": revision, "decided_on": now.date(), "published_at": now, "grounds": "1", "state": state,
            "removed_on": None if state == "ENTERED" else now.date(),
        }  # fmt: skip

    def see(self, department: str, documents: Iterable[str]) -> None:
        """A notice to a department rests on these documents."""
        eye = self._eyes.get(department)
        found = [one.split("-")[1:] for one in documents if one.startswith(MARK)]
        if eye is None or not found:
            return
        partition, newest = int(found[0][0]), max(int(number) for _, number in found)
        with self._lock:
            waiting = eye.on_the_way[partition]
            while waiting and waiting[0][0] <= newest:
                eye.through[partition].append((waiting.popleft()[1], time.monotonic()))

    def longest_wait(self, department: str, since: float) -> float:
        """Seconds that a probe waited at most, of those that were on their way since then; waiting before does not count."""
        now = time.monotonic()
        with self._lock:
            eye = self._eyes[department]
            waits = [seen - max(sent, since) for one in eye.through.values() for sent, seen in one if seen > since]
            waits += [now - max(sent, since) for one in eye.on_the_way.values() for _, sent in one]
        return max(waits, default=0.0)

    def forget(self, before: float) -> None:
        """Leave out what came through before."""
        with self._lock:
            for eye in self._eyes.values():
                for through in eye.through.values():
                    while through and through[0][1] < before:
                        through.popleft()

    def are_through(self, since: float) -> bool:
        """Whether in each partition, at each eye, a probe that was sent after this has come through."""
        with self._lock:
            return all(
                any(sent > since for sent, _ in eye.through[partition])
                for eye in self._eyes.values()
                for partition in self.subjects
            )

    def late(self) -> str:
        """Who waits for what, for a person who must find out why."""
        now = time.monotonic()
        with self._lock:
            return "; ".join(
                f"{department} [{partition}] {len(waiting)} on their way, the oldest for {now - waiting[0][1]:.0f} s"
                for department, eye in self._eyes.items()
                for partition, waiting in sorted(eye.on_the_way.items())
                if waiting
            )


def _one_in_each(partitions: int) -> dict[int, str]:
    """A subject in each partition."""
    found: dict[int, str] = {}
    number = FIRST
    while len(found) < partitions:
        subject = f"org:{synthetic_uscc(number)}"
        found.setdefault(partition_of(subject, partitions), subject)
        number += 1
    return found
