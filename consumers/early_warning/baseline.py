"""Baselines: whether a closed window of a series is unusual, by what the series usually counts, and what is to be said of it.

A window warns when its count is too improbable (`consumers.early_warning.usual`), or when a CUSUM of the deviations says that many
have been a little too high. The newest windows are held back from what is usual (the guard band of EARS C2), and a warning's own windows enter it
cut off, so that an outbreak does not become its own baseline; what stays for weeks is the new usual in the end.
"""

import math

import msgspec

from consumers.early_warning.findings import Finding
from consumers.early_warning.season import Seasons
from consumers.early_warning.series import Counted, Series
from consumers.early_warning.usual import Learnt, Usual
from exchange.domain.bodies import WarningLevel
from exchange.domain.calendar import DAY_MS, day_of

FALSE_PER_YEAR = 0.02
"""The windows of a series by which it would be wrongly warned about in a year, if counts were what the model says."""
LEARNING_DAYS = 28
"""Nothing is warned about before so many days are known: four of each weekday."""
GUARD_DAYS = 5
"""The newest days do not count in the baseline yet."""
GUARD_WINDOWS = 48
"""At most so many windows are held back."""
MIN_COUNT = 5
"""Fewer events in a window are never an outbreak (Farrington's five reports)."""
MIN_RATIO = 1.5
"""A rise of less than half is not worth a department's time, however certain."""
ACCEPT_DAYS = 35
"""After so many days a rise is the new usual and enters the baseline whole."""
DRIFT, DECISION = 0.75, 7.0
"""CUSUM: deviations allowed a window, and their sum over days that warns; the sum over shorter windows must be greater, since there are
more of them (by how much was chosen by measurement)."""
CUSUM_CUT = 3.0
LONGEST_GAP_DAYS = 120
"""A series silent for longer begins anew."""
RECENT = 28
"""So many windows go with a finding, to be looked at."""
VALID_DAYS, RENEW_DAYS = 30, 21
"""A warning holds for so many days; while it goes on it is renewed this often."""
BATCH_WINDOWS, BATCHES, BATCH_RATIO = 2, 2, 1.5
BATCH_MEMORY_DAYS = 200
"""Departments hand in lists in bulk. A rise of so few windows that has come so many times before, this large or nearly, within so many
days, is a batch: it is warned about only when it lasts longer, or is larger by this ratio."""
STILL_HIGH = 0.05
"""A day as improbable as this keeps a warning going; an hour must be that much more so."""
QUIET_WINDOWS, QUIET_DAYS = 2, 2
"""A warning ends after so many usual windows, and days, in a row."""
STEPS = ((2.0, 2.0), (4.0, 3.0), (8.0, 5.0))
"""What yellow, orange and red ask for: so many orders of magnitude beyond the first threshold, and so many times the usual."""


class _State(msgspec.Struct, array_like=True):
    """All that is kept of a series: about 500 bytes for days, 1,000 for hours; more while it is learning.

    Attributes:
        series: its id.
        width: of its windows (ms).
        first: start of its first window.
        last: start of its newest.
        learnt: what is usual.
        learning: whether it is too early to say so.
        cusum: of the deviations.
        recent: (count, hundredths of what was usual) of the newest windows.
        held: (start, count) of windows that are not in what is usual yet.
        began: start of the first window of the warning in force; 0 where there is none.
        level: its highest so far.
        windows: that were unusual, of a rise that is going on, warned about or not.
        peak: the largest count of it.
        quiet: how many average windows the usual ones since then make.
        told: start of the window that was last said something about.
        batches: (start, largest count) of rises that lasted a window or two.
    """

    series: str
    width: int
    first: int
    last: int
    learnt: Learnt
    learning: bool = True
    cusum: float = 0.0
    recent: list[tuple[int, int]] = []  # msgspec copies it
    held: list[tuple[int, int]] = []
    began: int = 0
    level: int = 0
    windows: int = 0
    peak: int = 0
    quiet: float = 0.0
    told: int = 0
    batches: list[tuple[int, int]] = []


