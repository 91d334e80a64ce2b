"""How much a run of the suites does: what `make test` has time for on two cores, or with CREDITBUS_TEST_THOROUGH=1 all of it (`make long`).

Of tests marked `drawn(n)`, the kills at each step of a protocol above all, a run does `n` of each function's cases. pytest-randomly's seed
chooses which, so that runs together do all; a test that is asked for by its name is never left out.
"""

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import pytest

THOROUGH = os.environ.get("CREDITBUS_TEST_THOROUGH") == "1"

Size = TypeVar("Size")


def sized(usual: Size, thorough: Size) -> Size:
    """How many kills, records or rounds: what is usual, or what a thorough run does."""
    return thorough if THOROUGH else usual


def left_out(items: Sequence[pytest.Item], seed: int) -> list[pytest.Item]:
    """The tests marked `drawn` that this run does not do.

    Args:
        items: what was collected, in any order.
        seed: of this run; every process of it must have the same.
    """
    cases: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("drawn")
        if mark is not None:
            cases[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    out: list[pytest.Item] = []
    for (name, number), of_one in cases.items():
        of_one.sort(key=lambda item: item.nodeid)
        random.Random(f"{seed} {name}").shuffle(of_one)
        out += of_one[number:]
    return out
