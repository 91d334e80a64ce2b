"""When a message is tried again, and what an answer means. Pure; times in milliseconds.

Delays after Standard Webhooks 1.0.0, and quicker ones where a notice is urgent. Jitter is only ever added.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
URGENT = (
    3 * SECOND, 10 * SECOND, 30 * SECOND, 3 * MINUTE, 30 * MINUTE, 1 * HOUR, 3 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR,
)  # fmt: skip
NORMAL = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
JITTER = 0.1
"""Largest part of a delay that is added to it."""
MAX_RETRY_AFTER = 24 * HOUR
"""An endpoint that asks for more is tried after so long all the same."""
THROTTLED_STATUSES = frozenset({429, 502, 503, 504})
GONE_STATUS = 410
DEFAULT_THROTTLE = 1 * SECOND
"""How long an endpoint that is overloaded and does not say for how long is left alone."""


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    THROTTLED = "throttled"
    GONE = "gone"
    REFUSED = "refused"


def delay(attempt: int, *, urgent: bool, chance: float) -> int:
    """Milliseconds from the n-th failed attempt (from 1) to the next; after the last of a schedule it is repeated.

    Args:
        attempt: how many have failed.
        urgent: whether a measure that changed is urgent.
        chance: from 0 to 1, for the jitter.

    >>> [delay(n, urgent=True, chance=0.0) // SECOND for n in (1, 2, 3, 4, 99)]
    [3, 10, 30, 180, 36000]
    >>> delay(1, urgent=False, chance=1.0)
    5500
    """
    schedule = URGENT if urgent else NORMAL
    whole = schedule[min(attempt, len(schedule)) - 1]
    return whole + int(whole * JITTER * chance)


def is_exhausted(attempt: int, *, urgent: bool) -> bool:
    """Whether the n-th failed attempt was the last of its schedule; it goes on all the same."""
    return attempt == len(URGENT if urgent else NORMAL) + 1


def outcome_of(status: int) -> Outcome:
    """What a status means; a redirect is a failure, since the address checked would not be the one asked.

    >>> outcome_of(204), outcome_of(302), outcome_of(410), outcome_of(503)
    (<Outcome.DELIVERED: 'delivered'>, <Outcome.FAILED: 'failed'>, <Outcome.GONE: 'gone'>, <Outcome.THROTTLED: 'throttled'>)
    """
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status == GONE_STATUS:
        return Outcome.GONE
    return Outcome.THROTTLED if status in THROTTLED_STATUSES else Outcome.FAILED


def retry_after(header: str, now: int) -> int:
    """Milliseconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110, 10.2.3); 0 when it says nothing.

    >>> retry_after("120", 0)
    120000
    >>> retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 10_000)
    50000
    >>> retry_after("soon", 0)
    0
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * SECOND, MAX_RETRY_AFTER)
    try:
        at: datetime = parsedate_to_datetime(text)
        asked = int(at.timestamp() * 1000) - now
    except (ValueError, TypeError, OverflowError):
        return 0
    return max(0, min(asked, MAX_RETRY_AFTER))
