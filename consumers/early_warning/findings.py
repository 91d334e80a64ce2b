"""Findings: what early warning found, and the record of the bus that it becomes.

A warning's document is named by what it is about and when it began, and its revision by the window: whoever finds the same again
makes the same record, byte for byte, so that a duplicate has no effect.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from consumers.early_warning.series import Series
from consumers.early_warning.words import SeriesWords, window_words
from exchange.catalogue import Catalogue
from exchange.domain import bodies
from exchange.domain.calendar import day_of, to_date
from exchange.domain.identity import SubjectId, series_subject
from exchange.domain.policy import Policy
from exchange.records import EarlyWarning, WarningDomain, WarningLevel, WarningSignal, WarningState

PUBLISHER = "gd.data"
"""The department that runs the platform publishes what the platform finds."""
_CENT = Decimal("0.01")


class Finding(NamedTuple):
    """What a closed window of a series gives reason to say.

    Attributes:
        series: that was counted.
        start: of the window, milliseconds since 1970-01-01 UTC.
        width: of the window, milliseconds.
        count: what was counted.
        expected: what its own baseline gives for such a window.
        score: minus the decimal logarithm of the probability of so many or more.
        level: the highest of this warning so far.
        began: start of the window that raised the warning; names it.
        windows: unusual windows of this warning so far.
        ended: whether the warning is over.
        valid_until: the last day (since 1970-01-01) on which it holds without being renewed.
        recent: (count, hundredths of what was usual) of the newest windows up to this one.
    """

    series: Series
    start: int
    width: int
    count: int  # type: ignore[assignment] # hides tuple.count, which nobody needs here
    expected: float
    score: float
    level: bodies.WarningLevel
    began: int
    windows: int
    ended: bool
    valid_until: int
    recent: tuple[tuple[int, int], ...] = ()


class SubjectFinding(NamedTuple):
    """A sign about one subject.

    Attributes:
        subject: whom it is about; never a person.
        name: of the subject, or "".
        division: six digits, or "".
        signal: a symbol of the schema's WarningSignal.
        domain: a symbol of its WarningDomain.
        level: how grave.
        observed: what was counted.
        threshold: from how many on is warned about.
        explanation_zh: why; names no person.
        explanation_en: likewise.
        documents: keys of the records that it rests on.
        since: the day (since 1970-01-01) on which it was raised; names the warning.
        revision: orders what is said of the warning.
        at: when this was found, milliseconds since 1970-01-01 UTC.
        ended: whether the sign is gone.
        valid_until: the last day on which it holds without being renewed.
        basis: of the rule.
    """

    subject: SubjectId
    name: str
    division: str
    signal: str
    domain: str
    level: bodies.WarningLevel
    observed: int
    threshold: int
    explanation_zh: str
    explanation_en: str
    documents: tuple[str, ...]
    since: int
    revision: int
    at: int
    ended: bool
    valid_until: int
    basis: str


class Warnings:
    """Makes records of findings.

    Args:
        catalogue: names regions and departments.
        policy: says to which domain a series belongs.
    """

    def __init__(self, catalogue: Catalogue, policy: Policy) -> None:
        self._words = SeriesWords(catalogue, policy)
        self._catalogue = catalogue
        self._rules = policy.warning_rules
        self._domains: dict[Series, str] = {}

    def of(self, finding: Finding | SubjectFinding) -> EarlyWarning:
        """The record; the same for the same finding."""
        return self._of_series(finding) if isinstance(finding, Finding) else self._of_subject(finding)

    def domain_of(self, series: Series) -> str:
        """The domain of a series: of its department, its industry or its list; complaints and abnormal entries are the market's."""
        found = self._domains.get(series)
        if found is None:
            found = self._domains[series] = self._find_domain(series)
        return found

    def _find_domain(self, series: Series) -> str:
        for rule in self._rules:
            named = {"department": rule.departments, "industry": rule.industries, "ground": rule.lists}
            if series.value in named.get(series.dimension, ()):
                return rule.domain
        return "MARKET" if series.signal in ("complaint", "abnormal_entry") else "GENERAL"

    def _of_series(self, one: Finding) -> EarlyWarning:
        day = day_of(one.began)
        zh, en = self.explain(one)
        domain = self.domain_of(one.series)
        return EarlyWarning(
            subject=series_subject(one.series),
            subject_name=self._words.name(one.series, day).zh,
            department=PUBLISHER,
            document=f"YJ-{one.series.id}-{one.width // 1000}-{one.began // 1000}",
            revision=1 + (one.start - one.began) // one.width,
            decided_on=to_date(day),
            published_at=datetime.fromtimestamp((one.start + one.width) / 1000, UTC),
            division=one.series.value if one.series.dimension == "region" else "",
            signal=WarningSignal(one.series.signal.upper()),
            domain=WarningDomain(domain),
            level=WarningLevel(one.level.name),
            state=WarningState.ENDED if one.ended else WarningState.RAISED,
            window_from=datetime.fromtimestamp(one.start / 1000, UTC),
            window_until=datetime.fromtimestamp((one.start + one.width) / 1000, UTC),
            observed=one.count,
            expected=Decimal(one.expected).quantize(_CENT),
            score=Decimal(one.score).quantize(_CENT),
            recent_counts=tuple(count for count, _ in one.recent),
            recent_expected=tuple(expected for _, expected in one.recent),
            explanation_zh=zh,
            explanation_en=en,
            valid_until=to_date(one.valid_until),
            basis=self._basis(domain),
            authority=self._catalogue.name_of(PUBLISHER, day),
        )

    def _of_subject(self, one: SubjectFinding) -> EarlyWarning:
        at = datetime.fromtimestamp(one.at / 1000, UTC)
        return EarlyWarning(
            subject=one.subject,
            subject_name=one.name,
            department=PUBLISHER,
            document=f"YJ-{one.signal}-{one.domain}-{one.subject.rpartition(':')[2]}-{to_date(one.since):%Y%m%d}",
            revision=one.revision,
            decided_on=to_date(one.since),
            published_at=at,
            division=one.division,
            signal=WarningSignal(one.signal),
            domain=WarningDomain(one.domain),
            level=WarningLevel(one.level.name),
            state=WarningState.ENDED if one.ended else WarningState.RAISED,
            observed=one.observed,
            expected=Decimal(one.threshold),
            explanation_zh=one.explanation_zh,
            explanation_en=one.explanation_en,
            documents=one.documents,
            valid_until=to_date(one.valid_until),
            basis=one.basis,
            authority=self._catalogue.name_of(PUBLISHER, one.since),
        )

    def _basis(self, domain: str) -> str:
        return next((one.basis for one in self._rules if one.domain == domain), "")

    def explain(self, one: Finding) -> tuple[str, str]:
        """Why, in Chinese and English: the count beside what is usual, how often in a row, and how improbable."""
        name, window = self._words.name(one.series, day_of(one.start)), window_words(one.start, one.width)
        if one.ended:
            return (
                f"{name.zh}：{window.zh}{one.count}件，已回到通常水平（约{one.expected:.1f}件），预警解除。",
                f"{name.en}: {one.count} on {window.en}, back to the usual {one.expected:.1f}; the warning is over.",
            )
        times = one.count / max(one.expected, 0.1)
        zh = f"{name.zh}：{window.zh}{one.count}件，同类时段通常约{one.expected:.1f}件，为{times:.1f}倍"
        en = f"{name.en}: {one.count} on {window.en}, {one.expected:.1f} are usual then, {times:.1f} times as many"
        if one.windows > 1:
            since = window_words(one.began, one.width)
            return (
                f"{zh}；自{since.zh}起已有{one.windows}个统计时段偏高。",
                f"{en}; {one.windows} periods have been too high since {since.en}.",
            )
        if one.score >= 3:  # one in a thousand: said where it means something
            return (
                f"{zh}，偶然出现的概率低于{_chance(one.score)}。",
                f"{en}, which chance does less than once in {_odds(one.score)}.",
            )
        return f"{zh}；此前各时段累计持续偏高。", f"{en}, after a run of periods above the usual."


def _chance(score: float) -> str:
    return f"{_odds(score)}分之一" if score < 12 else "万亿分之一"


def _odds(score: float) -> str:
    return f"{10 ** min(int(score), 12):,}"
