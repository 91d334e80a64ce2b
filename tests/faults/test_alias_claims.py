"""The rightful claim to an older code comes second, and the processor dies while records change hands."""

import signal
from datetime import date

import pytest

from exchange.partitioner import partition_of
from tests.faults.bus import BusUnderFault, Record, kill
from tests.faults.records import about_firm
from tests.worlds import FIRM, OTHER

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
NUMBER = "449999000000008"
ALIAS = f"reg:{NUMBER}"


def registered(subject: str, on: date) -> Record:
    """A registration that claims the older code."""
    department, record_type, value = about_firm(
        "gd.amr", "registration", "设立", kind="ENTERPRISE", subject_name="合成一号有限公司",
        aliases=[{"kind": "REGISTRATION_NUMBER", "code": NUMBER}],
    )  # fmt: skip
    return department, record_type, {**value, "subject": subject, "decided_on": on}


def of_alias(record: Record) -> Record:
    """The record, about the older code."""
    return (*record[:2], {**record[2], "subject": ALIAS})


def counts(bus: BusUnderFault, subject: str) -> tuple[int, int]:
    """Listings and penalties that a standing counts."""
    standing = bus.store.standing(partition_of(subject, bus.settings.partitions), subject)
    assert standing is not None
    return standing.counts.get("listing", 0), standing.counts.get("penalty", 0)


def test_killed_while_records_change_hands(bus: BusUnderFault) -> None:
    first = bus.start("one")
    bus.feed([
        of_alias(about_firm("gd.tax", "listing", "名1", list_code="TAX", grounds="1")),
        of_alias(about_firm("gd.eco", "penalty", "罚1", severity="GENERAL")),
        registered(OTHER, date(2021, 1, 1)),
    ])  # fmt: skip
    bus.wait_quiet()
    assert counts(bus, OTHER) == (1, 1)
    kill(first)
    bus.feed([registered(FIRM, date(2020, 1, 1))])
    assert bus.start("one", "committed", 2).wait(60) == -signal.SIGKILL
    bus.start("one")
    bus.wait_quiet()
    assert (counts(bus, FIRM), counts(bus, OTHER)) == ((1, 1), (0, 0))
    assert bus.verify().notices >= 2
