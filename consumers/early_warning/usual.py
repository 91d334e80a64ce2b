"""What a series usually counts, learnt from itself alone: a level, a factor for each season slot, an over-dispersion.

The level follows a discounted gamma-Poisson model (Harvey and Fernandes 1989). A count is judged by the upper tail of the negative
binomial with the level's own uncertainty and the over-dispersion seen so far, as Noufaily et al. (2012, doi:10.1002/sim.5595) do for
Farrington's method. Counts beyond 2.58 deviations enter cut off, where they weigh such weeks down and fit again. Tails: scipy.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from scipy.special import betainc

from consumers.early_warning.season import LIKE

LEVEL_HALF_LIFE_DAYS = 20.0
SPREAD_HALF_LIFE_DAYS = 90.0
SLOT_HALF_LIFE = 20.0
"""A slot's factor forgets half in so many of its windows."""
SLOT_PRIOR = 8.0
"""A slot's factor begins as if so many events had been counted as usual."""
SPREAD_PRIOR = 10.0
"""The over-dispersion begins at 1, as if so many events had been seen."""
CUT = 2.58
"""Deviations beyond which a count enters cut off (Noufaily et al.)."""
LEAST = 0.01
"""No window usually counts less."""

Slots = tuple[int, ...]
"""The season slots of a window, whose factors multiply."""


class Usual(NamedTuple):
    """What a window usually counts."""

    mean: float
    variance: float

    def tail(self, count: int) -> float:
        """The probability of so many or more: the negative binomial's tail, as an incomplete beta function."""
        if count <= 0:
            return 1.0
        size = self.mean * self.mean / max(self.variance - self.mean, 1e-3 * self.mean)
        return float(betainc(count, size, self.mean / (self.mean + size)))

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        return math.sqrt(self.variance)

    def cut(self, count: float, deviations: float = CUT) -> float:
        """The count, or what is so many deviations above the mean if that is less."""
        return min(count, self.mean + deviations * self.deviation)


class Learnt(msgspec.Struct, array_like=True):
    """What is known of a series.

    Attributes:
        counted: events by slot, faded.
        exposed: what would have been usual if that slot were like any other, by slot, faded.
        shape: of the level's gamma distribution.
        rate: likewise.
        squares: of deviations, faded; what the over-dispersion is worked out from.
        means: of the same windows, faded.
    """

    counted: list[float]
    exposed: list[float]
    shape: float = 0.0
    rate: float = 0.0
    squares: float = 0.0
    means: float = 0.0

    @property
    def level(self) -> float:
        """What an average window usually counts."""
        return (self.shape + 0.5) / (self.rate + 1.0)

    def factor(self, slots: Slots) -> float:
        """How many times the level a window usually has."""
        return math.prod(self._slot_factor(slot) for slot in slots)

    def usual(self, slots: Slots, level: float | None = None) -> Usual:
        """What a window usually counts; by the level that is learnt, or by another."""
        mean = max((self.level if level is None else level) * self.factor(slots), LEAST)
        spread = max((self.squares + SPREAD_PRIOR) / (self.means + SPREAD_PRIOR), 1.0)
        return Usual(mean, spread * mean + mean * mean / (self.shape + 1.0))

    def learn(self, windows: Sequence[tuple[Slots, int]]) -> None:
        """Begin with these windows, all at once: level and factors in turn, what stands out cut off."""
        level = (sum(count for _, count in windows) + 0.5) / len(windows)
        for _ in range(4):
            cut = [(slots, self.usual(slots, level).cut(count)) for slots, count in windows]
            level = (sum(count for _, count in cut) + 0.5) / sum(self.factor(slots) for slots, _ in cut)
            for place in reversed(range(len(windows[0][0]))):  # hours first, then what days add to them
                self._learn_slots(place, cut, level)
            usual = [self.usual(slots, level) for slots, _ in cut]
            self.means = sum(one.mean for one in usual)
            self.squares = sum((count - one.mean) ** 2 for (_, count), one in zip(cut, usual, strict=True))
        self.rate = len(windows)
        self.shape = level * self.rate

    def add(self, slots: Slots, value: float, days: float) -> None:
        """Take in a window of so many days."""
        usual, level, others = self.usual(slots), self.level, self._others(slots)
        fade, slot_fade = 0.5 ** (days / LEVEL_HALF_LIFE_DAYS), 0.5 ** (1 / SLOT_HALF_LIFE)
        spread_fade = 0.5 ** (days / SPREAD_HALF_LIFE_DAYS)
        self.shape = fade * self.shape + value
        self.rate = fade * self.rate + self.factor(slots)
        for slot, other in zip(slots, others, strict=True):
            self.counted[slot] = slot_fade * self.counted[slot] + value
            self.exposed[slot] = slot_fade * self.exposed[slot] + level * other
        self.squares = spread_fade * self.squares + (value - usual.mean) ** 2
        self.means = spread_fade * self.means + usual.mean

    def forget_level(self) -> None:
        """Keep the level as worth one window, so that the next ones make it."""
        if self.rate > 1.0:
            self.shape, self.rate = self.shape / self.rate, 1.0

    def _slot_factor(self, slot: int) -> float:
        """How many times the level one slot usually has; a rare day is like the one that it stands for."""
        prior = self._slot_factor(LIKE[slot]) if slot in LIKE else 1.0
        return (self.counted[slot] + SLOT_PRIOR * prior) / (self.exposed[slot] + SLOT_PRIOR)

    def _others(self, slots: Slots) -> list[float]:
        """For each slot of a window, the factor of its other slots."""
        factors = [self._slot_factor(slot) for slot in slots]
        whole = math.prod(factors)
        return [whole / factor for factor in factors]

    def _learn_slots(self, place: int, windows: Sequence[tuple[Slots, float]], level: float) -> None:
        """The factors of one kind of slot, the other kind's being what they are."""
        exposed = [level * self._others(slots)[place] for slots, _ in windows]
        for slots, _ in windows:
            self.counted[slots[place]] = self.exposed[slots[place]] = 0.0
        for (slots, count), exposure in zip(windows, exposed, strict=True):
            self.counted[slots[place]] += count
            self.exposed[slots[place]] += exposure
