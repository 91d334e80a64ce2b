"""Effect: what a change of policy does, counted by list, region, department and measure. Counts add up, so shares can be counted apart."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from typing import NamedTuple
from zlib import crc32

from exchange.domain.judge import Judgement, Support, fingerprint

SAMPLE = 5
"""Subjects shown for each list."""


class Kind(StrEnum):
    """What becomes of a measure; departments get a notice of each."""

    GAINED = "gained"
    LOST = "lost"
    RESTATED = "restated"
    """It stays, for other reasons: another term, memorandum or article."""


class Change(NamedTuple):
    """One measure that differs; it counts once for each list that supports it (that did, where it is lost)."""

    kind: Kind
    list_code: str
    region: str
    department: str
    measure: str


class Example(NamedTuple):
    """A subject that is affected; the least ranks are shown, which is the same choice in any order of subjects."""

    rank: int
    subject: str
    region: str
    changes: tuple[str, ...]


@dataclass(slots=True)
class Effect:
    """What changes.

    Attributes:
        subjects: looked at, aliases not among them.
        affected: whose departments would be told something. notices: that they would be told.
        before: measures in force now. after: measures there would be.
        changes: subjects by change.
        by_list, by_region, by_place, by_department: distinct subjects affected; a place is (list, region).
        consortia_gained: subjects whose every consortium would newly be limited with them. consortia_lost: no longer.
        examples: by list.
    """

    subjects: int = 0
    affected: int = 0
    notices: int = 0
    before: int = 0
    after: int = 0
    changes: Counter[Change] = field(default_factory=Counter)
    by_list: Counter[str] = field(default_factory=Counter)
    by_region: Counter[str] = field(default_factory=Counter)
    by_place: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_department: Counter[str] = field(default_factory=Counter)
    consortia_gained: int = 0
    consortia_lost: int = 0
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def compare(self, subject: str, region: str, was: Judgement, then: Judgement) -> None:
        """Take in one subject, judged by both policies."""
        self.subjects += 1
        before, after = _pairs(was), _pairs(then)
        self.before += len(before)
        self.after += len(after)
        changes = set(_changes(region, before, after))
        if not changes:
            return
        self.affected += 1
        lists, departments = {one.list_code for one in changes}, {one.department for one in changes}
        self.notices += len(departments)
        self.changes.update(changes)
        self.by_list.update(lists)
        self.by_department.update(departments)
        self.by_region[region] += 1
        self.by_place.update((code, region) for code in lists)
        bound, binds = _binds_consortia(before.values()), _binds_consortia(after.values())
        self.consortia_gained += binds and not bound
        self.consortia_lost += bound and not binds
        self._show(subject, region, lists, changes)

    def unchanged(self, measures: int) -> None:
        """Take in one subject of whom it is known that nothing changes."""
        self.subjects += 1
        self.before += measures
        self.after += measures

    def merge(self, other: "Effect") -> None:
        """Take in what was counted apart, over other subjects."""
        for name in ("subjects", "affected", "notices", "before", "after", "consortia_gained", "consortia_lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("changes", "by_list", "by_region", "by_place", "by_department"):
            getattr(self, name).update(getattr(other, name))
        for code, examples in other.examples.items():
            self.examples[code] = nsmallest(SAMPLE, [*self.examples.get(code, ()), *examples])

    def _show(self, subject: str, region: str, lists: Iterable[str], changes: Iterable[Change]) -> None:
        rank = crc32(subject.encode())
        for code in lists:
            shown = self.examples.setdefault(code, [])
            if len(shown) < SAMPLE or rank < shown[-1].rank:
                texts = sorted(f"{one.kind} {one.department}/{one.measure}" for one in changes if one.list_code == code)
                shown[:] = nsmallest(SAMPLE, [*shown, Example(rank, subject, region, tuple(texts))])


_Pairs = dict[tuple[str, str], tuple[Support, ...]]
"""(department, measure) to what supports it."""


def _pairs(judgement: Judgement) -> _Pairs:
    return {
        (department, measure): supports
        for department, found in judgement.measures.items()
        for measure, supports in found.items()
    }


def _changes(region: str, before: _Pairs, after: _Pairs) -> Iterable[Change]:
    for pair, supports in after.items():
        had = before.get(pair)
        if had is None:
            yield from (Change(Kind.GAINED, code, region, *pair) for code in _lists(supports))
        elif fingerprint(had) != fingerprint(supports):
            reasons = _reasons(had) ^ _reasons(supports)
            codes = {code for code, _ in reasons} or _lists(supports)
            yield from (Change(Kind.RESTATED, code, region, *pair) for code in codes)
    for pair, supports in before.items():
        if pair not in after:
            yield from (Change(Kind.LOST, code, region, *pair) for code in _lists(supports))


def _lists(supports: Iterable[Support]) -> set[str]:
    return {support.holding.list_code for support in supports}


def _reasons(supports: Iterable[Support]) -> set[tuple[str, tuple[str, int | None, str, str]]]:
    return {(h.list_code, (h.key, h.until, rule.memorandum, rule.article)) for h, rule in supports}


def _binds_consortia(found: Iterable[Iterable[Support]]) -> bool:
    return any(support.rule.target == "CONSORTIUM" for supports in found for support in supports)
