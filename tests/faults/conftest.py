"""What every fault test starts from."""

from collections.abc import Iterator

import pytest

from tests.conftest import BusFactory
from tests.faults.bus import BusUnderFault


@pytest.fixture
def bus(new_bus: BusFactory) -> Iterator[BusUnderFault]:
    """An empty bus whose processors, servers and records a test may treat badly."""
    with BusUnderFault(new_bus()) as made:
        yield made
