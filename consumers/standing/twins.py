"""Members that the group refuses for good: a name that nobody has any more, or a real twin.

A broker that dies while a member joins can keep the member's name for a twin that nobody is, and then fences the real one
(FENCED_INSTANCE_ID). The newcomer fences the twin; again and again means a real twin.
"""

import time
from collections import deque
from collections.abc import Callable

from exchange.errors import FatalError

TWIN_AFTER = 5
TWIN_WITHIN = 60.0
"""A member that has to be replaced so often within so many seconds has a real twin: they fence each other in turn."""


class Refusals:
    """Counts how often a member was refused for good.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: deque[float] = deque(maxlen=TWIN_AFTER)

    def note(self) -> None:
        """Once more.

        Raises:
            FatalError: so often that somebody else must have this member's name.
        """
        if len(self._at) == TWIN_AFTER and self._clock() - self._at[0] < TWIN_WITHIN:
            raise FatalError(
                "the group keeps refusing this member",
                code="member_refused",
                remedy="give each process a CREDITBUS_INSTANCE_ID of its own, then start again",
            )
        self._at.append(self._clock())
