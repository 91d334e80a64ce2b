"""What Faust delivers is worked on when all is settled; what it sends is waited for."""

import asyncio
from types import SimpleNamespace

import pytest

from consumers.early_warning.agents import FaustMessage, GivenAnewError, _settled
from consumers.early_warning.client import FlushingProducer
from consumers.early_warning.intake import Intake
from consumers.early_warning.state import MemoryTables
from consumers.early_warning.work import Work
from exchange.clock import now_ms
from tests.early_warning import DEPARTMENTS, TODAY, decoder, looker, messages_of, penalty


def test_it_waits_until_tables_are_whole_and_partitions_settled() -> None:
    async def wait() -> list[bool]:
        app = SimpleNamespace(rebalancing=True, tables=SimpleNamespace(actives_ready=False))
        waiting = asyncio.create_task(_settled(app))
        found = []
        for change in ("rebalancing", "tables"):
            await asyncio.sleep(0.1)
            found.append(waiting.done())
            if change == "rebalancing":
                app.rebalancing = False
            else:
                app.tables.actives_ready = True
        await asyncio.wait_for(waiting, 1)
        return found

    assert asyncio.run(wait()) == [False, False]


def test_an_event_reads_like_a_message_of_confluent_kafka() -> None:
    one = FaustMessage(
        SimpleNamespace(
            topic="credit.in.gd.tax", partition=2, offset=7, key=b"k", value=b"v", timestamp=1795622400.123,
            headers=(("classification", b"CLASSIFIED"),),
        )
    )  # fmt: skip
    assert (one.topic(), one.partition(), one.offset(), one.key(), one.value()) == (
        "credit.in.gd.tax",
        2,
        7,
        b"k",
        b"v",
    )
    assert one.headers() == [("classification", b"CLASSIFIED")]
    assert one.timestamp() == (1, 1795622400123)


def test_flush_waits_for_every_message_and_fails_with_it() -> None:
    async def noop() -> None:
        """The broker's client has nothing left."""

    async def flush() -> bool:
        producer = FlushingProducer.__new__(FlushingProducer)
        producer._given, producer._producer, producer._transaction_producers = set(), None, {}
        producer.buffer = SimpleNamespace(put=lambda _: None, flush=noop)
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        producer.send_soon(given)
        waiting = asyncio.create_task(producer.flush())
        await asyncio.sleep(0.3)
        was_waiting = not waiting.done()
        given.set_exception(OSError("refused"))
        with pytest.raises(OSError, match="refused"):
            await waiting
        await producer.flush()
        return was_waiting

    assert asyncio.run(flush())


def test_a_stage_waits_for_the_broker_and_is_not_written_once_partitions_are_given_anew() -> None:
    tables, (message,) = MemoryTables(), messages_of([penalty(1, "罚1", TODAY)])
    number = message.partition()

    async def count() -> None:
        given: list[asyncio.Future[None]] = []
        faust = SimpleNamespace(
            consumer_generation_id=1, rebalancing=False, tables=SimpleNamespace(actives_ready=True),
            producer=SimpleNamespace(given=lambda: tuple(given)), assignor=SimpleNamespace(assigned_actives=set),
        )  # fmt: skip
        application = SimpleNamespace(
            faust=faust, parts=SimpleNamespace(get_topic_name=lambda: "parts"), shared=None, windows=None
        )
        part = SimpleNamespace(forget=lambda: None, rebalanced=lambda _: None)

        def on_step(name: str) -> None:
            if name == "subjects":
                given.append(asyncio.get_running_loop().create_future())

        work = Work(
            application,  # type: ignore[arg-type] # of its parts only what counting asks for; likewise below
            intake=Intake(decoder(), looker(), tables, DEPARTMENTS, now_ms),
            closing=part, adding=part, watchers=part, report=part,  # type: ignore[arg-type]
            partitions=4, now=now_ms, outbound=None, codec=None, on_step=on_step,  # type: ignore[arg-type]
        )  # fmt: skip
        counting = asyncio.create_task(work.count([message]))
        await asyncio.sleep(0.1)
        assert not counting.done()
        faust.consumer_generation_id = 2
        given[0].set_result(None)
        with pytest.raises(GivenAnewError):
            await counting

    asyncio.run(count())
    assert list(tables.subjects.items(number))
    assert not list(tables.documents.items(number)) + list(tables.days.items(number))
