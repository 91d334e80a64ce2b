"""One suite for API keys in Redis and for their in-memory twin."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from exchange.api_keys import KeyStore, MemoryKeys, RedisKeys, issue, recognise, revoke
from exchange.errors import RequestError, RetryLaterError
from exchange.redis_client import connect

NOW = datetime(2026, 5, 20, 2, tzinfo=UTC)


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.servers)])
def keys(request: pytest.FixtureRequest) -> Iterator[KeyStore]:
    if request.param == "memory":
        yield MemoryKeys()
    else:
        client = connect(request.getfixturevalue("bus_settings").redis)
        yield RedisKeys(client)
        client.close()


def test_a_key_is_recognised_and_its_secret_is_kept_nowhere(keys: KeyStore) -> None:
    secret, key = issue(keys, "gd.fin", "采购系统", NOW)
    assert secret.startswith("cbk_")
    assert len(secret) > 40
    assert recognise(keys, secret) == key
    assert secret not in repr(keys.all())
    assert (key.department, key.name, key.issued_at) == ("gd.fin", "采购系统", NOW)


@pytest.mark.parametrize("shown", ["", "cbk_", "cbk_" + "A" * 43, "Bearer x", "cbk_密"])
def test_what_is_no_key_is_not_recognised(keys: KeyStore, shown: str) -> None:
    issue(keys, "gd.fin", "", NOW)
    assert recognise(keys, shown) is None


def test_a_key_changed_behind_its_id_is_not_recognised(keys: KeyStore) -> None:
    secret, key = issue(keys, "gd.fin", "", NOW)
    keys.put(type(key)(id=key.id, digest="0" * 64, department="gd.fin", issued_at=NOW))
    assert recognise(keys, secret) is None


def test_a_revoked_key_is_worth_nothing_and_leaves_its_trace(keys: KeyStore) -> None:
    secret, key = issue(keys, "gd.fin", "", NOW)
    other, _ = issue(keys, "gd.fin", "", NOW)
    ended = revoke(keys, key.id, NOW)
    assert recognise(keys, secret) is None
    assert recognise(keys, other) is not None
    assert revoke(keys, key.id, datetime.now(UTC)) == ended, "the first time counts"
    assert {one.id: one.revoked_at for one in keys.all()}[key.id] == NOW


def test_a_key_that_is_not_there_cannot_be_revoked(keys: KeyStore) -> None:
    with pytest.raises(RequestError, match="no key 'abc'"):
        revoke(keys, "abc", NOW)


def test_without_redis_nobody_is_recognised() -> None:
    with pytest.raises(RetryLaterError, match="cannot be read"):
        recognise(RedisKeys(connect("redis://127.0.0.1:1/0", timeout=0.2)), "cbk_" + "A" * 43)
