"""A worker ends when it is told to, whatever it has still to look at; what many firms pass on is waited for together."""

import asyncio
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from consumers.early_warning import process as early_warning_process
from consumers.early_warning.process import LOOK_EVERY, EarlyWarningProcess
from consumers.early_warning.state import MemoryTables, Watched, encode
from consumers.early_warning.watching import Watching
from consumers.early_warning.work import Work
from exchange.clock import now_ms


async def noop() -> None:
    """Faust starts and stops."""


def made(faust: object, work: Any) -> EarlyWarningProcess:
    """A process of doubles, which have what a look asks for."""
    nothing: Any = SimpleNamespace(
        waits=lambda *_, **__: 0, progress=lambda: None, lag=lambda _: None, ask=lambda: SimpleNamespace(committed={})
    )
    return EarlyWarningProcess(
        prepare=lambda: None,
        make=lambda _: (faust, work),
        ends=nothing,
        recounting=None,
        report=nothing,
        liveness=nothing,
    )


def run(process: EarlyWarningProcess) -> None:
    """As a program does, in a thread."""
    thread = threading.Thread(target=process.run, daemon=True)
    thread.start()
    thread.join(LOOK_EVERY + 10)
    assert not thread.is_alive()


def test_a_look_that_takes_long_is_left_when_the_process_is_to_end() -> None:
    looks: list[str] = []

    async def look(_ends: object) -> None:
        looks.append("begun")
        process.stop()
        await asyncio.sleep(60)
        looks.append("done")

    faust = SimpleNamespace(start=noop, stop=noop, crashed=False)
    process = made(faust, SimpleNamespace(partitions=lambda: [0], is_ready=lambda: True, look=look))
    run(process)
    assert looks == ["begun"]


def test_it_ends_though_faust_does_not(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def hang() -> None:
        for _ in range(10):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    async def look(_ends: object) -> None:
        process.stop()

    monkeypatch.setattr(early_warning_process, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(early_warning_process, "CANCEL_SECONDS", 0.1)
    faust = SimpleNamespace(start=hang, stop=lambda: asyncio.sleep(60), crashed=False)
    process = made(faust, SimpleNamespace(partitions=lambda: [0], is_ready=lambda: True, look=look))
    run(process)
    assert "faust does not end" in caplog.text
    assert "left as they hang tasks=1" in caplog.text


def test_what_many_firms_pass_on_is_waited_for_together() -> None:
    tables, firms = MemoryTables(), 200
    for number in range(firms):
        tables.signals.put(0, f"org:{number}", encode(Watched(links=[("address:广州", b"%d" % number)])))

    async def send() -> Watching:
        given: list[asyncio.Future[None]] = []

        def send_soon(**_message: object) -> asyncio.Future[None]:
            given.append(asyncio.get_running_loop().create_future())
            if len(given) == firms:  # the broker answers nothing before it has them all
                for one in given:
                    one.set_result(None)
            return given[-1]

        unused: Any = None
        watching = Watching(tables.signals, unused, unused, shared=False)
        faust = SimpleNamespace(
            consumer_generation_id=-1, rebalancing=False, tables=SimpleNamespace(actives_ready=True)
        )
        application: Any = SimpleNamespace(
            faust=faust, parts=None, shared=SimpleNamespace(send_soon=send_soon), windows=None
        )
        work = Work(
            application, intake=unused, closing=unused, adding=unused, watchers=unused, partitions=4, now=now_ms,
            outbound=unused, codec=unused, report=unused,
        )  # fmt: skip
        await asyncio.wait_for(work._send(0, watching), 5)
        return watching

    assert not list(asyncio.run(send()).waiting(0))
