"""The risk model as dated data: indicators, thresholds of classes, inspection rates, each with its basis (`schemas/policy/risk.toml`).

Points are whole hundredths. Days are since 1970-01-01; validity is `effective_from` (inclusive) to `effective_to` (exclusive).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.domain.policy import OPEN

CLASSES = ("A", "B", "C", "D")
"""Low, normal, higher, high risk (低、一般、较高、高)."""

GROUPS = ("basic", "dynamic", "supervision", "relations", "social")
"""The five groups of indicators: basic attributes, dynamic information, supervision, relations, social evaluation."""

SCHEME = "RISK_CLASS"
"""The scheme of a `rating` record that a class is published as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator: each occurrence of one of `states` in records of one type adds points.

    record: a type of `exchange.domain.risk.occurrences`. points: of one occurrence; negative for what speaks for the firm.
    cap: the indicator's share is never further from zero. term_months: an occurrence counts so long, fading evenly to nothing;
    0 means in full, as long as it holds.
    """

    code: str
    group: str
    name_zh: str
    name_en: str
    record: str
    states: frozenset[str]
    points: int
    cap: int
    term_months: int
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From how many points on a firm is of a class."""

    letter: str
    points: int
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The share of the firms of a class that a random inspection should draw, in hundredths of a per cent (5 % is 500)."""

    letter: str
    share: int
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How classes are published: by whom, about which kinds of subject, on which day of the month all are worked out anew.

    material: a change of points within a class is published from so many on.
    """

    code: str
    department: str
    kinds: frozenset[str]
    month_day: int
    material: int
    basis: str
    effective_from: int
    effective_to: int = OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """The whole dated model; `version` is a checksum of all that it says, 12 hex digits."""

    version: str
    methods: tuple[Method, ...]
    indicators: tuple[Indicator, ...]
    thresholds: tuple[Threshold, ...]
    rates: tuple[Rate, ...]

    def on(self, day: int) -> "Rules | None":
        """What is in force on a day; None where no method is."""
        method = next((one for one in self.methods if one.effective_from <= day < one.effective_to), None)
        if method is None:
            return None
        found: dict[tuple[str, str], list[Indicator]] = {}
        valid = [one for one in self.indicators if one.effective_from <= day < one.effective_to]
        for one in valid:
            for state in one.states:
                found.setdefault((one.record, state), []).append(one)
        thresholds = [one for one in self.thresholds if one.effective_from <= day < one.effective_to]
        return Rules(
            day=day,
            version=self.version,
            method=method,
            indicators=tuple(valid),
            by_state={name: tuple(ones) for name, ones in found.items()},
            thresholds=tuple(sorted(((one.points, one.letter) for one in thresholds), reverse=True)),
            rates={one.letter: one for one in self.rates if one.effective_from <= day < one.effective_to},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A model on one day. thresholds: the highest first. by_state: (record, state) to what counts it."""

    day: int
    version: str
    method: Method
    indicators: tuple[Indicator, ...]
    by_state: Mapping[tuple[str, str], tuple[Indicator, ...]]
    thresholds: tuple[tuple[int, str], ...]
    rates: Mapping[str, Rate] = field(default_factory=dict)

    def class_of(self, points: int) -> str:
        """The class of so many points; A below every threshold."""
        return next((letter for least, letter in self.thresholds if points >= least), CLASSES[0])
