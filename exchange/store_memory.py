"""The store's in-memory twin: the same answers without a server, for property tests of what stands on the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from exchange.domain.record import Entry
from exchange.domain.standing import Owed, Standing
from exchange.errors import FencedError
from exchange.standing_store import NEVER, TOKENS_KEPT, Answer, Commit, Cursor, Loaded, Look, Outgoing, Wanted


@dataclass(slots=True)
class _State:
    cursor: Cursor = field(default_factory=Cursor)
    standings: dict[str, Standing] = field(default_factory=dict)
    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)
    outbox: list[Outgoing] = field(default_factory=list)
    overdue: set[tuple[str, Owed]] = field(default_factory=set)


def _copied(partitions: dict[int, _State]) -> dict[int, _State]:
    """What is changed in place is copied; standings, entries, cursors and messages are only ever replaced."""
    return {
        number: replace(
            state,
            standings=dict(state.standings),
            entries={subject: dict(entries) for subject, entries in state.entries.items()},
            timers=dict(state.timers),
            outbox=list(state.outbox),
            overdue=set(state.overdue),
        )
        for number, state in partitions.items()
    }


class MemoryStore:
    """Holds every partition in this process; `snapshot` and `restore` bring it back older, as a server can come back."""

    def __init__(self) -> None:
        self._partitions: dict[int, _State] = {}

    def _at(self, partition: int) -> _State:
        return self._partitions.setdefault(partition, _State())

    def snapshot(self) -> dict[int, _State]:
        """A copy of everything."""
        return _copied(self._partitions)

    def restore(self, snapshot: dict[int, _State]) -> None:
        """Come back as of a snapshot."""
        self._partitions = _copied(snapshot)

    def cursor(self, partition: int) -> Cursor:
        """As `Store.cursor`."""
        cursor = self._at(partition).cursor
        return replace(cursor, offsets=dict(cursor.offsets), held=dict(cursor.held))

    def load(self, wanted: Sequence[Wanted]) -> list[Loaded]:
        """As `Store.load`."""
        found = []
        for partition, subjects, pairs in wanted:
            state = self._at(partition)
            entries = [state.entries.get(subject, {}).get(key) for subject, key in pairs]
            found.append(Loaded(state.cursor.token, [state.standings.get(subject) for subject in subjects], entries))
        return found

    def commit(self, commits: Sequence[Commit]) -> list[FencedError | None]:
        """As `Store.commit`."""
        return [self._commit(commit) for commit in commits]

    def begin_commit(self, commits: Sequence[Commit]) -> Answer:
        """As `Store.begin_commit`."""
        answers = self.commit(commits)
        return lambda: answers

    def _commit(self, commit: Commit) -> FencedError | None:
        state = self._at(commit.partition)
        cursor = state.cursor
        if cursor.token != commit.expected:
            return FencedError(f"partition {commit.partition}: expected token {commit.expected}, found {cursor.token}")
        offsets, held = dict(cursor.offsets), dict(cursor.held)
        for name, value in commit.cursor.items():
            if name.startswith("o:"):
                offsets[name[2:]] = int(value)
            elif name.startswith("h:"):
                held[name[2:]] = int(value)
        fields = commit.cursor
        state.cursor = Cursor(
            tokens=(commit.token, *cursor.tokens)[:TOKENS_KEPT],
            epoch=int(fields.get("epoch", cursor.epoch)),
            published=commit.published or cursor.published,
            reconcile=bool(int(fields.get("reconcile", cursor.reconcile))),
            policy=str(fields.get("policy", cursor.policy)),
            offsets=offsets,
            held=held,
        )
        state.standings.update(commit.standings)
        for subject, key, entry in commit.entries:
            state.entries.setdefault(subject, {})[key] = entry
        for subject, due in commit.timers:
            if due is None:
                state.timers.pop(subject, None)
            else:
                state.timers[subject] = due
        state.overdue -= set(commit.no_longer_overdue)
        state.overdue |= set(commit.overdue)
        del state.outbox[: commit.trim]
        state.outbox += [Outgoing(commit.token, *message) for message in commit.messages]
        return None

    def outbox(self, partition: int) -> list[Outgoing]:
        """As `Store.outbox`."""
        return list(self._at(partition).outbox)

    def look(self, partitions: Sequence[int], day: int, limit: int) -> list[Look]:
        """As `Store.look`."""
        return [Look(self._at(number).cursor.token, self._due(number, day, limit)) for number in partitions]

    def _due(self, partition: int, day: int, limit: int) -> list[str]:
        timers = self._at(partition).timers
        return [s for s in sorted(timers, key=lambda s: (timers[s], s)) if timers[s] != NEVER and timers[s] <= day][
            :limit
        ]

    def indexed(self, partition: int) -> Iterator[str]:
        """As `Store.indexed`."""
        yield from list(self._at(partition).timers)

    def standing(self, partition: int, subject: str) -> Standing | None:
        """As `Store.standing`."""
        return self._at(partition).standings.get(subject)

    def entries(self, partition: int, subject: str) -> dict[str, Entry]:
        """As `Store.entries`."""
        return dict(self._at(partition).entries.get(subject, {}))

    def all_of(self, partition: int, subject: str) -> tuple[Standing | None, dict[str, Entry]]:
        """As `Store.all_of`."""
        return self.standing(partition, subject), self.entries(partition, subject)

    def entries_of(self, partition: int, subjects: Sequence[str]) -> list[dict[str, Entry]]:
        """As `Store.entries_of`."""
        return [self.entries(partition, subject) for subject in subjects]

    def entries_as_of(self, partition: int, subject: str) -> tuple[str, dict[str, Entry]]:
        """As `Store.entries_as_of`."""
        return self._at(partition).cursor.token, self.entries(partition, subject)

    def subjects(self, partition: int) -> Iterator[str]:
        """As `Store.subjects`."""
        yield from list(self._at(partition).standings)

    def overdue(self, partition: int, department: str) -> list[tuple[str, Owed]]:
        """As `Store.overdue`."""
        found = [one for one in self._at(partition).overdue if one[1].department == department]
        return sorted(found, key=lambda one: (one[1].respond_by, one))

    def count_overdue(self, partitions: Sequence[int], departments: Sequence[str]) -> dict[str, int]:
        """As `Store.count_overdue`."""
        return {one: sum(len(self.overdue(number, one)) for number in partitions) for one in departments}
