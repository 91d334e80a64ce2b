"""What the controller made is waited for until a broker shows it, and not for ever."""

from itertools import count

import pytest

from exchange.errors import RetryLaterError
from exchange.kafka import wait_shown


def test_it_returns_as_soon_as_a_broker_shows_it() -> None:
    asked = count(1)
    wait_shown(lambda: next(asked) == 3, "created topics")
    assert next(asked) == 4


def test_what_does_not_appear_in_time_is_an_error_that_says_what() -> None:
    with pytest.raises(RetryLaterError, match="created topics do not appear") as caught:
        wait_shown(lambda: False, "created topics", request_seconds=0.01)
    assert (caught.value.code, caught.value.remedy) == ("kafka_unavailable", "try again")
