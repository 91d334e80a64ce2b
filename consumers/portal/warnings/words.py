"""The words of the warnings' pages, Chinese and English."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from consumers.early_warning.words import INDUSTRIES, SeriesWords
from consumers.portal.pages import code_of
from exchange.domain.identity import is_series
from exchange.domain.series import Series
from exchange.labels import Label

Say = Callable[[str, str], str]

TONES: Mapping[str, str] = {"BLUE": "blue", "YELLOW": "yellow", "ORANGE": "orange", "RED": "red"}
"""Classes of the style sheet; the level is always written beside its colour."""


class Point(NamedTuple):
    """One window of the chart: its beginning (seconds since 1970-01-01 UTC), the count, and what was usual."""

    at: int
    counted: int
    expected: float


def title_of(subject: str, name: str, words: SeriesWords, day: int, say: Say) -> str:
    """What a warning is about: a series by its name, a subject by its name or code."""
    if is_series(subject):
        return say(*words.name(Series.parse(subject.partition(":")[2]), day))
    return name or code_of(subject)


def points_of(fields: Mapping[str, Any]) -> list[Point]:
    """The newest windows that a record carries, the oldest first."""
    counts, expected = fields.get("recent_counts") or [], fields.get("recent_expected") or []
    began, ended = fields.get("window_from"), fields.get("window_until")
    if not counts or began is None or ended is None:
        return []
    width = int((ended - began).total_seconds())
    first = int(began.timestamp()) - width * (len(counts) - 1)
    return [
        Point(first + width * place, count, usual / 100)
        for place, (count, usual) in enumerate(zip(counts, expected, strict=False))
    ]


def industries(say: Say) -> list[tuple[str, str]]:
    """Sections of GB/T 4754 to choose from."""
    return [(code, say(*label)) for code, label in INDUSTRIES.items()]


def level_label(level: str) -> Label:
    """What a level is called.

    >>> level_label("RED")
    Label(zh='红色', en='Red')
    """
    zh = {"BLUE": "蓝色", "YELLOW": "黄色", "ORANGE": "橙色", "RED": "红色"}[level]
    return Label(zh, level.capitalize())
