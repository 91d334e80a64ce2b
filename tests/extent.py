"""How much a run of the suites does: what `make test` has time for on two cores, or with CREDITBUS_TEST_THOROUGH=1 all of it (`make long`).

Of the tests that kill processes and servers and wait for them to come back, and of those in a real browser, a run does a quarter.
pytest-randomly's seed chooses which, so that runs together do all; a test that is asked for by its name is never left out.
"""

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import pytest

THOROUGH = os.environ.get("CREDITBUS_TEST_THOROUGH") == "1"
SHARE = 4
"""One of so many is done."""
FOLDERS = frozenset({"faults", "browser"})
"""Of suites of which, as of tests marked `drawn`, a share is done."""

Size = TypeVar("Size")


def sized(usual: Size, thorough: Size) -> Size:
    """How many kills, records or rounds: what is usual, or what a thorough run does."""
    return thorough if THOROUGH else usual


def left_out(items: Sequence[pytest.Item], seed: int) -> list[pytest.Item]:
    """The tests that this run does not do: a share is done of each suite's that need servers, and of each file's that are marked `drawn`.

    Args:
        items: what was collected, in any order.
        seed: of this run; every process of it must have the same.
    """
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        file = item.nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        if folder.rpartition("/")[2] in FOLDERS and item.get_closest_marker("servers") is not None:
            groups[folder].append(item)
        elif item.get_closest_marker("drawn") is not None:
            groups[file].append(item)
    out: list[pytest.Item] = []
    for name, tests in groups.items():
        tests.sort(key=lambda item: item.nodeid)
        random.Random(f"{seed} {name}").shuffle(tests)
        out += tests[-(-len(tests) // SHARE) :]
    return out
