"""A lane: everything about one endpoint, so that no endpoint waits for another. Runs in the event loop.

What is due is sent as soon as concurrency, rate, circuit breaker and throttle allow. If it dies here: before the commit of an
outcome the message is sent again, with the same id.
"""

import asyncio
import random
from contextlib import nullcontext

import aiohttp
import msgspec

from consumers.dispatcher.attempt_log import attempt_of, receipt_of
from consumers.dispatcher.message import CONTENT_TYPE
from consumers.dispatcher.pacing import Breaker, Bucket
from consumers.dispatcher.payload_cache import PayloadCache
from consumers.dispatcher.post import Answer, WithheldError, open_session, post
from consumers.dispatcher.queue import Pointer, Queue
from consumers.dispatcher.schedule import DEFAULT_THROTTLE, Outcome, delay, is_exhausted
from consumers.dispatcher.surroundings import Surroundings
from exchange.endpoints import Endpoint, Payload, State
from exchange.errors import RequestError
from exchange.signatures import Signer

FETCHED = 100
"""Notices read again at once."""
UNCERTAIN_MS = 100
"""When it is not certain that a partition is still ours, it is looked at again so soon."""
ABANDONED_MS = 1000
USER_AGENT = "creditbus/1"
encode_pointer = msgspec.msgpack.Encoder().encode
decode_pointer = msgspec.msgpack.Decoder(Pointer).decode


