"""Watching: signs about single subjects, and about what several share, kept with what follows from them until that is on the bus."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from consumers.early_warning.findings import SubjectFinding
from consumers.early_warning.signals import Step, SubjectSignals
from consumers.early_warning.state import Table, Tables, Watched, encode, read_watched
from consumers.standing.decode import Arrival

Encode = Callable[[SubjectFinding], bytes]


@dataclass(slots=True)
class _Partition:
    """What a partition of a table has: keys with something to send, and when each changes by itself."""

    waiting: set[str] = field(default_factory=set)
    due: list[tuple[int, str]] = field(default_factory=list)


class Watching:
    """Keeps what is watched in one table.

    Args:
        table: of it.
        signals: the rules.
        encode_finding: the message of a finding's record.
        shared: whether keys are what several subjects share.
    """

    def __init__(self, table: Table, signals: SubjectSignals, encode_finding: Encode, *, shared: bool) -> None:
        self._table = table
        self._signals = signals
        self._encode = encode_finding
        self._shared = shared
        self._partitions: dict[int, _Partition] = {}

    def forget(self) -> None:
        """Partitions are given and taken: whatever is ours then is loaded anew."""
        self._partitions.clear()

    def take(self, number: int, arrivals: Iterable[tuple[int, Arrival]]) -> None:
        """Take records of subjects in."""
        found = self._of(number)
        batch: dict[str, tuple[Watched | None, Watched]] = {}
        for at, arrival in arrivals:
            subject = arrival.subject
            if subject not in batch:
                raw = self._table.get(number, subject)
                batch[subject] = (None if raw is None else read_watched(raw), read_watched(raw))
            _, watched = batch[subject]
            self._keep(watched, self._signals.step(watched.state, arrival.record_type, arrival.value, at))
        for subject, (before, after) in batch.items():
            if after != (before or Watched()):
                self._put(number, found, subject, after)
            elif before is not None:  # its changelog may lack what the table has
                self._table.put(number, subject, encode(after))

    def take_shared(self, number: int, key: str, fact: bytes) -> None:
        """Take in what a firm passed on."""
        watched = read_watched(self._table.get(number, key))
        self._keep(watched, self._signals.step_shared(key, watched.state, fact))
        self._put(number, self._of(number), key, watched)

    def look(self, number: int, now: int) -> None:
        """Let what is due change by itself.

        Args:
            number: of the partition.
            now: milliseconds since 1970-01-01 UTC.
        """
        found = self._of(number)
        while found.due and found.due[0][0] <= now:
            due, key = heappop(found.due)
            watched = read_watched(self._table.get(number, key))
            if watched.due == due:
                self._keep(watched, self._signals.on_due(key, watched.state, now))
                self._put(number, found, key, watched)

    def waiting(self, number: int) -> Iterator[tuple[str, Watched]]:
        """What has something to send."""
        for key in sorted(self._of(number).waiting):
            yield key, read_watched(self._table.get(number, key))

    def sent(self, number: int, key: str, sent: Watched) -> None:
        """All that it had to send then is on the bus."""
        watched = read_watched(self._table.get(number, key))
        watched.unsent = [one for one in watched.unsent if one not in sent.unsent]
        watched.links = [one for one in watched.links if one not in sent.links]
        self._table.put(number, key, encode(watched))
        if not watched.unsent and not watched.links:
            self._of(number).waiting.discard(key)

    def _keep(self, watched: Watched, step: Step) -> None:
        watched.state = step.state
        watched.unsent += [self._encode(finding) for finding in step.findings]
        watched.links += [(link.key, link.fact) for link in step.links]
        watched.due = self._signals.due(step.state, shared=self._shared) or 0

    def _put(self, number: int, found: _Partition, key: str, watched: Watched) -> None:
        self._table.put(number, key, encode(watched))
        _remember(found, key, watched)

    def _of(self, number: int) -> _Partition:
        found = self._partitions.get(number)
        if found is None:
            found = self._partitions[number] = _Partition()
            for key, raw in self._table.items(number):
                _remember(found, str(key), read_watched(raw))
        return found


def _remember(found: _Partition, key: str, watched: Watched) -> None:
    if watched.due:
        heappush(found.due, (watched.due, key))
    if watched.unsent or watched.links:
        found.waiting.add(key)


class Watchers:
    """Both: subjects, and what they share.

    Args:
        tables: of early warning.
        signals: the rules.
        encode_finding: the message of a finding's record.
    """

    def __init__(self, tables: Tables, signals: SubjectSignals, encode_finding: Encode) -> None:
        self.subjects = Watching(tables.signals, signals, encode_finding, shared=False)
        self.groups = Watching(tables.groups, signals, encode_finding, shared=True)

    def forget(self) -> None:
        """Partitions are given and taken."""
        self.subjects.forget()
        self.groups.forget()
