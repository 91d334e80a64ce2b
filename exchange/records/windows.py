"""Windows of early warning: what one partition counted, and what all of them did.

Mirrors of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCount:
    """分量计数: One window of one series, milliseconds wide."""

    series: str
    start: datetime
    width: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPart:
    """窗口分量: What one partition counted in windows that are over."""

    partition: int
    closed_until: datetime
    counts: tuple[PartCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCount:
    """窗口计数: How many records a series had in a window that is over."""

    series: str
    start: datetime
    width: int
    count: int
