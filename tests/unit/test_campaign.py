"""Parts of the fault campaign: its schedule, its figures, its network."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.local.ports import HOST
from tests.faults.campaign.kinds.of_brokers import BrokerKilled
from tests.faults.campaign.kinds.of_processes import ProcessorKilled
from tests.faults.campaign.network import Network
from tests.faults.campaign.oracle import Checked
from tests.faults.campaign.outcome import Injected, Outcome, percentile
from tests.faults.campaign.probes import DESK, MARK, READER, Probes
from tests.faults.campaign.schedule import KINDS, draw_schedule, named
from tests.faults.soak import slope


def test_a_seed_gives_the_same_faults_in_the_same_order() -> None:
    assert draw_schedule(7, 200) == draw_schedule(7, 200)
    assert draw_schedule(7, 50) == draw_schedule(7, 200)[:50]
    assert draw_schedule(7, 50) != draw_schedule(8, 50)


def test_every_kind_comes_before_any_comes_again() -> None:
    kinds = [fault.kind for fault in draw_schedule(3, len(KINDS))]
    assert sorted(kinds) == sorted(kind.kind for kind in KINDS)
    assert len(set(kinds)) == len(kinds)


def test_only_the_kinds_that_are_named() -> None:
    kinds = named(["broker killed", "processor killed"])
    assert {type(fault) for fault in draw_schedule(1, 20, kinds)} == {BrokerKilled, ProcessorKilled}
    with pytest.raises(SystemExit, match="no kind 'broker loved'"):
        named(["broker loved"])


def test_a_fault_lasts_as_long_as_its_kind_may() -> None:
    for kind in KINDS:
        if kind.kind != "two at once":
            fault = kind.draw(random.Random(1))
            assert kind.lasting[0] <= fault.seconds <= kind.lasting[1]


def injected(kind: str, away: float) -> Injected:
    return Injected(number=1, kind=kind, detail="", lasted=1, away=away, after=away / 2, settled=1)


def test_what_differs_or_fails_is_not_good() -> None:
    outcome = Outcome(seed=1, checks=[Checked()])
    assert outcome.is_good
    for checked in (Checked(lost=1), Checked(wrong=1), Checked(disordered=1)):
        assert not Outcome(seed=1, checks=[Checked(), checked]).is_good
    assert not Outcome(seed=1, failure="it hangs").is_good


def test_figures_by_kind() -> None:
    outcome = Outcome(seed=1, faults=[injected("a", away) for away in range(1, 101)] + [injected("b", 3)])
    kinds = outcome.by_kind()
    assert (kinds["a"]["faults"], kinds["a"]["away_p50_s"], kinds["a"]["away_p95_s"], kinds["a"]["away_max_s"]) == (
        100,
        50,
        95,
        100,
    )
    assert kinds["b"]["after_max_s"] == 1.5
    assert outcome.table().row_count == 2
    assert percentile([5.0], 50) == 5.0


def test_probes_know_who_waits_for_what() -> None:
    sent: list[dict[str, object]] = []
    probes = Probes(2, lambda _department, _kind, record: sent.append(record))
    began = time.monotonic()
    for _ in range(3):
        for partition in (0, 1):
            probes._probe(partition)
    assert len(sent) == 3 + 3 + 2 + 2, "each but the first takes the one before back"
    assert not probes.are_through(began)
    for department in (READER, DESK):
        probes.see(department, [f"{MARK}-0-3", "another document"])
        probes.see(department, [f"{MARK}-1-2"])
    assert probes.are_through(began)
    assert not probes.are_through(time.monotonic())
    assert "[1] 1 on their way" in probes.late()
    time.sleep(0.05)
    assert probes.longest_wait(READER, began) >= 0.05, "who still waits counts"
    probes.see(READER, [f"{MARK}-1-3"])
    probes.forget(time.monotonic())
    assert probes.longest_wait(READER, began) == 0


def test_a_slope_by_least_squares() -> None:
    rising = slope([0, 60, 120, 180], [100, 101, 102, 103])
    assert (round(rising.per_hour, 6), rising.is_flat) == (60, False)
    assert slope([0, 60, 120, 180], [100, 103, 97, 100]).is_flat
    assert slope([0, 60, 120], [100, 100, 100]).is_flat


class Echo(threading.Thread):
    """A server that sends back what it gets, with its name before it."""

    def __init__(self, name: bytes) -> None:
        super().__init__(daemon=True)
        self._prefix = name
        self.listening = socket.create_server((HOST, 0))
        self.port = self.listening.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(4096):
                    connection.sendall(self._prefix + data)
            except OSError:
                return


@pytest.fixture
def echoes() -> Iterator[tuple[Echo, Echo]]:
    servers = Echo(b"a"), Echo(b"b")
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.listening.close()


def dial(where: str) -> socket.socket:
    host, port = where.split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def ask(connection: socket.socket, what: bytes) -> bytes:
    connection.sendall(what)
    return connection.recv(4096)


def is_gone(connection: socket.socket) -> bool:
    """Whether the connection is reset or closed."""
    try:
        return ask(connection, b"?") == b""
    except ConnectionError:
        return True


def test_links_are_cut_held_slowed_and_mended(echoes: tuple[Echo, Echo]) -> None:
    with Network() as network:
        one = network.link("one", "server", echoes[0].port)
        two = network.link("two", "server", echoes[0].port)
        network.open()
        with closing(dial(one)) as first, closing(dial(two)) as second:
            assert (ask(first, b"1"), ask(second, b"2")) == (b"a1", b"a2")

            network.hold("one", "server")
            first.sendall(b"3")
            first.settimeout(0.3)
            with pytest.raises(TimeoutError):
                first.recv(10)
            assert ask(second, b"4") == b"a4", "the other link is as before"
            network.mend()
            first.settimeout(10)
            assert first.recv(10) == b"a3", "what was held back arrives"

            network.slow("*", "server", 0.2)
            began = time.monotonic()
            assert ask(first, b"5") == b"a5"
            assert time.monotonic() - began >= 0.4, "both ways"

            network.cut("one", "*")
            assert is_gone(first)
        with closing(dial(one)) as refused:
            assert is_gone(refused)
        network.mend("one", "*")
        with closing(dial(one)) as again:
            assert ask(again, b"8") == b"a8"


def test_a_destination_is_led_elsewhere(echoes: tuple[Echo, Echo]) -> None:
    with Network() as network:
        where = network.link("one", "redis", echoes[0].port)
        network.open()
        with closing(dial(where)) as before:
            assert ask(before, b"1") == b"a1"
            network.aim("redis", echoes[1].port)
            assert is_gone(before)
        with closing(dial(where)) as after:
            assert ask(after, b"3") == b"b3"
