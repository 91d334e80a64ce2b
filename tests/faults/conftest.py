"""What every fault test starts from."""

from collections.abc import Iterator

import pytest

from tests.conftest import BusFactory, clear_bus
from tests.faults.bus import BusUnderFault
from tests.receiving import Desks, Pushed


@pytest.fixture
def bus(new_bus: BusFactory) -> Iterator[BusUnderFault]:
    """An empty bus whose processors, servers and records a test may treat badly."""
    with BusUnderFault(new_bus()) as made:
        yield made


@pytest.fixture
def pushed(new_bus: BusFactory) -> Iterator[Pushed]:
    """An empty bus with desks, whose notices dispatchers push."""
    settings = new_bus()
    with Desks() as desks, Pushed(settings, desks) as made:
        yield made
    clear_bus(settings)
