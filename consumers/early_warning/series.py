"""What goes in and out of the windows: events with the series they count in, and closed windows with their counts."""

from typing import NamedTuple

from exchange.domain.series import DIMENSIONS, SIGNALS, Series

__all__ = ["DIMENSIONS", "SIGNALS", "Counted", "Observed", "Series"]


class Counted(NamedTuple):
    """A closed window of a series.

    Attributes:
        series: what was counted.
        start: when the window began, milliseconds since 1970-01-01 UTC.
        width: how long it was, milliseconds.
        count: records in it, each once.
    """

    series: Series
    start: int
    width: int
    count: int  # type: ignore[assignment] # hides tuple.count, which nobody needs here


class Observed(NamedTuple):
    """One event as the windows see it.

    Attributes:
        key: identity of the record, `record_type/department/document`, so that a duplicate or a revision counts once.
        at: event time, milliseconds since 1970-01-01 UTC.
        series: every series that it counts in.
    """

    key: str
    at: int
    series: tuple[Series, ...]
