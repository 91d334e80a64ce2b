"""The fault campaign in the size of CI; the long form is `python -m tests.faults.campaign` (docs/faults.md)."""

import os
from pathlib import Path

import pytest

from tests.extent import sized
from tests.faults.campaign.campaign import run_campaign
from tests.faults.campaign.schedule import draw_schedule, named

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]
SEED = int(os.environ.get("CREDITBUS_TEST_SEED", "20261128"))
FAULTS = sized(4, 100)
QUICK = (
    "processor killed", "all processors killed", "clock jump", "dispatcher killed", "slow receivers", "broker killed", "broker hiccup",
    "client - broker cut", "client - broker slow", "broker - broker cut", "processor - Redis cut", "Redis fails over",
    "Redis loses writes", "Redis killed",
)  # fmt: skip
"""Kinds that last for seconds; the others are in the long form."""


def test_nothing_is_lost_or_wrong_whatever_happens(tmp_path: Path) -> None:
    print(f"seed {SEED}; CREDITBUS_TEST_SEED chooses another")
    outcome = run_campaign(
        tmp_path, draw_schedule(SEED, FAULTS, named(QUICK)), seed=SEED, rate=20, partitions=2, say=print, check_every=FAULTS
    )  # fmt: skip
    assert outcome.is_good, outcome.as_json()
    assert len(outcome.faults) == FAULTS
    (checked,) = outcome.checks
    assert checked.records > 30 * FAULTS
    assert checked.notices > 10 * FAULTS
    assert checked.received > 0
