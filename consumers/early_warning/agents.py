"""The agents: what comes is handed to the work in its turn, batch by batch (see `order`).

Each runs once: more of them lose messages (faust-streaming #606). Where work gives way, a rebalance may come between: the work is then left
as it is, and what it had comes again. An agent that fails never ends: the process does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.early_warning.app import Application
from consumers.standing.consumed import Consumed
from exchange.errors import RetryLaterError

BATCH_WAIT = 0.1
"""Seconds that a batch waits to fill."""
SETTLING = 0.02
"""Seconds between looks whether partitions are settled."""


class FaustMessage:
    """A Faust event with the methods of confluent-kafka's Message, as the bus's decoder wants them."""

    __slots__ = ("_message",)

    def __init__(self, message: Any) -> None:
        self._message = message

    def topic(self) -> str:
        """See `Consumed`."""
        return self._message.topic  # type: ignore[no-any-return]

    def partition(self) -> int:
        """See `Consumed`."""
        return self._message.partition  # type: ignore[no-any-return]

    def offset(self) -> int:
        """See `Consumed`."""
        return self._message.offset  # type: ignore[no-any-return]

    def key(self) -> bytes | None:
        """See `Consumed`."""
        return self._message.key  # type: ignore[no-any-return]

    def value(self) -> bytes | None:
        """See `Consumed`."""
        return self._message.value  # type: ignore[no-any-return]

    def headers(self) -> list[tuple[str, bytes]] | None:
        """See `Consumed`."""
        return list(self._message.headers or ())

    def timestamp(self) -> tuple[int, int]:
        """See `Consumed`."""
        return (1, round(self._message.timestamp * 1000))


class GivenAnewError(RetryLaterError):
    """Partitions were given anew while something was worked on: Faust goes back to what is committed, so all of it comes again."""


Work = Callable[[list[Any]], Awaitable[None] | None]
"""What is done with messages in their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """What is done with what comes.

    Attributes:
        count: counts messages of departments; may give way, and raises GivenAnewError where it must not go on.
        add: takes a part that was told to a partition; likewise.
        share: takes what a firm passed on to whom it shares something with.
        failed: ends the process.
    """

    count: Callable[[Sequence[Consumed]], Awaitable[None]]
    add: Callable[[int, dict[str, Any]], Awaitable[None]]
    share: Callable[[int, bytes, bytes], None]
    failed: Callable[[BaseException], None]


def serve(application: Application, inputs: Iterable[str], batch: int, handlers: Handlers) -> None:
    """Let an application that is not started hand over what comes.

    Args:
        application: Faust's.
        inputs: departments' topics.
        batch: messages at a time, at most.
        handlers: of what comes.
    """
    app = application.faust

    async def hand_over(events: Iterable[Any], work: Work) -> None:
        try:
            await _in_turn(app, events, work)
        except GivenAnewError:
            return
        except Exception as error:  # noqa: BLE001 # whatever it is, what came must not be taken for done
            handlers.failed(error)
            await asyncio.Event().wait()

    async def counting(stream: Any) -> None:
        async for events in stream.take_events(batch, within=BATCH_WAIT):
            await hand_over(events, lambda messages: handlers.count([FaustMessage(one) for one in messages]))

    async def adding(stream: Any) -> None:
        async for event in stream.events():
            part = event.value.value
            await hand_over([event], lambda messages, part=part: handlers.add(messages[0].partition, part))  # type: ignore[misc]

    async def sharing(stream: Any) -> None:
        async for event in stream.events():
            await hand_over(
                [event], lambda messages: handlers.share(messages[0].partition, messages[0].key, messages[0].value)
            )

    app.agent(app.topic(*inputs, key_serializer="raw", value_serializer="raw"), name="counting", concurrency=1)(
        counting
    )
    app.agent(application.parts, name="adding", concurrency=1)(adding)
    app.agent(application.shared, name="sharing", concurrency=1)(sharing)


async def _in_turn(app: Any, events: Iterable[Any], work: Work) -> None:
    """Work on what is in its turn."""
    await _settled(app)
    order = app.consumer.order
    ours = order.in_turn(event.message for event in events)
    if ours:
        working = work(ours)
        if working is not None:
            await working
        order.done(ours)


async def _settled(app: Any) -> None:
    """Wait until partitions are settled and tables whole.

    Faust asks for that when it takes an event out of its queue, not when a batch is worked on, so what waited in a batch over a
    rebalance would be counted with tables that are another's, or not read back yet. And it lets events flow a moment before it says
    that it is ready.
    """
    while app.rebalancing or not app.tables.actives_ready:  # noqa: ASYNC110 # Faust has no event for it
        await asyncio.sleep(SETTLING)
