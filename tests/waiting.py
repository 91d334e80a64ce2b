"""Waiting for what a test expects to come."""

import time
from collections.abc import Callable


def wait_until(
    is_so: Callable[[], bool], what: str = "what the test waits for", *, within_seconds: float = 120
) -> None:
    """Return as soon as something is so; fail when it is not in time."""
    give_up_at = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < give_up_at, f"not within {within_seconds} s: {what}"
        time.sleep(0.05)
