"""Every consumer looks at its topics again every ten seconds: what librdkafka forgets of a partition it asks then (`REFRESHED`)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.brokers import Brokers
from exchange.kafka import REFRESHED, reading

ROOT = Path(__file__).parents[2]
PACKAGES = ("exchange", "consumers", "producers", "deploy")
ASKS_ONLY = {"consumers/standing/run.py: {**kafka.config(), 'group.id': parts.group}"}
"""Reads no message: it asks what a group has committed."""


def configurations() -> Iterator[str]:
    """What each of the project's consumers is made of, with its file."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Consumer":
                    yield f"{path.relative_to(ROOT)}: {ast.unparse(node.args[0])}"


def test_what_reads_looks_again() -> None:
    assert reading(Brokers("k:9092"), "g").items() >= REFRESHED.items()


@pytest.mark.parametrize("configuration", sorted(set(configurations()) - ASKS_ONLY))
def test_a_consumer_is_made_of_it(configuration: str) -> None:
    assert "reading(" in configuration or "REFRESHED" in configuration


def test_consumers_are_found() -> None:
    assert len(set(configurations())) >= 10
    assert set(configurations()) > ASKS_ONLY
