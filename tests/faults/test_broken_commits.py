"""The fault tests can fail: a commit that forgets a part, killed between commit and publish, does not pass the oracle."""

import random

import pytest

from tests.faults.bus import BusUnderFault, shuffled
from tests.faults.records import province

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("broken", "found"), [("outbox", "department"), ("records", "entry")])
def test_a_forgetful_commit_is_found_out(bus: BusUnderFault, broken: str, found: str) -> None:
    bus.feed(shuffled(province(seed=2, count=1000), random.Random(2)))
    bus.start("one", "committed", 2, broken).wait(60)
    bus.start("one")
    bus.wait_quiet()
    bus.stop_all()
    verdict = bus.verifier().verify()
    assert not verdict.is_good
    assert verdict.problems[found] > 0, verdict.problems