class Baseline:
    """One series' own baseline, for windows of one width that follow each other.

    Args:
        seasons: which windows are alike; shared by all baselines.
        state: of a baseline that was dumped.
    """

    def __init__(self, seasons: Seasons, state: bytes | None = None) -> None:
        self._seasons = seasons
        self._state = msgspec.msgpack.decode(state, type=_State) if state else None

    @classmethod
    def load(cls, state: bytes, seasons: Seasons) -> "Baseline":
        """The baseline that was dumped."""
        return cls(seasons, state)

    def dump(self) -> bytes:
        """All there is to know, to go on from; empty before the first window."""
        return msgspec.msgpack.encode(self._state) if self._state is not None else b""

    @property
    def is_raised(self) -> bool:
        """Whether a warning of this series is in force: then its windows must be observed though nothing is counted in them."""
        return self._state is not None and self._state.began != 0

    def observe(self, counted: Counted) -> tuple[Finding, ...]:
        """What a closed window gives reason to say; nothing for a window that is not after the last one.

        Windows that were left out had nothing in them.
        """
        state = self._state
        gap = LONGEST_GAP_DAYS * DAY_MS
        if state is None or state.width != counted.width or counted.start - state.last > gap:
            size = self._seasons.size(counted.width)
            learnt = Learnt([0.0] * size, [0.0] * size)
            self._state = state = _State(counted.series.id, counted.width, counted.start, counted.start, learnt)
            return self._take(state, counted.start, counted.count)
        found: tuple[Finding, ...] = ()
        for start in range(state.last + state.width, counted.start, state.width):
            found += self._take(state, start, 0)
        if counted.start > state.last:
            found += self._take(state, counted.start, counted.count)
        return found

    def _take(self, state: _State, start: int, count: int) -> tuple[Finding, ...]:
        state.last = start
        state.held.append((start, count))
        if state.learning:
            if start - state.first >= LEARNING_DAYS * DAY_MS:
                state.learning = False
                state.learnt.learn([(self._seasons.slots(at, state.width), counted) for at, counted in state.held])
                state.held = []
            return ()
        found = self._judge(state, start, count)
        keep = min(GUARD_DAYS * DAY_MS // state.width, GUARD_WINDOWS)
        while len(state.held) > keep:
            self._add(state, *state.held.pop(0))
        return found

    def _add(self, state: _State, start: int, count: int) -> None:
        """Take a window into what is usual; what stands out, and what belongs to a warning, is cut off first."""
        slots = self._seasons.slots(start, state.width)
        usual, value = state.learnt.usual(slots), float(count)
        if not state.began or start < state.began:
            value = usual.cut(value)
        elif start - state.began < ACCEPT_DAYS * DAY_MS:
            value = usual.cut(value, 0.5)
        state.learnt.add(slots, value, state.width / DAY_MS)

    def _judge(self, state: _State, start: int, count: int) -> tuple[Finding, ...]:
        """Whether this window raises, renews or ends a warning."""
        usual = state.learnt.usual(self._seasons.slots(start, state.width))
        state.recent = [*state.recent[1 - RECENT :], (count, round(100 * usual.mean))]
        tail = usual.tail(count) if count > usual.mean else 1.0
        per_year = 365 * DAY_MS / state.width
        threshold = FALSE_PER_YEAR / per_year
        decision = DECISION * math.sqrt(1.0 + math.log(max(DAY_MS / state.width, 1.0)))
        state.cusum = max(0.0, state.cusum + min((count - usual.mean) / usual.deviation, CUSUM_CUT) - DRIFT)
        state.cusum = min(state.cusum, decision + CUSUM_CUT)
        sharp = tail < threshold and count >= MIN_COUNT and count >= MIN_RATIO * usual.mean
        slow = state.cusum > decision and count >= MIN_COUNT
        score = min(-math.log10(max(tail, 1e-99)), 99.0)
        if state.began:
            return self._go_on(
                state,
                start,
                count,
                usual,
                score,
                high=sharp or slow or tail < STILL_HIGH * min(state.width / DAY_MS, 1),
            )
        if not (sharp or slow):
            self._calm_down(state, start)
            return ()
        if self._is_batch(state, start, count):
            return ()
        state.began, state.windows, state.quiet, state.told = start, 1, 0.0, start
        state.peak = max(state.peak, count)
        state.level = self._level(state.width, count, usual.mean, score)
        return (self._finding(state, start, count, usual, score),)

    def _go_on(
        self, state: _State, start: int, count: int, usual: Usual, score: float, *, high: bool
    ) -> tuple[Finding, ...]:
        """A further window of a warning in force."""
        if not high:
            # A Sunday on which nothing is usual says little: windows count by how much they usually hold.
            state.quiet += min(state.learnt.factor(self._seasons.slots(start, state.width)), 1.9)
            if state.quiet < max(QUIET_WINDOWS, QUIET_DAYS * DAY_MS / state.width):
                return ()
            found = self._finding(state, start, count, usual, score, ended=True)
            self._remember(state, state.began)
            state.began, state.cusum = 0, 0.0
            return (found,)
        state.quiet = 0.0
        state.windows += 1
        state.peak = max(state.peak, count)
        if start - state.began >= ACCEPT_DAYS * DAY_MS:  # the new usual is learnt quickly
            state.learnt.forget_level()
        level = max(state.level, self._level(state.width, count, usual.mean, score))
        if level == state.level and start - state.told < DAY_MS:
            return ()
        state.level, state.told = level, start
        return (self._finding(state, start, count, usual, score),)

    @staticmethod
    def _is_batch(state: _State, start: int, count: int) -> bool:
        """Whether this rise is like others before that lasted a window or two; then it is watched, and not warned about yet."""
        since = start - BATCH_MEMORY_DAYS * DAY_MS
        alike = [at for at, largest in state.batches if at >= since and count <= BATCH_RATIO * largest]
        if len(alike) < BATCHES or state.windows >= BATCH_WINDOWS:
            return False
        state.windows += 1
        state.peak = max(state.peak, count)
        return True

    def _calm_down(self, state: _State, start: int) -> None:
        """A usual window after a batch."""
        if state.peak:
            self._remember(state, start - state.windows * state.width)

    @staticmethod
    def _remember(state: _State, start: int) -> None:
        """Keep a short rise among the batches; a longer one was something else."""
        if state.windows <= BATCH_WINDOWS:
            state.batches = [*state.batches[-5:], (start, state.peak)]
        state.windows = state.peak = 0

    @staticmethod
    def _level(width: int, count: int, mean: float, score: float) -> int:
        """How grave, from the improbability and the size of the rise: both must be there."""
        beyond = score - math.log10(365 * DAY_MS / width / FALSE_PER_YEAR)
        return sum(beyond >= orders and count >= ratio * mean for orders, ratio in STEPS)

    @staticmethod
    def _finding(state: _State, start: int, count: int, usual: Usual, score: float, *, ended: bool = False) -> Finding:
        renewals = (start - state.began) // (RENEW_DAYS * DAY_MS)
        return Finding(
            series=Series.parse(state.series), start=start, width=state.width, count=count, expected=usual.mean,
            score=score, level=WarningLevel(state.level), began=state.began, windows=state.windows, ended=ended,
            valid_until=day_of(state.began) + VALID_DAYS + RENEW_DAYS * int(renewals), recent=tuple(state.recent),
        )  # fmt: skip
