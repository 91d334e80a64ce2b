"""How fast an endpoint is served: a circuit breaker and a rate limit. Pure; the time is passed in, in milliseconds."""

from collections import deque
from enum import IntEnum

WINDOW_MS = 30_000
MIN_ATTEMPTS = 10
FAILED_PERCENT = 70
OPEN_MS = 30_000


class Circuit(IntEnum):
    """Closed lets through, open holds back, probing waits for the answer to one."""

    CLOSED = 0
    PROBING = 1
    OPEN = 2


class Breaker:
    """Holds an endpoint back while most attempts fail: at least 70 % of at least 10 within 30 s open it for 30 s.

    Then one attempt goes through; its success closes the breaker, its failure opens it again.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, bool]] = deque()
        self._failed = 0
        self._open_until = 0
        self.circuit = Circuit.CLOSED

    def wait(self, now: int) -> int | None:
        """0 when an attempt may begin, else milliseconds until one may; None: when the probe has ended."""
        if self.circuit is Circuit.CLOSED:
            return 0
        if self.circuit is Circuit.PROBING:
            return None
        return max(0, self._open_until - now)

    def begin(self) -> None:
        """An attempt begins; while open it is the probe."""
        if self.circuit is Circuit.OPEN:
            self.circuit = Circuit.PROBING

    def abandon(self, now: int) -> None:
        """An attempt came to no end, as when its partition was given away."""
        if self.circuit is Circuit.PROBING:
            self.circuit, self._open_until = Circuit.OPEN, now

    def ended(self, now: int, *, failed: bool) -> None:
        """An attempt has ended."""
        if self.circuit is not Circuit.CLOSED:
            # Attempts that began before it opened say nothing about now, unless they succeed.
            if not failed:
                self._close()
            elif self.circuit is Circuit.PROBING:
                self._open(now)
            return
        self._seen.append((now, failed))
        self._failed += failed
        while self._seen[0][0] <= now - WINDOW_MS:
            self._failed -= self._seen.popleft()[1]
        if len(self._seen) >= MIN_ATTEMPTS and 100 * self._failed >= FAILED_PERCENT * len(self._seen):
            self._open(now)

    def _open(self, now: int) -> None:
        self.circuit, self._open_until = Circuit.OPEN, now + OPEN_MS

    def _close(self) -> None:
        self.circuit = Circuit.CLOSED
        self._seen.clear()
        self._failed = 0


class Bucket:
    """A token bucket: so many a second, and at most a second's worth at once.

    Args:
        rate: tokens a second.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._tokens = float(rate)
        self._at = 0

    def wait(self, now: int) -> int:
        """0 when there is a token, else milliseconds until there is one."""
        self._fill(now)
        return 0 if self._tokens >= 1 else int((1 - self._tokens) / self.rate * 1000) + 1

    def take(self) -> None:
        """Use the token that `wait` has shown."""
        self._tokens -= 1

    def _fill(self, now: int) -> None:
        if now > self._at:
            self._tokens = min(float(self.rate), self._tokens + (now - self._at) * self.rate / 1000)
        self._at = now  # a clock set back gives nothing, and takes nothing
