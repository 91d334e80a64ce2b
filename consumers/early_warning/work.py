"""The work of one worker: what comes is counted, what is over is told and added up, what is found is published.

All in one thread; after every pause it is asked whether the partitions are still ours.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from consumers.early_warning.adding import Adding, Found
from consumers.early_warning.agents import GivenAnewError
from consumers.early_warning.app import Application
from consumers.early_warning.closing import Closing, Ends
from consumers.early_warning.codec import Typed
from consumers.early_warning.findings import PUBLISHER
from consumers.early_warning.intake import Intake
from consumers.early_warning.report import EarlyWarningReport
from consumers.early_warning.state import write
from consumers.early_warning.watching import Watchers, Watching
from consumers.standing.consumed import Consumed
from exchange.codec import Codec
from exchange.errors import RejectedError, RetryLaterError
from exchange.http.sending import CONFIRM_SECONDS, Outbound
from exchange.partitioner import partition_of

WARNING = "early_warning"
LOOK_AGAIN = 0.01
"""Seconds between looks whether the broker has what was sent."""
AT_ONCE = 500
"""Series or subjects whose messages the broker is waited for together."""


class Work:
    """What a worker does.

    Args:
        application: Faust's.
        intake: counts.
        closing: knows what is over.
        adding: adds up.
        watchers: of subjects.
        partitions: of the bus.
        now: milliseconds since 1970-01-01 UTC.
        outbound: publishes warnings.
        codec: of the bus.
        report: metrics.
        on_step: told each step's name as it begins; fault tests end the process there.
    """

    def __init__(
        self,
        application: Application,
        *,
        intake: Intake,
        closing: Closing,
        adding: Adding,
        watchers: Watchers,
        partitions: int,
        now: Callable[[], int],
        outbound: Outbound,
        codec: Codec,
        report: EarlyWarningReport,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._faust = application.faust
        self._parts = application.parts
        self._shared = application.shared
        self._windows = application.windows
        self._intake = intake
        self._closing = closing
        self._adding = adding
        self._watchers = watchers
        self._count = partitions
        self._now = now
        self._outbound = outbound
        self._codec = codec
        self._report = report
        self._on_step = on_step
        self._generation = -1

    async def count(self, messages: Sequence[Consumed]) -> None:
        """Count a batch of departments' messages.

        Raises:
            GivenAnewError: between two stages of what is to be written; whoever has the partitions now does it again.
        """
        self._begin_anew()
        generation = self._generation
        self._on_step("count")
        began_at = time.perf_counter()
        taken = self._intake.take(messages)
        for name, changes in taken.stages.items():
            await self._confirmed(self._faust.producer.given(), generation)
            write(changes)
            self._on_step(name)
        places: dict[int, list[tuple[str, int, int]]] = {}
        for message in messages:
            place = (message.topic(), message.offset(), message.timestamp()[1])
            places.setdefault(message.partition(), []).append(place)
        for number, of_partition in places.items():
            self._closing.taken(number, of_partition, taken.changed.get(number, set()))
            self._watchers.subjects.take(number, taken.arrivals.get(number, ()))
        self._report.counted(taken, Counter(message.topic() for message in messages), time.perf_counter() - began_at)
        self._on_step("counted")

    async def add(self, number: int, value: dict[str, Any]) -> None:
        """Take what a partition of records has told.

        Raises:
            GivenAnewError: before it is known to be on the broker; whoever has the partition now takes it again.
        """
        self._begin_anew()
        generation = self._generation
        self._on_step("add")
        self._report.late(self._adding.take(number, value))
        if self._adding.is_further(number, value):
            await self._confirmed(self._faust.producer.given(), generation)
            self._adding.reached(number, value)

    def share(self, number: int, key: bytes, fact: bytes) -> None:
        """Take what a firm passed on to whom it shares something with."""
        self._begin_anew()
        self._on_step("share")
        self._watchers.groups.take_shared(number, key.decode(), fact)

    async def look(self, ends: Ends) -> None:
        """Tell what is over, add it up, and publish what follows; what the broker does not confirm is told again at the next look.

        Raises:
            RetryLaterError: the bus does not take or confirm something in time.
        """
        if not self.is_ready():
            return
        self._begin_anew()
        self._report.fetched_again(await self._faust.consumer.fetch_again())
        for number in self.partitions():
            self._on_step("tell")
            await self._tell(number, ends)
        for number in self.partitions():
            await self._add_up(number)
        for number in self.partitions():
            await self._publish_found(number)
            for watching in (self._watchers.subjects, self._watchers.groups):
                watching.look(number, self._now())
                await self._send(number, watching)
        self._report.state(self._adding.closed_until(number) for number in self.partitions())

    async def _send(self, number: int, watching: Watching) -> None:
        """Publish what follows from signs, and pass on what firms share."""
        generation, waiting = self._generation, watching.waiting(number)
        while some := list(islice(waiting, AT_ONCE)):
            sent = [
                self._shared.send_soon(key=link.encode(), value=fact, partition=partition_of(link, self._count))
                for _, watched in some
                for link, fact in watched.links
            ]
            await self._have(sent, generation)
            await self._publish([one for _, watched in some for one in watched.unsent], generation)
            for key, watched in some:
                watching.sent(number, key, watched)

    async def _tell(self, number: int, ends: Ends) -> None:
        telling = self._closing.tell(number, ends)
        if telling is None:
            return
        generation, key = self._generation, b"%d" % number
        sent = [
            self._parts.send_soon(key=key, value=Typed("window_part", part.value), partition=part.partition)
            for part in telling.parts
        ]
        try:
            await self._have(sent, generation)
        except BaseException:
            self._closing.untold(number, telling)
            raise
        self._on_step("told")
        self._closing.told(number, telling)

    async def _add_up(self, number: int) -> None:
        generation = self._generation
        told: list[Found] = []
        sent = []
        for found in self._adding.look(number):
            self._on_step("looked")
            self._report.looked(found)
            told.append(found)
            for value in found.counts:
                key = f"{value['series']}/{value['width']}/{value['start']}".encode()
                sent.append(self._windows.send_soon(key=key, value=Typed("window_count", value)))
        await self._have(sent, generation)
        for found in told:
            self._adding.told(number, found)

    async def _have(self, sent: Sequence[Any], generation: int) -> None:
        """Until the broker has messages.

        Raises:
            RetryLaterError: it has not in time, or the partitions are no longer ours.
        """
        if not sent:
            return
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._confirmed(sent, generation)
        except TimeoutError:
            raise RetryLaterError(
                "the broker does not confirm", code="unconfirmed", remedy="it is told again"
            ) from None

    async def _confirmed(self, sent: Sequence[Any], generation: int) -> None:
        """Until the broker has messages, however long that takes."""
        while not all(one.done() for one in sent):
            await asyncio.sleep(LOOK_AGAIN)
            self._check_ours(generation)
        for one in sent:
            one.result()
        self._check_ours(generation)

    def _check_ours(self, generation: int) -> None:
        if not self.is_ready() or self._faust.consumer_generation_id != generation:
            raise GivenAnewError("partitions were given anew", code="rebalanced", remedy="whoever has them tells it")

    async def _publish_found(self, number: int) -> None:
        """Publish what baselines have found."""
        generation, unsent = self._generation, self._adding.unsent(number)
        while some := list(islice(unsent, AT_ONCE)):
            await self._publish([one for _, warnings in some for one in warnings], generation)
            for series, warnings in some:
                self._adding.sent(number, series, warnings)

    async def _publish(self, warnings: Sequence[bytes], generation: int) -> None:
        """Publish warnings; whoever has the partition after a rebalance publishes the same records again."""
        if not warnings:
            return
        self._on_step("publish")
        await asyncio.to_thread(self._confirm, warnings)
        self._on_step("published")
        self._check_ours(generation)
        self._report.published(len(warnings))

    def _confirm(self, warnings: Iterable[bytes]) -> None:
        """Publish, and wait for the broker; a warning that breaks a rule of the bus is a fault of ours, told and left out.

        Raises:
            RetryLaterError: the bus does not take or confirm one.
        """
        receipts = []
        for raw in warnings:
            _, record = self._codec.decode(raw)
            try:
                receipts.append(self._outbound.publish(PUBLISHER, record, WARNING))
            except RejectedError as error:
                self._report.refused(record["document"], error)
        for receipt in receipts:
            try:
                receipt.result(timeout=CONFIRM_SECONDS)
            except TimeoutError:
                raise RetryLaterError(
                    "a warning is not confirmed", code="unconfirmed", remedy="it is sent again"
                ) from None

    def closed_until(self) -> int:
        """Windows that end by then are over and published; 0 from all workers but one, who has the first partition."""
        return self._adding.closed_until(0) if self.is_ready() and 0 in self.partitions() else 0

    def is_ready(self) -> bool:
        """Whether tables are whole and partitions settled."""
        return bool(self._faust.tables.actives_ready and not self._faust.rebalancing)

    def partitions(self) -> list[int]:
        """Partitions that are ours."""
        name = self._parts.get_topic_name()
        return sorted(tp.partition for tp in self._faust.assignor.assigned_actives() if tp.topic == name)

    def _begin_anew(self) -> None:
        """Once for each time that partitions are given."""
        if self._faust.consumer_generation_id != self._generation:
            self._generation = self._faust.consumer_generation_id
            self._closing.forget()
            self._adding.forget()
            self._watchers.forget()
            self._report.rebalanced(len(self.partitions()))
