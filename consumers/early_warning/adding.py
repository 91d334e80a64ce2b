"""Adding up: parts of all partitions become a window's count, which goes to the series' baseline; what that finds is then published.

Everything here is driven by what the tables say, not by which message is at hand: a part may come twice, a warning may be made
twice, and a process may die between any two lines; the next look does what is left. What a baseline finds waits in the same value as
the baseline, so that neither is there without the other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from consumers.early_warning.baseline import Baseline
from consumers.early_warning.findings import Finding
from consumers.early_warning.season import Seasons
from consumers.early_warning.series import Counted, Series
from consumers.early_warning.spans import KEPT_DAYS, midnight
from consumers.early_warning.state import Sums, Tables, encode, read_sums
from exchange.domain.calendar import DAY_MS

Encode = Callable[[Finding], bytes]


class Found(NamedTuple):
    """What one look at a series brings: counts to publish, and the levels of what its baseline found."""

    series: str
    counts: tuple[dict[str, Any], ...]
    levels: tuple[str, ...]


@dataclass(slots=True)
class _Partition:
    """What a partition of series has: up to when each partition of records is told; its series, those with something untold or unsent."""

    frontiers: dict[int, int]
    looked_until: int = 0
    series: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    unsent: set[str] = field(default_factory=set)


class Adding:
    """Adds up.

    Args:
        tables: where sums are kept.
        partitions: of the bus.
        seasons: of all baselines.
        encode_finding: the message of a finding's record.
    """

    def __init__(self, tables: Tables, partitions: int, seasons: Seasons, encode_finding: Encode) -> None:
        self._tables = tables
        self._count = partitions
        self._seasons = seasons
        self._encode = encode_finding
        self._partitions: dict[int, _Partition] = {}

    def forget(self) -> None:
        """Partitions are given and taken: whatever is ours then is loaded anew."""
        self._partitions.clear()

    def take(self, number: int, part: Mapping[str, Any]) -> int:
        """Keep what a partition of records has told.

        Args:
            number: the partition of series that it was told to.
            part: a plain window_part.

        Returns:
            How many of its counts came too late to change anything.
        """
        found = self._of(number)
        teller, late = part["partition"], 0
        oldest = found.frontiers.get(teller, 0) - KEPT_DAYS * DAY_MS
        by_series: dict[str, list[Mapping[str, Any]]] = {}
        for one in part["counts"]:
            by_series.setdefault(one["series"], []).append(one)
        for series, counts in by_series.items():
            sums = read_sums(self._tables.sums.get(number, series))
            forgotten = sums.closed - KEPT_DAYS * DAY_MS  # with what the other tellers told
            changed = False
            for one in counts:
                if one["start"] + one["width"] <= max(oldest, forgotten):
                    late += 1
                    continue
                window = f"{one['width']}/{one['start']}"
                of_window = sums.counts.setdefault(window, {})
                if of_window.get(teller) != one["count"]:
                    of_window[teller] = one["count"]
                    sums.untold = [*(other for other in sums.untold if other != window), window]
                    changed = True
            if changed:
                self._tables.sums.put(number, series, encode(sums))
                found.series.add(series)
                found.untold.add(series)
        return late

    def is_further(self, number: int, part: Mapping[str, Any]) -> bool:
        """Whether a part says that more is over than was known."""
        return bool(part["closed_until"] > self._of(number).frontiers.get(part["partition"], 0))

    def reached(self, number: int, part: Mapping[str, Any]) -> None:
        """What a part told is on the broker: from now on older counts come too late. Before that they must not, as the part may come again."""
        self._of(number).frontiers[part["partition"]] = part["closed_until"]
        self._tables.frontiers.put(number, str(part["partition"]), b"%d" % part["closed_until"])

    def closed_until(self, number: int) -> int:
        """Windows that end by then are over in all partitions."""
        frontiers = self._of(number).frontiers
        return min(frontiers.get(teller, 0) for teller in range(self._count))

    def look(self, number: int) -> Iterator[Found]:
        """Look at every series that has something new, one at a time; counts come again until `told` says that the broker has them."""
        found = self._of(number)
        until = self.closed_until(number)
        for series in sorted(found.series if until > found.looked_until else found.untold):
            sums = read_sums(self._tables.sums.get(number, series))
            levels = self._observe(series, sums, until)
            if until > sums.closed:
                sums.closed = until
                _forget_old(sums, until)
                self._tables.sums.put(number, series, encode(sums))
            if sums.unsent:
                found.unsent.add(series)
            over = tuple(self._count_of(series, one, sums) for one in sums.untold if _end(one) <= until)
            if over or levels:
                yield Found(series, over, levels)
        found.looked_until = until

    def told(self, number: int, one: Found) -> None:
        """The broker has a series' counts."""
        sums = read_sums(self._tables.sums.get(number, one.series))
        same = {f"{count['width']}/{count['start']}" for count in one.counts if count in self._now_of(one, sums)}
        sums.untold = [window for window in sums.untold if window not in same]
        self._tables.sums.put(number, one.series, encode(sums))
        if not sums.untold:
            self._of(number).untold.discard(one.series)

    def _now_of(self, one: Found, sums: Sums) -> list[dict[str, Any]]:
        """The counts that were told, as they are now: a late record may have changed one meanwhile."""
        windows = (f"{count['width']}/{count['start']}" for count in one.counts)
        return [self._count_of(one.series, window, sums) for window in windows if window in sums.counts]

    def unsent(self, number: int) -> Iterator[tuple[str, list[bytes]]]:
        """Warnings that are not on the bus yet, by series."""
        for series in sorted(self._of(number).unsent):
            yield series, read_sums(self._tables.sums.get(number, series)).unsent

    def sent(self, number: int, series: str, warnings: list[bytes]) -> None:
        """Warnings are on the bus."""
        sums = read_sums(self._tables.sums.get(number, series))
        sums.unsent = [one for one in sums.unsent if one not in warnings]
        self._tables.sums.put(number, series, encode(sums))
        if not sums.unsent:
            self._of(number).unsent.discard(series)

    def _observe(self, series: str, sums: Sums, until: int) -> tuple[str, ...]:
        """Show the baseline every day that is over, the empty ones too while it has a warning in force."""
        days = {start: sum(of.values()) for one, of in sums.counts.items() if (start := _day(one)) is not None}
        begin = midnight(sums.closed) if sums.closed else min(days, default=until)
        if begin + DAY_MS > until:
            return ()
        baseline = Baseline.load(sums.baseline, self._seasons)
        levels: list[str] = []
        for start in range(begin, until - DAY_MS + 1, DAY_MS):
            count = days.get(start, 0)
            if count or baseline.is_raised:
                for finding in baseline.observe(Counted(Series.parse(series), start, DAY_MS, count)):
                    sums.unsent.append(self._encode(finding))
                    levels.append("ended" if finding.ended else finding.level.name.lower())
        sums.baseline = baseline.dump()
        return tuple(levels)

    @staticmethod
    def _count_of(series: str, window: str, sums: Sums) -> dict[str, Any]:
        width, start = map(int, window.split("/"))
        return {"series": series, "start": start, "width": width, "count": sum(sums.counts[window].values())}

    def _of(self, number: int) -> _Partition:
        found = self._partitions.get(number)
        if found is None:
            frontiers = {int(str(teller)): int(at) for teller, at in self._tables.frontiers.items(number)}
            found = self._partitions[number] = _Partition(frontiers)
            for key, raw in self._tables.sums.items(number):
                series, sums = str(key), read_sums(raw)
                found.series.add(series)
                if sums.untold:
                    found.untold.add(series)
                if sums.unsent:
                    found.unsent.add(series)
        return found


def _end(window: str) -> int:
    width, start = map(int, window.split("/"))
    return start + width


def _day(window: str) -> int | None:
    """When a day began; None for weeks, which overlap and so would count everything seven times."""
    width, start = map(int, window.split("/"))
    return start if width == DAY_MS else None


def _forget_old(sums: Sums, until: int) -> None:
    oldest = until - KEPT_DAYS * DAY_MS
    sums.counts = {one: of for one, of in sums.counts.items() if _end(one) > oldest or one in sums.untold}
