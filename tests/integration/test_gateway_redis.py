"""Rate limits and idempotency keys on the real Redis: shared by all processes, in time, each name its own."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from exchange.errors import RetryLaterError
from exchange.http.problems import RefusedError
from exchange.rate_limit import RateLimit
from exchange.redis_client import connect
from exchange.settings import Settings
from producers.gateway.idempotency import Answer, Claim, IdempotencyKeys
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
ANSWER = Answer(status=207, content="结果 results".encode())


@pytest.fixture(scope="module")
def settings(new_bus: Any) -> Settings:
    made: Settings = new_bus()
    return made


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    with connect(settings.redis) as found:
        found.flushdb()
        yield found


@pytest.fixture
def keys(client: "redis.Redis") -> IdempotencyKeys:
    return IdempotencyKeys(client, keep_seconds=60, lease_seconds=0.4)


def claimed(keys: IdempotencyKeys, key: str = "k", department: str = "gd.tax", fingerprint: str = "f") -> Claim:
    found = keys.claim(department, key, fingerprint)
    assert isinstance(found, Claim)
    return found


def refusal(keys: IdempotencyKeys, fingerprint: str = "f") -> tuple[int, str]:
    with pytest.raises(RefusedError) as refused:
        keys.claim("gd.tax", "k", fingerprint)
    return refused.value.status, refused.value.code


def test_a_burst_then_the_rate(client: "redis.Redis") -> None:
    one, other = (RateLimit(client, "records", per_second=20, burst=5) for _ in range(2))
    started = time.monotonic()
    taken = [one.take("a").taken for _ in range(5)]
    refused = other.take("a")
    assert taken == [True] * 5
    if time.monotonic() - started < 0.04:  # else a unit has come back meanwhile
        assert (refused.taken, refused.remaining) == (False, 0)
        assert 0 < refused.wait_seconds <= 0.05
    assert one.take("b").remaining == 4
    wait_until(lambda: one.take("a", 5).taken, within_seconds=5)
    assert time.monotonic() - started >= 0.25


def test_what_is_charged_afterwards_is_waited_for(client: "redis.Redis") -> None:
    limit = RateLimit(client, "records", per_second=10, burst=10)
    assert limit.charge("a", 30).remaining == 0
    assert 2.0 < limit.take("a").wait_seconds <= 2.1
    assert limit.policy == '"records";q=10;w=1'
    assert client.pttl("rate:records:a") <= 3100, "it forgets by itself"


def test_a_key_is_claimed_once(keys: IdempotencyKeys) -> None:
    claim = claimed(keys)
    assert refusal(keys) == (409, "in_flight")
    assert refusal(keys, "other") == (422, "key_reused")
    claimed(keys, department="gd.fin")
    claimed(keys, "another")
    keys.settle(claim, ANSWER)
    assert keys.claim("gd.tax", "k", "f") == ANSWER
    assert refusal(keys, "other") == (422, "key_reused")


def test_a_claim_that_is_given_up_or_runs_out_may_be_made_again(keys: IdempotencyKeys) -> None:
    keys.settle(claimed(keys), None)
    stale = claimed(keys)
    found: list[object] = []

    def runs_out() -> bool:
        try:
            found.append(keys.claim("gd.tax", "k", "f"))
        except RefusedError:
            return False
        return True

    wait_until(runs_out, within_seconds=5)
    keys.settle(stale, ANSWER)
    assert refusal(keys) == (409, "in_flight"), "the claim is another's by now"
    (fresh,) = found
    assert isinstance(fresh, Claim)


def test_without_redis(settings: Settings) -> None:
    client = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    with pytest.raises(RetryLaterError, match="rate limit"):
        RateLimit(client, "records", per_second=1, burst=1).take("a")
    with pytest.raises(RetryLaterError, match="idempotency"):
        IdempotencyKeys(client, keep_seconds=1).claim("gd.tax", "k", "f")
    client.close()
