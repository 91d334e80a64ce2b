"""A member that is refused for good: now and then it joins anew, again and again it has a twin."""

import pytest

from consumers.standing.twins import TWIN_AFTER, TWIN_WITHIN, Refusals
from exchange.errors import FatalError


def test_again_and_again_means_a_twin() -> None:
    now = 0.0
    refusals = Refusals(lambda: now)
    for _ in range(3 * TWIN_AFTER):
        refusals.note()
        now += TWIN_WITHIN / TWIN_AFTER
    refusals.note()
    with pytest.raises(FatalError, match="keeps refusing") as refused:
        refusals.note()
    assert refused.value.code == "member_refused"
