"""How far a monthly round has come: kept in Redis, and by the twin in the same way."""

from collections.abc import Callable

import pytest

from exchange.errors import RetryLaterError
from exchange.redis_client import connect
from exchange.risk_rounds import MemoryRounds, RedisRounds, Round, Rounds
from exchange.settings import Settings

KINDS = [pytest.param("redis", marks=pytest.mark.servers), "memory"]


@pytest.fixture(params=KINDS)
def rounds(request: pytest.FixtureRequest) -> Rounds:
    makers: dict[str, Callable[[], Rounds]] = {
        "redis": lambda: RedisRounds(connect(request.getfixturevalue("bus_settings").redis)),
        "memory": MemoryRounds,
    }
    return makers[request.param]()


def test_what_was_written_is_read_for_each_partition(rounds: Rounds) -> None:
    assert rounds.read(0) == Round()
    under_way = Round(month="2026-11", upto="org:1", letters={"A": 5, "B": 0, "C": 0, "D": 1})
    rounds.write(0, under_way)
    assert (rounds.read(0), rounds.read(1)) == (under_way, Round())
    done = Round(month="2026-11", upto="org:2", done=True, letters={"A": 6, "B": 1, "C": 0, "D": 1})
    rounds.write(0, done)
    assert rounds.read(0) == done


def test_a_server_that_is_away_is_told() -> None:
    rounds = RedisRounds(connect(Settings(redis="redis://127.0.0.1:1/0").redis))
    with pytest.raises(RetryLaterError):
        rounds.read(0)
    with pytest.raises(RetryLaterError):
        rounds.write(0, Round())