class Lane:
    """One endpoint's deliveries.

    Args:
        endpoint: as it is now.
        around: what all lanes share.
    """

    def __init__(self, endpoint: Endpoint, around: Surroundings) -> None:
        self.endpoint = endpoint
        self.department = endpoint.department
        self.queue = Queue()
        self.breaker = Breaker()
        self.has_failed = self.has_succeeded = self.is_gone = False
        self._around = around
        self._topic = around.topic_of(endpoint.department)
        self._bucket = Bucket(endpoint.rate)
        self._throttled_until = 0
        self.payloads = PayloadCache(around.payload_bytes)
        self._tasks: dict[asyncio.Task[None], Pointer] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._session = self._open()
        self._fetching = asyncio.Lock()
        self._closed = False
        self._signer: tuple[object, Signer] | None = None

    def update(self, endpoint: Endpoint) -> None:
        """Take over what an operator, or another process, has changed."""
        before, self.endpoint = self.endpoint, endpoint
        if (before.url, before.concurrency) != (endpoint.url, endpoint.concurrency):
            self._finish_later(self._session)
            self._session = self._open()
        if before.rate != endpoint.rate:
            self._bucket = Bucket(endpoint.rate)
        if endpoint.state is State.ACTIVE and before.state is not State.ACTIVE:
            self.breaker, self._throttled_until = Breaker(), 0
            self.queue.make_due(self._around.now())
        self.pump()

    def pump(self) -> None:
        """Begin as many attempts as may be begun now, and come back when the next may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed or self.endpoint.state is not State.ACTIVE:
            return
        while len(self._tasks) < self.endpoint.concurrency:
            now = self._around.now()
            wait = self._wait(now)
            if wait is None:
                return  # the end of the probe pumps again
            if wait == 0:
                pointer = self.queue.take(now)
                if pointer is not None:
                    self._begin(pointer)
                    continue
                next_at = self.queue.next_at()
                if next_at is None:
                    return
                wait = next_at - now
            self._timer = asyncio.get_running_loop().call_later(min(max(wait, 1), 60_000) / 1000, self.pump)
            return

    async def settle(self, partition: int | None, within: float) -> None:
        """Wait for the attempts under way, of one partition or of all; those that take longer are given up."""
        tasks = [task for task, pointer in self._tasks.items() if partition in (None, pointer.partition)]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self, within: float) -> None:
        """Begin nothing more, and end what is under way."""
        self._closed = True
        self.pump()
        await self.settle(None, within)
        await self._session.close()

    def drop(self, partition: int) -> None:
        """Forget a partition's notices."""
        self.queue.drop(partition)
        self.payloads.retain(self.queue.waiting, self.queue.under_way)

    def _wait(self, now: int) -> int | None:
        circuit = self.breaker.wait(now)
        if circuit is None:
            return None
        return max(circuit, self._throttled_until - now, self._bucket.wait(now), 0)

    def _begin(self, pointer: Pointer) -> None:
        if not self._around.commits.is_ours(pointer.partition):
            self._put_back(pointer, UNCERTAIN_MS)
            return
        self._bucket.take()
        self.breaker.begin()
        task = asyncio.get_running_loop().create_task(self._attempt(pointer))
        self._tasks[task] = pointer
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        pointer = self._tasks.pop(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            # Given up (its partition goes away, the process ends), or its notice cannot be had now: it waits on as it was.
            self.breaker.abandon(self._around.now())
            self._put_back(pointer, ABANDONED_MS)
        if error is not None:
            self._around.report.attempt_broke(error)
        self.pump()

    def _put_back(self, pointer: Pointer, wait: int) -> None:
        """It waits on as it was, for so many milliseconds at least, unless its partition is no longer here."""
        if self.queue.under_way.get(pointer.subject) is pointer:
            self.queue.failed(pointer, next_at=self._around.now() + wait, attempts=pointer.attempts)

    async def _attempt(self, pointer: Pointer) -> None:
        around = self._around
        body = await self._body(pointer)
        if body is None:
            return
        around.on_step("send")
        try:
            answer = await self._send(pointer, body, around.now())
        except WithheldError:  # ours when the attempt began: since then this process was suspended, or waited long
            self.breaker.abandon(around.now())
            self._put_back(pointer, UNCERTAIN_MS)
            return
        around.on_step("answered")
        self._conclude(pointer, answer, around.now())
        around.on_step("concluded")

    async def _send(self, pointer: Pointer, body: bytes, now: int) -> Answer:
        headers = self.signer(now).headers(pointer.notice, now // 1000, body)
        headers["content-type"] = CONTENT_TYPE
        headers["user-agent"] = USER_AGENT
        try:
            self._around.guard.check_url(self.endpoint.url)  # aiohttp asks no resolver about literal addresses
        except RequestError as error:
            return Answer(Outcome.REFUSED, 0, str(error)[:200], 0, "", 0)
        traces = self._around.traces
        with traces.attempt(pointer.notice, self.department) if traces else nullcontext() as traced:
            return await post(
                self._session, self.endpoint.url, body, headers | (traced or {}), now=now,
                may_send=lambda: self._around.commits.is_ours(pointer.partition),
            )  # fmt: skip

    async def _body(self, pointer: Pointer) -> bytes | None:
        """The message; None when the notice is no longer there."""
        envelope = self._around.envelope
        if self.endpoint.payload is Payload.THIN or self.department in self._around.thin_only:
            return envelope.thin(pointer, self.department, self._topic)
        raw = self.payloads.get(pointer)
        if raw is None:
            async with self._fetching:
                raw = self.payloads.get(pointer) or await self._fetch(pointer)
        if raw is None:
            # Compacted away: a newer notice of this subject is on the topic, and read or about to be.
            self.breaker.abandon(self._around.now())
            self._write_down(pointer, self.queue.discard(pointer))
            self._around.report.compacted()
            return None
        return envelope.full(pointer, raw)

    async def _fetch(self, pointer: Pointer) -> bytes | None:
        self._around.on_step("fetch")
        upcoming = [one for one in self.queue.upcoming(pointer.partition, FETCHED) if self.payloads.get(one) is None]
        offsets = [pointer.offset, *(one.offset for one in upcoming)]
        found = await self._around.reread(self._topic, pointer.partition, offsets)
        for one in upcoming:
            if one.offset in found:
                self.payloads.keep(one, found[one.offset], needed=True)
        return found.get(pointer.offset)

    def _conclude(self, pointer: Pointer, answer: Answer, now: int) -> None:
        if self.queue.under_way.get(pointer.subject) is not pointer:
            self.breaker.abandon(now)
            return  # its partition went to another process, which sends it again under the same id
        delivered = answer.outcome is Outcome.DELIVERED
        throttled = answer.outcome is Outcome.THROTTLED
        self.breaker.ended(now, failed=not delivered and answer.status != TOO_MANY)
        self._around.report.attempt(self.department, answer)
        number, next_at = pointer.attempts + 1, 0
        if delivered:
            self.has_succeeded = True
            kept = self.queue.succeeded(pointer)
        else:
            self.has_failed = True
            next_at = now + delay(number, urgent=pointer.urgent, chance=random.random())  # noqa: S311 # jitter
            if throttled:
                self._throttled_until = max(self._throttled_until, now + (answer.retry_after or DEFAULT_THROTTLE))
                next_at = max(next_at, self._throttled_until)
            if answer.outcome is Outcome.GONE:
                self.is_gone = True
                self.endpoint = self.endpoint.gone(now)
            if is_exhausted(number, urgent=pointer.urgent):
                self._around.report.exhausted(self.department)
            kept = self.queue.failed(pointer, next_at=next_at, attempts=number)
        entry = attempt_of(pointer, self.department, answer, now, number=number, next_at=next_at)
        self._write_down(pointer, kept, entry=entry, answer=answer if delivered else None, now=now)

    def _write_down(
        self, pointer: Pointer, kept: Pointer | None, *, entry: bytes = b"", answer: Answer | None = None, now: int = 0
    ) -> None:
        """One change in Redis: pointer, log, and, when it was delivered, its mark and its receipt."""
        around, place = self._around, (self.department, pointer.subject)
        change = around.commits.change(pointer.partition)
        if change is None:
            return
        waits = self.queue.waiting.get(pointer.subject)
        if kept is not None or waits is None:
            change.pending[place] = encode_pointer(kept) if kept is not None else b""
        if entry:
            change.log.append((*place, pointer.notice, entry))
        if answer is None:
            return
        if waits is None:
            self.payloads.forget(pointer.subject)
        receipt = receipt_of(around.codec, pointer, self.department, around.operator, answer, now)
        change.delivered[place] = pointer.sequence
        change.receipts.append(receipt)
        around.report.delivered(self.department, now - pointer.issued_at)

        def written() -> None:
            self.queue.settled(pointer)
            around.receipts.add(pointer.partition, pointer.subject, receipt)

        around.commits.after(pointer.partition, written)

    def signer(self, now: int) -> Signer:
        """Signs with the keys that are live now."""
        one = self.endpoint
        live = (one.key_number, one.key_id, one.previous_number, now < one.previous_until)
        if self._signer is None or self._signer[0] != live:
            self._signer = live, Signer(one.live_keys(self._around.keys, now))
        return self._signer[1]

    def _open(self) -> aiohttp.ClientSession:
        return open_session(
            self._around.guard, connections=self.endpoint.concurrency, timeout_seconds=self._around.timeout_seconds
        )

    def _finish_later(self, session: aiohttp.ClientSession) -> None:
        """Close a session once the attempts that use it have ended."""

        async def finish() -> None:
            await asyncio.sleep(2 * self._around.timeout_seconds)
            await session.close()

        self._finishing = asyncio.get_running_loop().create_task(finish())


TOO_MANY = 429
"""The one throttling answer that says nothing is broken."""
