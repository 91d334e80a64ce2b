"""The clock of every process, as the default of what takes one."""

import time
from datetime import date, timedelta, timezone

from exchange.domain.calendar import CHINA_OFFSET_MS, day_of, to_date

CHINA = timezone(timedelta(milliseconds=CHINA_OFFSET_MS))
"""In which everybody on the bus reads times."""


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def today() -> date:
    """The day that it is in China, wherever the machine stands."""
    return to_date(day_of(now_ms()))
