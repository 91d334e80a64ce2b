"""Clients of Kafka and Redis are opened in one way only, so that none is ever opened without what secures it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("exchange", "producers", "consumers", "deploy")
ONLY = {
    r"bootstrap\.servers": {"exchange/brokers.py", "exchange/java_client.py"},
    r"\bAdminClient\(": {"exchange/kafka.py"},
    r"Redis\.from_url\(|ConnectionPool\.from_url\(": {
        "exchange/redis_client.py", "exchange/async_redis.py", "deploy/local/probe.py",
    },
    r"security_protocol|sasl\.": {
        "exchange/brokers.py", "exchange/java_client.py", "deploy/local/kafka.py", "deploy/kubernetes/servers.py",
    },
}  # fmt: skip
"""Words of an opening, and the files that may have them."""


@pytest.mark.parametrize("words", ONLY)
def test_clients_are_opened_at_the_border(words: str) -> None:
    files = [path for part in PARTS for path in (ROOT / part).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if re.search(words, path.read_text("utf-8"))}
    assert found <= ONLY[words]


def test_every_kafka_client_is_given_the_whole_of_it() -> None:
    """A client's settings come from `reading` or hold `config()`."""
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            text = path.read_text("utf-8")
            opened = len(re.findall(r"(?<![\w\"'])(?:Consumer|Producer)\(\s*[{\w]", re.sub(r"class \w+\(.*", "", text)))
            if opened and re.search(r"from confluent_kafka import .*(Consumer|Producer)", text):
                assert "config()" in text or "reading(" in text or "producer_settings(" in text, path
