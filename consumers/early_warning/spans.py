"""Windows: tumbling days and hopping weeks, both from midnight in China, by the time a record arrived on the bus.

Arrival is what bursts; decisions may be back-dated. Faust lays its windows along UTC and cannot shift them, so times go into it as
China's wall clock, and come out again here.
"""

from typing import NamedTuple

from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, day_of

WEEK_MS = 7 * DAY_MS
WIDTHS = (DAY_MS, WEEK_MS)
"""A day, which begins every day; seven days, which begin every day too."""
KEPT_DAYS = 35
"""Days that a window is kept after its end; whatever else would change it comes too late."""


class Span(NamedTuple):
    """A window: when it begins, milliseconds since 1970-01-01 UTC, and how long it is."""

    start: int
    width: int

    @property
    def end(self) -> int:
        """The first moment after it."""
        return self.start + self.width


def midnight(at_ms: int) -> int:
    """When the day of a moment began in China.

    >>> midnight(0), midnight(16 * 3_600_000)
    (-28800000, 57600000)
    """
    return day_of(at_ms) * DAY_MS - CHINA_OFFSET_MS


def spans_of(at_ms: int) -> tuple[Span, ...]:
    """Every window that a moment lies in: its day, and the seven weeks around it.

    >>> len(spans_of(0)), all(one.start <= 0 < one.end for one in spans_of(0))
    (8, True)
    """
    begins = midnight(at_ms)
    return (Span(begins, DAY_MS), *(Span(begins - back * DAY_MS, WEEK_MS) for back in range(7)))


def is_too_late(at_ms: int, registered_at_ms: int) -> bool:
    """Whether a registration comes so late after a record that no window keeps what it says of it, by the arrival of both.

    >>> is_too_late(0, 35 * DAY_MS), is_too_late(0, 36 * DAY_MS)
    (False, True)
    """
    return day_of(registered_at_ms) - day_of(at_ms) > KEPT_DAYS
