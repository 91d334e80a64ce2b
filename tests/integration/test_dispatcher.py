"""The dispatcher on real servers and real endpoints: messages, order, answers, states, recovery, log and receipts."""

from collections.abc import Iterator

import pytest

from exchange.settings import Settings
from tests.receiving import DEPARTMENTS, Desks, Pushed

pytestmark = pytest.mark.servers


@pytest.fixture
def pushed(bus_settings: Settings) -> Iterator[Pushed]:
    with Desks() as desks, Pushed(bus_settings, desks) as made:
        yield made


def test_every_notice_reaches_its_desk_signed_and_in_order(pushed: Pushed) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    for n in range(1, 4):
        for number in range(30):
            pushed.put(DEPARTMENTS[number % 3], number, n)
    pushed.start()
    pushed.flush()
    pushed.all_arrived()
    for n in range(4, 7):
        for number in range(30):
            pushed.put(DEPARTMENTS[number % 3], number, n)
        pushed.flush()
    pushed.all_arrived()
    pushed.stop()
    assert {one.headers["webhook-id"] for one in pushed.desks.desks["gd.fin"].taken} <= {
        f"gd.fin-{k}-0-{n}" for k in range(30) for n in range(7)
    }
    taken = sum(len(desk.taken) for desk in pushed.desks.desks.values())
    receipts = pushed.receipts()
    assert len(receipts) == taken
