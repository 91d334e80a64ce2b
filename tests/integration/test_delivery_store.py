"""The delivery log keeps what it is told to keep, with its index of notices, and no more."""

import itertools

import pytest

from exchange.delivery_store import DeliveryChange, DeliveryStore
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.waiting import wait_until

FIN, TAX, FIRM = "gd.fin", "gd.tax", "org:91440300PDY00001X3"
DAY_MS = 86_400_000


class Log:
    """One partition's log, written in commits."""

    def __init__(self, settings: Settings, *, entries: int = 1000, kept_ms: int = DAY_MS) -> None:
        self._client = connect(settings.redis)
        self.store = DeliveryStore(self._client, log_entries=entries, log_ms=kept_ms)
        self._token, self._tokens = "t", itertools.count()
        self.store.attach(0, self._token)

    def write(self, *attempts: tuple[str, str]) -> None:
        """One commit of (department, notice)."""
        before, self._token = self._token, f"t{next(self._tokens)}"
        log = [(department, FIRM, notice, notice.encode()) for department, notice in attempts]
        change = DeliveryChange(partition=0, expected=before, token=self._token, log=log)
        assert self.store.commit([change]) == [None]

    def found(self, department: str) -> list[bytes]:
        return self.store.log_of_department(department, 1, 10_000)

    def is_indexed(self, notice: str) -> bool:
        return self.store.place_of_notice(notice, 1) is not None

    def write_as_before(self) -> None:
        """An entry as it was before there was an index of notices."""
        self._client.xadd(f"w{{0}}:l:{FIN}", {"a": b"before"}, id="1-0")

    def indexed(self) -> int:
        return int(self._client.hlen("w{0}:notices"))

    def indexed_of_subject(self, department: str) -> int:
        return int(self._client.llen(f"w{{0}}:s:{department}:{FIRM}"))


def test_log_and_index_keep_as_many_as_they_are_told(bus_settings: Settings) -> None:
    log = Log(bus_settings, entries=10)
    for number in range(40):
        log.write((FIN, f"fin{number}"), (FIN, f"more{number}"))
    log.write((TAX, "tax0"))
    assert log.found(FIN) == [f"{name}{n}".encode() for n in range(39, 34, -1) for name in ("more", "fin")]
    assert log.indexed() == 11, "ten of one department, one of another"
    assert not log.is_indexed("fin34")
    assert log.is_indexed("fin35")
    assert log.store.place_of_notice("tax0", 1) == (0, TAX, FIRM)


def test_the_index_of_a_subject_is_as_long_as_its_log(bus_settings: Settings) -> None:
    log = Log(bus_settings, entries=5)
    log.write((FIN, "tried"), (TAX, "other"))
    for number in range(20):
        log.write((FIN, "tried"), (FIN, f"n{number}"))
    assert log.indexed_of_subject(FIN) == 5
    assert log.indexed_of_subject(TAX) == 1
    assert log.store.log_of_subject(0, FIN, FIRM, 100) == log.found(FIN)


def test_entries_of_before_the_index_leave_too(bus_settings: Settings) -> None:
    log = Log(bus_settings, entries=2)
    log.write_as_before()
    log.write((FIN, "a"), (FIN, "b"), (FIN, "c"))
    assert log.found(FIN) == [b"c", b"b"]


def test_a_lower_limit_is_caught_up_with(bus_settings: Settings) -> None:
    log = Log(bus_settings)
    log.write(*((FIN, f"n{number}") for number in range(500)))
    smaller = Log(bus_settings, entries=10)
    for number in range(5):
        smaller.write((FIN, f"later{number}"))
    assert len(smaller.found(FIN)) == smaller.indexed() == 10


def test_a_notice_is_found_while_any_attempt_of_it_is_kept(bus_settings: Settings) -> None:
    log = Log(bus_settings, entries=3)
    log.write((FIN, "tried"))
    log.write((FIN, "a"), (FIN, "b"))
    log.write((FIN, "tried"))  # the first attempt leaves
    log.write((FIN, "c"))
    assert log.is_indexed("tried")
    log.write((FIN, "d"), (FIN, "e"), (FIN, "f"))
    assert not log.is_indexed("tried")


@pytest.mark.parametrize("kept_ms", [50])
def test_what_is_too_old_leaves_with_the_next_commit(bus_settings: Settings, kept_ms: int) -> None:
    log = Log(bus_settings, kept_ms=kept_ms)
    log.write((FIN, "old"))

    def is_gone() -> bool:
        log.write((FIN, "new"))
        return not log.is_indexed("old")

    wait_until(is_gone)
    assert b"old" not in log.found(FIN)
    assert log.is_indexed("new")
